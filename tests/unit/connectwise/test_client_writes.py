"""Changes in ConnectWise: sent once, and named for what may have happened.

``test_proof_of_changes`` holds the table of answers.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bridge.connectwise.egress import UnsafeAnswerError
from bridge.domain.connection import Credentials
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
)
from tests.unit.connectwise.bench import (
    HTML_404,
    TEXT_400,
    Bench,
    Step,
    bench,
    refused,
)

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
        TEXT_400,
        HTML_404,
        httpx.Response(403, html="<html>"),
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
        (refused(400, "InvalidObject"), RefusedError),
        (refused(401, "Unauthorized"), CredentialsRejectedError),
        (refused(403, "Security"), PermissionMissingError),
        (refused(404, "NotFound"), NotFoundError),
        (refused(422, "InvalidObject"), RefusedError),
    ],
)
def test_a_change_that_was_refused_surely_did_not_happen(
    answer: httpx.Response, error: type[BridgeError]
) -> None:
    it = bench(answer)

    with pytest.raises(error):
        post(it)

    assert len(it.sent) == 1


def test_a_change_is_left_to_the_caller_once_the_keys_were_renewed() -> None:
    it = bench(refused(401, "Unauthorized"))
    it.vault.append(Credentials("acme", "public", "rotated"))

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
