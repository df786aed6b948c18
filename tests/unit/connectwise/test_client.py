"""One connection's calls: what is sent, what is repeated, and how outcomes are named."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from bridge.connectwise.call_limits import SMALL
from bridge.connectwise.egress import UnsafeAnswerError
from bridge.connectwise.failures import EndpointMissingError, UnroutedError
from bridge.domain.connection import Credentials
from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    NotFoundError,
    OutOfTimeError,
    PermissionMissingError,
    RefusedError,
    ThrottledError,
    TooHeavyError,
    UnavailableError,
    UnsafeAddressError,
)
from tests.unit.connectwise.bench import (
    ADDRESS,
    HTML_404,
    TEXT_400,
    Step,
    bench,
    ok,
    refused,
)

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
    assert limits == [SMALL.seconds, 10]
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


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_what_may_be_too_heavy_is_told_apart_from_other_trouble(status: int) -> None:
    it = bench(*[refused(status)] * 3)

    with pytest.raises(TooHeavyError):
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
