"""One connection's calls: what is sent, what is repeated, and how outcomes are named."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bridge.connectwise.client import ConnectWiseClient
from bridge.connectwise.egress import UnsafeAnswerError
from bridge.connectwise.failures import EndpointMissingError, ServerFailedError, UnroutedError
from bridge.domain.connection import Credentials, PsaAddress
from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    NotFoundError,
    OutcomeUnknownError,
    OutOfTimeError,
    PermissionMissingError,
    RefusedError,
    RetryableError,
    ThrottledError,
    UnavailableError,
    UnsafeAddressError,
)
from tests.fakes.clock import FakeClock
from tests.unit.connectwise.sandbox import OpenLimiter

ADDRESS = PsaAddress(
    "https://na.myconnectwise.net", "https://api-na.myconnectwise.net", "v2025_1/", is_cloud=True
)
KEYS = Credentials("acme", "public", "private")
Step = httpx.Response | Exception


@dataclass
class Bench:
    """A client whose transport plays a script and keeps what was sent."""

    script: Iterator[Step]
    clock: FakeClock = field(default_factory=FakeClock)
    limiter: OpenLimiter = field(default_factory=OpenLimiter)
    sent: list[httpx.Request] = field(default_factory=list)
    vault: list[Credentials] = field(default_factory=lambda: [KEYS])
    found: PsaAddress = ADDRESS
    told: list[PsaAddress] = field(default_factory=list)

    def play(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        step = next(self.script)
        if isinstance(step, Exception):
            raise step
        return step

    def client(self) -> ConnectWiseClient:
        def credentials(*, is_fresh: bool = False) -> Credentials:
            return self.vault[-1] if is_fresh else self.vault[0]

        return ConnectWiseClient(
            connection_id="connection-1",
            address=ADDRESS,
            credentials=credentials,
            client_id=lambda: "client-guid",
            transport=httpx.MockTransport(self.play),
            limiter=self.limiter,
            clock=self.clock,
            rediscover=lambda: self.found,
            on_codebase_changed=self.told.append,
        )


def bench(*steps: Step) -> Bench:
    return Bench(iter(steps))


def ok(value: object = ()) -> httpx.Response:
    return httpx.Response(200, json=list(value) if isinstance(value, Iterable) else value)


def refused(status: int, code: str = "Some", **headers: str) -> httpx.Response:
    body = {"code": code, "message": "text", "errors": None}
    return httpx.Response(status, json=body, headers=headers)


TEXT_400 = httpx.Response(400, text="Cannot route. Codebase/company is invalid")
HTML_404 = httpx.Response(404, html="<html>not found</html>")


# --- what is sent ------------------------------------------------------------------------------


def test_a_call_is_signed_and_pins_the_version() -> None:
    it = bench(ok())

    it.client().read("/finance/invoices/{id}", ids={"id": 42}, query={"fields": "id,status/id"})

    (request,) = it.sent
    assert str(request.url) == (
        "https://api-na.myconnectwise.net/v2025_1/apis/3.0/finance/invoices/42?fields=id,status/id"
    )
    assert b64decode(request.headers["Authorization"].removeprefix("Basic ")) == (
        b"acme+public:private"
    )
    assert request.headers["clientId"] == "client-guid"
    assert request.headers["Accept"] == "application/vnd.connectwise.com+json; version=2025.1"


def test_conditions_are_encoded_for_the_url() -> None:
    it = bench(ok())

    it.client().read("/x", query={"conditions": 'a="b&c+d\'" and e>=[2026-01-31T00:00:00Z] %*'})

    assert it.sent[0].url.raw_path.decode().partition("?")[2] == (
        "conditions=a=%22b%26c%2Bd%27%22%20and%20e%3E=%5B2026-01-31T00:00:00Z%5D%20%25%2A"
    )


def test_numbers_are_never_floats() -> None:
    it = bench(httpx.Response(200, text='{"a": 0.1, "b": 1e2, "c": 7, "d": NaN}'))

    value = it.client().read("/x").value

    assert (value["a"], value["b"], value["c"]) == (Decimal("0.1"), Decimal("1e2"), 7)
    assert value["d"].is_nan()


def test_a_byte_order_mark_and_line_breaks_do_no_harm() -> None:
    it = bench(httpx.Response(200, content=b'\xef\xbb\xbf{\r\n  "a": 1\r\n}'))

    assert it.client().read("/x").value == {"a": 1}


def test_calls_are_counted_by_route() -> None:
    it = bench(ok(), ok(), ok())
    client = it.client()

    client.read("/finance/invoices/{id}", ids={"id": 1})
    client.read("/finance/invoices/{id}", ids={"id": 2})
    client.send("POST", "/system/callbacks", body={})

    assert client.calls == {"GET /finance/invoices/{id}": 2, "POST /system/callbacks": 1}


def test_a_call_may_take_what_is_left_of_the_workers_time_and_no_more() -> None:
    it = bench(ok(), ok())
    client = it.client()

    client.read("/x")
    it.clock.set_remaining(11)
    client.read("/x")

    limits = [request.extensions["total_seconds"] for request in it.sent]
    assert limits == [60, 10]
    assert it.sent[1].extensions["timeout"] == {"connect": 5, "read": 10, "write": 10, "pool": 5}


# --- reads -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("x"),
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
        UnsafeAnswerError("redirect"),
        httpx.Response(408),
        httpx.Response(502, html="<html>"),
        httpx.Response(503),
        httpx.Response(200, text='{"a": [1, 2'),
        httpx.Response(200, text="[" * 100_000),
        httpx.Response(200, html="<html>"),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(200, text="1" * 5_000),
        httpx.Response(301, headers={"Location": "https://evil.example"}),
    ],
    ids=lambda fault: (
        type(fault).__name__ if isinstance(fault, Exception) else str(fault.status_code)
    ),
)
def test_a_read_is_repeated_twice_and_then_unavailable(fault: Step) -> None:
    it = bench(fault, fault, fault)

    with pytest.raises(UnavailableError):
        it.client().read("/x")

    assert len(it.sent) == 3
    first, second = it.clock.slept_seconds
    assert 0.5 <= first <= 1 <= second <= 2


def test_a_read_is_not_repeated_beyond_the_workers_time() -> None:
    it = bench(httpx.Response(503), httpx.Response(503))
    it.clock.set_remaining(3.2)

    with pytest.raises(UnavailableError):
        it.client().read("/x")

    assert len(it.sent) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused(400, "InvalidObject"), RefusedError),
        (refused(403), PermissionMissingError),
        (refused(404, "NotFound"), NotFoundError),
        (refused(404, "ConnectWiseApi"), EndpointMissingError),
        (refused(405), RefusedError),
        (refused(409), RefusedError),
        (refused(415), RefusedError),
    ],
)
def test_a_clear_no_is_not_asked_again(answer: httpx.Response, error: type[BridgeError]) -> None:
    it = bench(answer)

    with pytest.raises(BridgeError) as raised:
        it.client().read("/x")

    assert type(raised.value) is error
    assert len(it.sent) == 1


def test_a_refusal_names_code_and_fields_but_no_message() -> None:
    errors = [
        {"code": "MissingRequiredField", "message": "secret text", "field": "status/id"},
        {"code": "Other", "field": "not a field: secret text!"},
    ]
    it = bench(httpx.Response(400, json={"code": "InvalidObject", "errors": errors}))

    with pytest.raises(RefusedError) as raised:
        it.client().read("/x")

    assert (raised.value.code, raised.value.fields) == ("MissingRequiredField", ("status/id",))
    assert "secret" not in str(raised.value)


def test_a_500_is_told_apart_from_other_trouble() -> None:
    it = bench(*[refused(500)] * 3)

    with pytest.raises(ServerFailedError):
        it.client().read("/x")


def test_a_waf_that_says_403_in_html_is_no_missing_right() -> None:
    it = bench(*[httpx.Response(403, html="<html>blocked</html>")] * 3)

    with pytest.raises(UnavailableError):
        it.client().read("/x")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 1), ("", 30), ("soon", 30), ("-5", 30), ("999999", 900)],
)
def test_throttling_tells_how_long_to_wait(header: str, seconds: float) -> None:
    it = bench(
        httpx.Response(429, json={"error": "ConnectWiseAPI"}, headers={"Retry-After": header})
    )
    it.clock.set_remaining(3.5)

    with pytest.raises(ThrottledError) as raised:
        it.client().read("/x")

    assert raised.value.retry_after_seconds == seconds
    assert it.limiter.pauses == [seconds]


def test_the_limiters_wait_is_kept_or_handed_on() -> None:
    it = bench(ok())
    it.limiter.wait_seconds = 20
    client = it.client()
    client.read("/x")
    assert it.clock.slept_seconds == [20]

    it.clock.set_remaining(21)
    with pytest.raises(ThrottledError) as raised:
        client.read("/x")

    assert raised.value.retry_after_seconds == 20
    assert len(it.sent) == 1


def test_no_call_begins_without_time() -> None:
    it = bench()
    it.clock.set_remaining(2)

    with pytest.raises(OutOfTimeError):
        it.client().read("/x")

    assert it.limiter.acquired == 0


def test_an_unsafe_address_is_reported_as_such() -> None:
    it = bench(UnsafeAddressError("address"))

    with pytest.raises(UnsafeAddressError):
        it.client().read("/x")

    assert len(it.sent) == 1


# --- keys and codebase -------------------------------------------------------------------------


def test_rejected_keys_are_read_afresh_once() -> None:
    it = bench(refused(401), ok())
    it.vault.append(Credentials("acme", "public", "rotated"))

    it.client().read("/x")

    assert it.sent[0].headers["Authorization"] != it.sent[1].headers["Authorization"]


def test_keys_that_are_still_rejected_end_it() -> None:
    it = bench(refused(401), refused(401))
    it.vault.append(Credentials("acme", "public", "rotated"))

    with pytest.raises(CredentialsRejectedError):
        it.client().read("/x")


def test_unchanged_keys_are_not_tried_again() -> None:
    it = bench(refused(401))

    with pytest.raises(CredentialsRejectedError):
        it.client().read("/x")


@pytest.mark.parametrize("answer", [TEXT_400, HTML_404, httpx.Response(404), httpx.Response(400)])
def test_a_new_codebase_is_used_at_once_and_told(answer: httpx.Response) -> None:
    it = bench(answer, ok())
    it.found = replace(ADDRESS, codebase="v2025_2/")

    it.client().read("/x")

    assert "/v2025_2/apis/3.0/x" in str(it.sent[1].url)
    assert it.told == [it.found]


def test_a_codebase_that_did_not_change_makes_it_unavailable() -> None:
    it = bench(TEXT_400, TEXT_400, TEXT_400)

    with pytest.raises(UnroutedError):
        it.client().read("/x")

    assert it.told == []


def test_the_clouds_404_for_wrong_keys_is_told_from_a_passing_one() -> None:
    wrong = bench(*[HTML_404] * 4)
    with pytest.raises(CredentialsRejectedError):
        wrong.client().read("/x")

    passing = bench(HTML_404, HTML_404, HTML_404, ok({}))
    with pytest.raises(UnavailableError):
        passing.client().read("/x")


# --- writes ------------------------------------------------------------------------------------


def post(it: Bench) -> Any:
    return it.client().send("POST", "/finance/invoices/{id}/payments", ids={"id": 1}, body={"a": 1})


def test_a_change_is_sent_once_as_json() -> None:
    it = bench(httpx.Response(201, json={"id": 9}))

    assert post(it) == {"id": 9}

    (request,) = it.sent
    assert (request.method, request.content) == ("POST", b'{"a": 1}')
    assert request.headers["Content-Type"] == "application/json"


def test_a_deletion_has_no_body() -> None:
    it = bench(httpx.Response(204))

    assert it.client().send("DELETE", "/system/callbacks/{id}", ids={"id": 3}) is None
    assert it.sent[0].content == b""


@pytest.mark.parametrize(
    "step",
    [
        httpx.ReadTimeout("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadError("x"),
        httpx.WriteError("x"),
        httpx.RemoteProtocolError("x"),
        UnsafeAnswerError("too_large"),
        UnsafeAnswerError("redirect"),
        httpx.Response(408),
        refused(409),
        refused(429),
        refused(500),
        httpx.Response(502, html="<html>"),
        httpx.Response(504),
        httpx.Response(302),
        httpx.Response(201, text='{"id": '),
        httpx.Response(200, html="<html>"),
    ],
    ids=repr,
)
def test_a_change_without_a_clear_answer_may_have_happened(step: Step) -> None:
    it = bench(step)

    with pytest.raises(OutcomeUnknownError):
        post(it)

    assert len(it.sent) == 1, "never sent twice"
    assert it.clock.slept_seconds == []


@pytest.mark.parametrize(
    "step",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("x"),
        httpx.PoolTimeout("x"),
        TEXT_400,
        HTML_404,
        httpx.Response(403, html="<html>"),
    ],
    ids=repr,
)
def test_a_change_that_never_arrived_surely_did_not_happen(step: Step) -> None:
    it = bench(step)

    with pytest.raises(RetryableError):
        post(it)

    assert len(it.sent) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused(400), RefusedError),
        (refused(401), CredentialsRejectedError),
        (refused(403), PermissionMissingError),
        (refused(404, "NotFound"), NotFoundError),
        (refused(422), RefusedError),
    ],
)
def test_a_change_that_was_refused_surely_did_not_happen(
    answer: httpx.Response, error: type[BridgeError]
) -> None:
    it = bench(answer)

    with pytest.raises(error):
        post(it)

    assert len(it.sent) == 1


def prepare_keys(it: Bench) -> None:
    it.vault.append(Credentials("acme", "public", "rotated"))


def prepare_codebase(it: Bench) -> None:
    it.found = replace(ADDRESS, codebase="v2025_2/")


@pytest.mark.parametrize(
    ("answer", "prepare"), [(refused(401), prepare_keys), (HTML_404, prepare_codebase)]
)
def test_a_change_is_left_to_the_caller_once_access_was_renewed(
    answer: httpx.Response, prepare: Callable[[Bench], None]
) -> None:
    it = bench(answer)
    prepare(it)

    with pytest.raises(UnavailableError):
        post(it)

    assert len(it.sent) == 1


def test_a_throttled_change_pauses_everybody() -> None:
    it = bench(refused(429, **{"Retry-After": "12"}))

    with pytest.raises(OutcomeUnknownError):
        post(it)

    assert it.limiter.pauses == [12]


def test_a_change_is_not_begun_without_time_or_share() -> None:
    late, throttled = bench(), bench()
    late.clock.set_remaining(1)
    throttled.limiter.wait_seconds = 500

    with pytest.raises(OutOfTimeError):
        post(late)
    with pytest.raises(ThrottledError):
        post(throttled)

    assert late.sent == throttled.sent == []
