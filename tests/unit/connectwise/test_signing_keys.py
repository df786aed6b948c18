"""Keys that sign callbacks come from the connection's own ConnectWise, quickly or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from bridge.connectwise.signing_keys import ConnectWiseSigningKeys
from bridge.domain.connection import Connection, ConnectionState, Credentials, PsaAddress
from bridge.domain.errors import UnavailableError, UnsafeAddressError
from tests.builders.operations import endpoint_of
from tests.fakes.vault import CLIENT_ID, InMemoryVault

CONNECTION = Connection(
    connection_id="c" * 32,
    partner_id="partner-1",
    company_id="acme",
    address=PsaAddress(
        "https://na.myconnectwise.net", "https://api-na.myconnectwise.net", "v2025_1/", True
    ),
    state=ConnectionState.ACTIVE,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
PATH = "/v2025_1//system/callbackkey/index.rails?companyName=acme&id=0f0e"
KEY_URL = f"https://na.myconnectwise.net{PATH}"
KEY = httpx.Response(200, text='{"signing_key":"k-1"}')


class Ticks:
    """A clock of which each look at it takes the given time."""

    def __init__(self, step_seconds: float = 0.0) -> None:
        self._now = 0.0
        self._step_seconds = step_seconds

    def __call__(self) -> float:
        self._now += self._step_seconds
        return self._now


def source(
    answer: Callable[[httpx.Request], httpx.Response], monotonic: Callable[[], float] | None = None
) -> ConnectWiseSigningKeys:
    vault = InMemoryVault()
    vault.put_credentials(CONNECTION.connection_id, Credentials("acme", "public", "private"))
    return ConnectWiseSigningKeys(
        transport=httpx.MockTransport(answer), vault=vault, monotonic=monotonic or Ticks()
    )


def test_a_key_labelled_as_text_is_read() -> None:
    assert source(lambda _: KEY).fetch(endpoint_of(CONNECTION), KEY_URL) == "k-1"


def test_the_members_keys_go_to_the_api_host_only() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return KEY if "Authorization" in request.headers else httpx.Response(401)

    assert source(answer).fetch(endpoint_of(CONNECTION), KEY_URL) == "k-1"

    assert [request.url.host for request in sent] == [
        "na.myconnectwise.net",
        "api-na.myconnectwise.net",
    ]
    assert ["Authorization" in request.headers for request in sent] == [False, True]
    assert {request.headers["clientId"] for request in sent} == {CLIENT_ID}
    assert {request.url.raw_path.decode() for request in sent} == {PATH}


def test_on_premise_the_one_host_gets_them_at_once() -> None:
    sent: list[httpx.Request] = []
    own = "https://cw.partner.example"
    connection = replace(CONNECTION, address=PsaAddress(own, own, "v4_6_release/", False))

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(401)

    with pytest.raises(UnavailableError):
        source(answer).fetch(endpoint_of(connection), f"{own}{PATH}")

    (request,) = sent
    assert "Authorization" in request.headers


def test_a_key_elsewhere_is_not_asked_for() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing may be sent")

    with pytest.raises(UnsafeAddressError):
        source(answer).fetch(endpoint_of(CONNECTION), KEY_URL.replace("//na.", "//eu."))


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
def test_anything_else_is_no_key(answer: httpx.Response) -> None:
    with pytest.raises(UnavailableError):
        source(lambda _: answer).fetch(endpoint_of(CONNECTION), KEY_URL)


def test_a_host_that_does_not_answer_is_unavailable() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("x")

    with pytest.raises(UnavailableError):
        source(answer).fetch(endpoint_of(CONNECTION), KEY_URL)


def test_two_seconds_are_all_that_both_tries_get() -> None:
    limits: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["total_seconds"])
        return httpx.Response(403)

    with pytest.raises(UnavailableError):
        source(answer, Ticks(0.5)).fetch(endpoint_of(CONNECTION), KEY_URL)
    with pytest.raises(UnavailableError):
        source(answer, Ticks(1.5)).fetch(endpoint_of(CONNECTION), KEY_URL)

    assert limits == [1.5, 1.0, 0.5]
