"""Keys that sign callbacks come from the connection's own ConnectWise, quickly or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from bridge.connectwise.signing_keys import MemberSigningKeys, OpenSigningKeys
from bridge.domain.connection import Credentials, PsaAddress
from bridge.domain.errors import KeyWithheldError, UnavailableError, UnsafeAddressError
from bridge.ports import SigningKeySource
from tests.builders.operations import a_connection, endpoint_of
from tests.fakes.vault import CLIENT_ID, InMemoryVault

ENDPOINT = endpoint_of(a_connection(company_id="acme"))
PATH = "/v2025_1//system/callbackkey/index.rails?companyName=acme&id=0f0e"
KEY_URL = f"https://na.myconnectwise.net{PATH}"
KEY = httpx.Response(200, text='{"signing_key":"k-1"}')

Answer = Callable[[httpx.Request], httpx.Response]


class Ticks:
    """A clock of which each look at it takes the given time."""

    def __init__(self, step_seconds: float = 0.0) -> None:
        self._now = 0.0
        self._step_seconds = step_seconds

    def __call__(self) -> float:
        self._now += self._step_seconds
        return self._now


class Requests:
    """Remembers what was sent, and answers all of it alike."""

    def __init__(self, answer: httpx.Response) -> None:
        self.sent: list[httpx.Request] = []
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return self._answer


def for_anybody(answer: Answer, monotonic: Callable[[], float] | None = None) -> OpenSigningKeys:
    return OpenSigningKeys(
        transport=httpx.MockTransport(answer),
        client_id=lambda: CLIENT_ID,
        monotonic=monotonic or Ticks(),
    )


def for_members(answer: Answer) -> MemberSigningKeys:
    vault = InMemoryVault()
    vault.put_credentials(ENDPOINT.connection_id, Credentials("acme", "public", "private"))
    return MemberSigningKeys(transport=httpx.MockTransport(answer), vault=vault)


BOTH = pytest.mark.parametrize("source", [for_anybody, for_members])


@BOTH
def test_a_key_labelled_as_text_is_read(source: Callable[[Answer], SigningKeySource]) -> None:
    assert source(lambda _: KEY).fetch(ENDPOINT, KEY_URL) == "k-1"


def test_the_receiver_asks_as_the_product_alone_where_the_callback_says() -> None:
    requests = Requests(KEY)

    for_anybody(requests).fetch(ENDPOINT, KEY_URL)

    (request,) = requests.sent
    assert str(request.url) == KEY_URL
    assert request.headers["clientId"] == CLIENT_ID
    assert "Authorization" not in request.headers


def test_the_members_keys_go_to_the_api_host_only() -> None:
    requests = Requests(KEY)

    for_members(requests).fetch(ENDPOINT, KEY_URL)

    (request,) = requests.sent
    assert str(request.url) == f"https://api-na.myconnectwise.net{PATH}"
    assert request.headers["clientId"] == CLIENT_ID
    assert request.headers["Authorization"].startswith("Basic ")


def test_on_premise_the_one_host_gets_them() -> None:
    own = "https://cw.partner.example"
    endpoint = replace(ENDPOINT, address=PsaAddress(own, own, "v4_6_release/", False))
    requests = Requests(KEY)

    for_members(requests).fetch(endpoint, f"{own}{PATH}")

    assert [str(request.url) for request in requests.sent] == [f"{own}{PATH}"]


@BOTH
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_that_the_key_is_withheld(
    source: Callable[[Answer], SigningKeySource], status: int
) -> None:
    requests = Requests(httpx.Response(status))

    with pytest.raises(KeyWithheldError):
        source(requests).fetch(ENDPOINT, KEY_URL)

    assert len(requests.sent) == 1


@BOTH
def test_a_key_elsewhere_is_not_asked_for(source: Callable[[Answer], SigningKeySource]) -> None:
    requests = Requests(KEY)

    with pytest.raises(UnsafeAddressError):
        source(requests).fetch(ENDPOINT, KEY_URL.replace("//na.", "//eu."))

    assert requests.sent == []


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, html="<html>"),
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "https://evil.example"}),
        httpx.Response(200, html="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"signing_key": ""}),
        httpx.Response(200, json={"signing_key": 5}),
        httpx.Response(200, json={"signing_key": "x" * 2_000}),
        httpx.Response(200, text=" " * 70_000 + '{"signing_key":"k"}'),
    ],
)
def test_anything_else_is_no_key(
    source: Callable[[Answer], SigningKeySource], answer: httpx.Response
) -> None:
    with pytest.raises(UnavailableError):
        source(lambda _: answer).fetch(ENDPOINT, KEY_URL)


@BOTH
def test_a_host_that_does_not_answer_is_unavailable(
    source: Callable[[Answer], SigningKeySource],
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("x")

    with pytest.raises(UnavailableError):
        source(answer).fetch(ENDPOINT, KEY_URL)


def test_without_a_members_keys_nothing_is_sent() -> None:
    requests = Requests(KEY)
    source = MemberSigningKeys(transport=httpx.MockTransport(requests), vault=InMemoryVault())

    with pytest.raises(UnavailableError):
        source.fetch(ENDPOINT, KEY_URL)

    assert requests.sent == []


def test_the_receiver_waits_two_seconds_at_most_reading_the_client_id_included() -> None:
    requests = Requests(KEY)

    for_anybody(requests, Ticks(0.5)).fetch(ENDPOINT, KEY_URL)
    with pytest.raises(UnavailableError):
        for_anybody(requests, Ticks(2.0)).fetch(ENDPOINT, KEY_URL)

    assert [request.extensions["total_seconds"] for request in requests.sent] == [1.5]
