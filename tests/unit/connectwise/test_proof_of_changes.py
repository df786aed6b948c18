"""What proves that a change was refused or never sent, and what leaves it unknown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectwise.client import ConnectWiseClient
from bridge.connectwise.egress import UnsafeAnswerError
from bridge.connectwise.failures import CONNECTWISE_CODES
from bridge.connectwise.payments import ConnectWisePayments
from bridge.domain.connection import Credentials
from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionMissingError,
    RefusedError,
    UnavailableError,
    UnsafeAddressError,
)
from bridge.domain.money import Currency
from tests.unit.connectwise.bench import ADDRESS, HTML_404, KEYS, TEXT_400, Bench, Step, bench

INVOICE_ID, PAYMENT_ID, STATUS_ID = 77, 501, 4
HTML, JSON, TEXT = "text/html", "application/json", "text/plain"
PAGE = b"<html><body>Request blocked</body></html>"
Change = Callable[[ConnectWisePayments], object]


def payments_of(it: Bench) -> ConnectWisePayments:
    return ConnectWisePayments(it.client(), "ApiMember", ["PastMember"])


def post(payments: ConnectWisePayments) -> object:
    return payments.post_payment(
        INVOICE_ID, amount_minor=5000, currency=Currency("USD", 2), paid_on=date(2026, 2, 20)
    )


def delete(payments: ConnectWisePayments) -> object:
    payments.delete_payment(INVOICE_ID, PAYMENT_ID)
    return None


def patch(payments: ConnectWisePayments) -> object:
    payments.set_status(INVOICE_ID, STATUS_ID, is_closed=False)
    return None


every_change = pytest.mark.parametrize("change", [post, delete, patch])


def answer(status: int, content_type: str, body: bytes) -> httpx.Response:
    headers = {"Content-Type": content_type} if body else {}
    return httpx.Response(status, headers=headers, content=body)


def own(status: int, code: str) -> httpx.Response:
    return answer(status, JSON, json.dumps({"code": code, "message": "text"}).encode())


def shown(value: object) -> httpx.Response:
    return httpx.Response(200, json=value)


def outcome(change: Change, *steps: Step, it: Bench | None = None) -> type[BridgeError] | None:
    it = it or bench(*steps)
    try:
        change(payments_of(it))
    except BridgeError as error:
        return type(error)
    finally:
        assert len(it.sent) == 1, "a change is sent once"
    return None


# --- the table -----------------------------------------------------------------------------------

PROVEN: list[tuple[int, str, type[BridgeError]]] = [
    (400, "InvalidObject", RefusedError),
    (400, "invalidobject", RefusedError),
    (400, "InvalidField", RefusedError),
    (400, "MissingRequiredField", RefusedError),
    (400, "MaxLengthField", RefusedError),
    (400, "ObjectExists", RefusedError),
    (422, "InvalidObject", RefusedError),
    (401, "Unauthorized", CredentialsRejectedError),
    (401, "ConnectWiseApi", CredentialsRejectedError),
    (401, "UserNotAuthenticated", CredentialsRejectedError),
    (403, "Security", PermissionMissingError),
    (403, "Unauthorized", PermissionMissingError),
    (404, "NotFound", NotFoundError),
    (404, "ConnectWiseApi", RefusedError),
]


@every_change
@pytest.mark.parametrize(("status", "code", "error"), PROVEN)
def test_connectwises_own_code_proves_a_refusal(
    change: Change, status: int, code: str, error: type[BridgeError]
) -> None:
    assert outcome(change, own(status, code)) is error


UNPROVEN_STATUSES = [
    *(300, 301, 302, 307, 308, 304),
    *(402, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 417, 418, 421, 423, 424),
    *(425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 520, 522, 524),
]


@every_change
@pytest.mark.parametrize("status", UNPROVEN_STATUSES)
@pytest.mark.parametrize("code", ["InvalidObject", "NotFound", "ConnectWiseApi"])
def test_no_other_status_proves_anything_even_with_such_a_code(
    change: Change, status: int, code: str
) -> None:
    assert outcome(change, own(status, code)) is OutcomeUnknownError


STRANGE_BODIES = [
    (TEXT, b""),
    (HTML, PAGE),
    (TEXT, b"Cannot route. Codebase/company is invalid"),
    (JSON, b'{"message":"Forbidden"}'),
    (JSON, b'{"code":"Forbidden","message":"no"}'),
    (JSON, b'{"code":"AccessDenied"}'),
    (JSON, b'{"code":"InvalidObject "}'),
    (JSON, b'{"code":"NotFoundException"}'),
    (JSON, b'{"code":404,"message":"NotFound"}'),
    (JSON, b'{"code":null}'),
    (JSON, b'{"code":["NotFound"]}'),
    (JSON, b'{"Code":"NotFound"}'),
    (JSON, b'{"error":"NotFound"}'),
    (JSON, b'{"error":{"code":"NotFound"}}'),
    (JSON, b'{"errors":[{"code":"NotFound","field":"id"}]}'),
    (JSON, b'{"code":"Blocked","errors":[{"code":"InvalidObject"}]}'),
    (JSON, b'[{"code":"NotFound"}]'),
    (JSON, b'"NotFound"'),
    (JSON, b"null"),
    (JSON, b"{}"),
    (JSON, b'{"code":"NotFound","message":"Invoice 5 n'),
    (JSON, b"\xff\xfe{"),
]


@every_change
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
@pytest.mark.parametrize(("content_type", "body"), STRANGE_BODIES)
def test_what_something_else_wrote_proves_nothing(
    change: Change, status: int, content_type: str, body: bytes
) -> None:
    assert outcome(change, answer(status, content_type, body)) is OutcomeUnknownError


@every_change
@pytest.mark.parametrize("status", [200, 201, 202, 203, 206])
@pytest.mark.parametrize(("content_type", "body"), STRANGE_BODIES)
def test_a_success_that_shows_no_record_confirms_nothing(
    change: Change, status: int, content_type: str, body: bytes
) -> None:
    assert outcome(change, answer(status, content_type, body)) is OutcomeUnknownError


def test_nothing_confirms_no_post_and_no_patch_but_a_deletion() -> None:
    assert outcome(post, httpx.Response(204)) is OutcomeUnknownError
    assert outcome(patch, httpx.Response(204)) is OutcomeUnknownError
    assert outcome(delete, httpx.Response(204)) is None


def test_an_answer_about_another_record_confirms_nothing() -> None:
    paid = shown({"id": 9, "amount": 50.0, "invoice": {"id": INVOICE_ID + 1}})
    changed = shown({"id": INVOICE_ID + 1, "status": {"id": STATUS_ID}})
    left = shown({"id": INVOICE_ID + 1, "status": {"id": STATUS_ID + 1}})

    assert outcome(post, paid) is OutcomeUnknownError
    assert outcome(patch, changed) is outcome(patch, left) is OutcomeUnknownError


def test_an_answer_that_shows_the_record_confirms() -> None:
    for paid in ({"id": 9, "invoice": {"id": INVOICE_ID}}, {"id": 9}):
        assert outcome(post, shown(paid)) is None
    for changed in ({"id": INVOICE_ID, "status": {"id": STATUS_ID}}, {"status": {"id": STATUS_ID}}):
        assert outcome(patch, shown(changed)) is None


@every_change
@pytest.mark.parametrize(
    "fault",
    [
        UnsafeAnswerError("redirect"),
        UnsafeAnswerError("too_large"),
        UnsafeAnswerError("encoding"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.ReadError("answer ends early"),
        httpx.DecodingError("x"),
        httpx.ReadTimeout("x"),
        httpx.WriteTimeout("x"),
        httpx.WriteError("x"),
        httpx.LocalProtocolError("x"),
        httpx.TooManyRedirects("x"),
    ],
    ids=repr,
)
def test_an_answer_that_broke_off_proves_nothing(change: Change, fault: Exception) -> None:
    assert outcome(change, fault) is OutcomeUnknownError


@every_change
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (httpx.ConnectError("x"), UnavailableError),
        (httpx.ConnectTimeout("x"), UnavailableError),
        (httpx.PoolTimeout("x"), UnavailableError),
        (UnsafeAddressError("address"), UnsafeAddressError),
    ],
    ids=repr,
)
def test_what_found_no_connection_was_surely_not_sent(
    change: Change, fault: Exception, error: type[BridgeError]
) -> None:
    assert outcome(change, fault) is error


# --- any status, any body ------------------------------------------------------------------------

_texts = st.text(max_size=12) | st.sampled_from(["Forbidden", "AccessDenied", "NotFoundError", ""])
_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 600) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)
_details = st.lists(
    st.fixed_dictionaries({"code": st.sampled_from(sorted(CONNECTWISE_CODES)) | _values}),
    max_size=2,
)
_objects = st.fixed_dictionaries(
    {}, optional={"code": _values, "message": _texts, "error": _values, "errors": _details}
).filter(lambda body: str(body.get("code")).casefold() not in CONNECTWISE_CODES)
_bodies = (
    st.binary(max_size=40)
    | _objects.map(lambda body: json.dumps(body).encode())
    | _values.map(lambda body: json.dumps(body).encode())
    | st.sampled_from([body for _, body in STRANGE_BODIES])
)


@given(
    change=st.sampled_from([post, delete, patch]),
    status=st.integers(200, 599) | st.sampled_from([400, 401, 403, 404, 422]),
    content_type=st.sampled_from([HTML, JSON, TEXT]),
    body=_bodies,
)
def test_without_a_code_of_connectwise_no_change_is_refused_or_unsent(
    change: Change, status: int, content_type: str, body: bytes
) -> None:
    found = outcome(change, answer(status, content_type, body))

    assert found is OutcomeUnknownError or (status in range(200, 300) and found is None)


# --- the way may have changed --------------------------------------------------------------------


def with_other_keys(*steps: Step) -> Bench:
    it = bench(*steps)
    it.vault.append(Credentials("acme", "public", "rotated"))
    return it


@every_change
def test_keys_that_connectwise_rejects_and_the_vault_replaced_may_be_tried_anew(
    change: Change,
) -> None:
    it = with_other_keys(own(401, "Unauthorized"))
    assert outcome(change, it=it) is UnavailableError


@every_change
def test_a_401_of_something_else_proves_nothing_whatever_the_vault_holds(change: Change) -> None:
    it = with_other_keys(answer(401, HTML, PAGE), shown({"id": 9}))
    payments = payments_of(it)

    with pytest.raises(OutcomeUnknownError):
        change(payments)

    payments._client.read("/x")
    assert it.sent[0].headers["Authorization"] != it.sent[1].headers["Authorization"]


@every_change
@pytest.mark.parametrize("lost", [TEXT_400, HTML_404])
def test_an_answer_from_the_old_address_proves_nothing_but_the_new_one_is_used_next(
    change: Change, lost: httpx.Response
) -> None:
    it = bench(lost, shown({"id": 9}))
    it.found = replace(ADDRESS, codebase="v2025_2/")
    payments = payments_of(it)

    with pytest.raises(OutcomeUnknownError):
        change(payments)

    payments._client.read("/x")
    assert "/v2025_2/apis/3.0/x" in str(it.sent[1].url)
    assert it.told == [it.found]


class _Unreachable(Bench):
    """The address and the vault fail once a change has been answered."""

    error: BridgeError = UnavailableError("down")

    def client(self, transport: httpx.BaseTransport | None = None) -> ConnectWiseClient:
        client = super().client(transport)
        access: Any = client._access

        def fail(**_: object) -> Any:
            raise self.error

        access._rediscover = fail
        access.keys()
        access._read_credentials = fail
        return client


@every_change
@pytest.mark.parametrize("lost", [TEXT_400, HTML_404, answer(401, HTML, PAGE)])
@pytest.mark.parametrize("error", [UnavailableError("down"), NotFoundError("none")])
def test_a_failure_after_the_answer_says_nothing_about_the_change(
    change: Change, lost: httpx.Response, error: BridgeError
) -> None:
    it = _Unreachable(iter([lost]))
    it.error = error
    assert outcome(change, it=it) is OutcomeUnknownError


@every_change
def test_a_pause_that_cannot_be_noted_says_nothing_about_the_change(change: Change) -> None:
    it = bench(own(429, "ConnectWiseApi"))

    def fail(connection_id: str, *, seconds: float) -> None:
        raise RefusedError("x")

    it.limiter.pause = fail  # type: ignore[method-assign]
    assert outcome(change, it=it) is OutcomeUnknownError


# --- reads ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [body for _, body in STRANGE_BODIES if body.startswith(b"{") and body.endswith(b"}")]
)
def test_a_404_without_a_code_of_connectwise_is_no_proof_that_a_record_is_gone(body: bytes) -> None:
    it = bench(*[answer(404, JSON, body)] * 3)
    with pytest.raises(UnavailableError):
        payments_of(it).read_balance(INVOICE_ID)


# --- who a payment is sent as --------------------------------------------------------------------


def test_the_member_is_the_one_kept_beside_the_keys() -> None:
    it = bench(shown({"id": 9}), own(401, "Unauthorized"))
    it.vault = [replace(KEYS, member_identifier="Kept")]
    payments = payments_of(it)
    assert payments.member_identifier == "Kept"

    it.vault = [replace(KEYS, private_key="rotated", member_identifier="Other")]
    post(payments)
    assert payments.member_identifier == "Kept", "the post was sent with the keys read before"

    with pytest.raises(UnavailableError):
        post(payments)
    assert payments.member_identifier == "Other"
    assert it.sent[0].headers["Authorization"] == it.sent[1].headers["Authorization"]


def test_keys_without_a_member_are_the_connections() -> None:
    assert payments_of(bench()).member_identifier == "ApiMember"


@pytest.mark.parametrize("name", ["Kept", "kept", "ApiMember", "pastmember", ""])
def test_an_unreadable_row_of_any_of_our_members_may_be_ours(name: str) -> None:
    it = bench(shown([{"id": 3, "amount": "x", "appliedBy": name}]), shown([]))
    it.vault = [replace(KEYS, member_identifier="Kept")]
    with pytest.raises(BridgeError, match="may be ours"):
        payments_of(it).list_payments(INVOICE_ID, Currency("USD", 2))
