"""What the write side of ConnectWise does: it reads, posts, deletes and sets the status exactly,
and names the outcome of each change no more precisely than is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectwise.exchange import json_bytes
from bridge.connectwise.payments import UNCHANGED, ConnectWisePayments
from bridge.domain.errors import (
    BridgeError,
    ConflictError,
    CredentialsRejectedError,
    MalformedRecordError,
    NotFoundError,
    OutcomeUnknownError,
    OutOfTimeError,
    PermissionMissingError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)
from bridge.domain.invoice import BillingStatus
from bridge.domain.money import Currency, to_decimal
from bridge.ports import CallPurpose, PostedPayment, PsaPayment
from connectwise_sandbox.change_faults import ChangeEffect, GatewayBody
from connectwise_sandbox.faults import Effect, Fault
from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.httpx_transport import EngineTransport
from connectwise_sandbox.kinds import Kind, reference_to
from connectwise_sandbox.people import OTHER_SYNC, PERSON, NewLine
from connectwise_sandbox.permissions import Action
from connectwise_sandbox.tenant import Corruption
from tests.unit.connectwise.sandbox import World, sandboxed_world

USD, JPY, KWD = Currency("USD", 2), Currency("JPY", 0), Currency("KWD", 3)
PAID_ON = date(2026, 2, 20)
POST = "POST /finance/invoices/{id}/payments"
LIST = "GET /finance/invoices/{id}/payments"

Read = Callable[[ConnectWisePayments, int], object]
READS: list[Read] = [
    lambda payments, invoice_id: payments.read_balance(invoice_id),
    lambda payments, invoice_id: payments.list_payments(invoice_id, USD),
]


@dataclass
class Scene:
    """A sandbox with one open invoice of 110.00, and the adapter that pays it."""

    world: World
    invoice_id: int

    @property
    def payments(self) -> ConnectWisePayments:
        return self.through()

    def through(self, transport: httpx.BaseTransport | None = None) -> ConnectWisePayments:
        member = self.world.engine.tenant.identity.member_identifier
        connection = replace(self.world.connection, member_identifier=member)
        return self.world.gateway(transport).open_payments(connection)

    def bill(self, amount: str, currency_code: str = "USD") -> int:
        tenant = self.world.engine.tenant
        currency = next(
            row
            for row in tenant.store[Kind.CURRENCY]
            if row["currencyCode"]["name"] == currency_code
        )
        company = next(row for row in tenant.store[Kind.COMPANY] if row.get("accountNumber"))
        tenant.store[Kind.COMPANY].put(
            company | {"currency": reference_to(Kind.CURRENCY, currency)}
        )
        lines = [NewLine("Work", Decimal(amount))]
        invoice_id: int = self.world.engine.people.create_invoice(company["id"], lines)["id"]
        return invoice_id

    def post(self, amount_minor: int = 5000, *, payments: ConnectWisePayments | None = None) -> int:
        posted = (payments or self.payments).post_payment(
            self.invoice_id, amount_minor=amount_minor, currency=USD, paid_on=PAID_ON
        )
        return posted.psa_payment_id

    def rows(self) -> list[Any]:
        """What really stands on the invoice."""
        return payments_of(self.world.engine.tenant, self.invoice_id)

    def invoice(self) -> Any:
        return self.world.engine.tenant.store[Kind.INVOICE].get(self.invoice_id)

    def status_id(self, name: str) -> int:
        statuses = self.world.engine.tenant.store[Kind.BILLING_STATUS]
        found: int = next(row["id"] for row in statuses if row["name"] == name)
        return found

    def fault(self, effect: Effect | ChangeEffect, method: str = "POST", **changes: Any) -> None:
        path = changes.pop("path_regex", "finance")
        self.world.engine.faults.add(
            Fault(method=method, path_regex=path, effect=effect, **changes)
        )


@pytest.fixture
def scene() -> Scene:
    world = sandboxed_world(customers=3, invoices=3)
    scene = Scene(world, 0)
    scene.invoice_id = scene.bill("110.00")
    return scene


# --- the balance -------------------------------------------------------------------------------


def test_a_balance_is_read_with_what_decides_about_a_payment(scene: Scene) -> None:
    found = scene.payments.read_balance(scene.invoice_id)
    assert (found.total_minor, found.balance_minor, found.currency) == (11000, 11000, USD)
    assert found.status == BillingStatus(scene.status_id("New"), "New", is_closed=False)
    assert not found.is_batched


def test_a_balance_follows_the_payments(scene: Scene) -> None:
    scene.post(2550)
    scene.world.engine.people.record_payment(scene.invoice_id, Decimal("4.50"))
    assert scene.payments.read_balance(scene.invoice_id).balance_minor == 11000 - 2550 - 450


def test_a_balance_may_lag_behind_its_payments(scene: Scene) -> None:
    scene.world.engine.switches.balance_delay_seconds = 30
    psa_payment_id = scene.post()
    assert scene.payments.read_balance(scene.invoice_id).balance_minor == 11000
    (listed,) = scene.payments.list_payments(scene.invoice_id, USD)
    assert listed.psa_payment_id == psa_payment_id
    scene.world.engine_clock.advance(30)
    assert scene.payments.read_balance(scene.invoice_id).balance_minor == 6000


def test_closed_and_batched_invoices_say_so(scene: Scene) -> None:
    scene.world.engine.people.close_invoice(scene.invoice_id)
    status = scene.payments.read_balance(scene.invoice_id).status
    assert status is not None
    assert status.is_closed
    scene.world.engine.people.batch_invoice(scene.invoice_id)
    assert scene.payments.read_balance(scene.invoice_id).is_batched


def test_an_invoice_without_a_status_has_none(scene: Scene) -> None:
    corrupt(scene, Kind.INVOICE, scene.invoice_id, {"status": None})
    assert scene.payments.read_balance(scene.invoice_id).status is None


def corrupt(scene: Scene, kind: Kind, record_id: int, changes: dict[str, Any]) -> None:
    scene.world.engine.tenant.corruptions[kind, record_id] = Corruption(None, changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"balance": None},
        {"balance": "much"},
        {"balance": True},
        {"total": Decimal("1.005")},
        {"currency": {"currencyCode": "usd", "numberOfDecimals": 2}},
        {"currency": {"currencyCode": "USD", "numberOfDecimals": 9}},
    ],
)
def test_an_invoice_that_cannot_be_read_is_said_so(scene: Scene, changes: dict[str, Any]) -> None:
    corrupt(scene, Kind.INVOICE, scene.invoice_id, changes)
    with pytest.raises(MalformedRecordError):
        scene.payments.read_balance(scene.invoice_id)


def test_an_older_server_names_the_currency_with_the_payer_only(scene: Scene) -> None:
    told = scene.payments.read_balance(scene.invoice_id)
    corrupt(scene, Kind.INVOICE, scene.invoice_id, {"currency": None})

    assert scene.payments.read_balance(scene.invoice_id) == told


def test_another_invoice_than_the_one_asked_for_is_not_believed(scene: Scene) -> None:
    corrupt(scene, Kind.INVOICE, scene.invoice_id, {"id": scene.invoice_id + 1})
    with pytest.raises(UnavailableError):
        scene.payments.read_balance(scene.invoice_id)


def test_an_invoice_that_is_gone_is_not_found(scene: Scene) -> None:
    scene.world.engine.people.delete_invoice(scene.invoice_id)
    with pytest.raises(NotFoundError):
        scene.payments.read_balance(scene.invoice_id)
    with pytest.raises(NotFoundError):
        scene.payments.list_payments(scene.invoice_id, USD)
    with pytest.raises(NotFoundError):
        scene.post()


def answering(status: int, body: object) -> httpx.MockTransport:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.MockTransport(lambda _: httpx.Response(status, content=content))


@pytest.mark.parametrize("read", READS)
def test_a_404_that_is_not_about_the_invoice_proves_nothing(scene: Scene, read: Read) -> None:
    missing = {"code": "ConnectWiseApi", "message": "The endpoint does not exist."}
    with pytest.raises(UnavailableError):
        read(scene.through(answering(404, missing)), scene.invoice_id)


# --- the list ----------------------------------------------------------------------------------


def test_payments_are_listed_with_who_applied_them(scene: Scene) -> None:
    people = scene.world.engine.people
    ours = scene.post(2000)
    theirs = people.record_payment(scene.invoice_id, Decimal("10.00"))["id"]
    credit = people.apply_credit(scene.invoice_id, Decimal("5.00"))["id"]

    listed = scene.payments.list_payments(scene.invoice_id, USD)

    member = scene.world.engine.tenant.identity.member_identifier
    today = date(2026, 3, 2)
    assert listed == (
        PsaPayment(ours, 2000, PAID_ON, member),
        PsaPayment(theirs, 1000, today, PERSON),
        PsaPayment(credit, 500, today, PERSON, is_credit=True),
    )


def test_an_invoice_without_payments_lists_none(scene: Scene) -> None:
    assert scene.payments.list_payments(scene.invoice_id, USD) == ()


def test_a_long_list_is_read_to_its_end(scene: Scene) -> None:
    people = scene.world.engine.people
    scene.invoice_id = scene.bill("2000.00")
    for _ in range(1_040):
        people.record_payment(scene.invoice_id, Decimal("1.00"))
    ours = scene.post()

    payments = scene.payments
    listed = payments.list_payments(scene.invoice_id, USD)

    assert len(listed) == 1_041
    assert listed[-1].psa_payment_id == ours
    assert payments.calls[LIST] == 2


BROKEN: list[dict[str, Any]] = [
    {"amount": None},
    {"amount": "x"},
    {"amount": Decimal("1.001")},
    {"paymentDate": "yesterday"},
    {"credit": {"id": "x"}},
]


@pytest.mark.parametrize("changes", BROKEN)
def test_a_broken_row_of_somebody_else_is_known_to_be_there(
    scene: Scene, changes: dict[str, Any]
) -> None:
    theirs = scene.world.engine.people.record_payment(scene.invoice_id, Decimal("10.00"))
    ours = scene.post()
    corrupt(scene, Kind.PAYMENT, theirs["id"], changes)

    listed = scene.payments.list_payments(scene.invoice_id, USD)

    assert [payment.psa_payment_id for payment in listed] == [theirs["id"], ours]
    assert listed[0] == PsaPayment(theirs["id"], 0, None, PERSON)


@pytest.mark.parametrize("changes", BROKEN)
def test_a_broken_row_of_ours_stops_everything(scene: Scene, changes: dict[str, Any]) -> None:
    corrupt(scene, Kind.PAYMENT, scene.post(), changes)
    with pytest.raises(MalformedRecordError):
        scene.payments.list_payments(scene.invoice_id, USD)


@pytest.mark.parametrize("applied_by", [None, "", 7, {"name": PERSON}])
def test_a_broken_row_that_may_be_ours_counts_as_ours(scene: Scene, applied_by: object) -> None:
    theirs = scene.world.engine.people.record_payment(scene.invoice_id, Decimal("10.00"))
    corrupt(scene, Kind.PAYMENT, theirs["id"], {"amount": "x", "appliedBy": applied_by})
    with pytest.raises(MalformedRecordError):
        scene.payments.list_payments(scene.invoice_id, USD)


def test_our_member_is_known_in_any_case(scene: Scene) -> None:
    member = scene.world.engine.tenant.identity.member_identifier
    corrupt(scene, Kind.PAYMENT, scene.post(), {"amount": "x", "appliedBy": member.swapcase()})
    with pytest.raises(MalformedRecordError):
        scene.payments.list_payments(scene.invoice_id, USD)


def test_a_row_without_a_name_is_kept_as_nobodys(scene: Scene) -> None:
    corrupt(scene, Kind.PAYMENT, scene.post(), {"appliedBy": None, "paymentDate": None})
    (listed,) = scene.payments.list_payments(scene.invoice_id, USD)
    assert (listed.applied_by, listed.paid_on, listed.amount_minor) == ("", None, 5000)


def test_a_list_that_cannot_be_written_is_unavailable(scene: Scene) -> None:
    scene.world.engine.tenant.corruptions[Kind.PAYMENT, scene.post()] = Corruption(0, {})
    with pytest.raises(UnavailableError):
        scene.payments.list_payments(scene.invoice_id, USD)


def test_what_another_sync_rewrote_is_listed_as_theirs(scene: Scene) -> None:
    ours = scene.post()
    scene.world.engine.people.rewrite_payments(scene.invoice_id)
    (listed,) = scene.payments.list_payments(scene.invoice_id, USD)
    assert listed.psa_payment_id != ours
    assert (listed.applied_by, listed.amount_minor, listed.paid_on) == (OTHER_SYNC, 5000, PAID_ON)


# --- posting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "total", "amount_minor", "sent"),
    [
        (USD, "110.00", 1005, "10.05"),
        (USD, "110.00", 11000, "110.00"),
        (JPY, "1100", 1, "1"),
        (KWD, "11.000", 10001, "10.001"),
    ],
)
def test_a_payment_is_posted_to_the_last_decimal(
    scene: Scene, currency: Currency, total: str, amount_minor: int, sent: str
) -> None:
    invoice_id = scene.bill(total, currency.code)
    bodies: list[bytes] = []
    engine = EngineTransport(scene.world.engine)

    def note(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return engine.handle_request(request)

    payments = scene.through(httpx.MockTransport(note))
    posted = payments.post_payment(
        invoice_id, amount_minor=amount_minor, currency=currency, paid_on=PAID_ON
    )

    assert bodies == [f'{{"amount": {sent}, "paymentDate": "2026-02-20T00:00:00Z"}}'.encode()]
    member = scene.world.engine.tenant.identity.member_identifier
    assert scene.payments.list_payments(invoice_id, currency) == (
        PsaPayment(posted.psa_payment_id, amount_minor, PAID_ON, member),
    )
    assert posted.amount_minor == amount_minor


@given(amount_minor=st.integers(1, 10**15), decimals=st.integers(0, 4))
def test_any_amount_is_written_as_it_is(amount_minor: int, decimals: int) -> None:
    amount = to_decimal(amount_minor, Currency("XXX", decimals))
    written = json_bytes({"amount": amount}).decode()
    (read,) = json.loads(written, parse_float=Decimal, parse_int=Decimal).values()
    assert read == amount
    assert "e" not in written.partition(":")[2].lower()
    assert len(written.partition(".")[2].rstrip("}")) == decimals


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), Decimal("Infinity"), {"a": [0.1]}])
def test_no_float_is_ever_written(value: object) -> None:
    with pytest.raises(TypeError):
        json_bytes(value)


def test_json_of_other_things_is_as_always() -> None:
    value: dict[str, Any] = {"op": "replace", "ä": [None, True, -1, '"\n', {}]}
    assert json.loads(json_bytes(value)) == value


def test_posting_costs_one_call(scene: Scene) -> None:
    payments = scene.payments
    scene.post(payments=payments)
    assert payments.calls == {POST: 1}


UNKNOWN_BEFORE: list[Effect | ChangeEffect] = [
    ChangeEffect.GATEWAY_BEFORE_EFFECT,
    ChangeEffect.STATUS_409,
    Effect.STATUS_429,
    Effect.STATUS_500,
    Effect.STATUS_502_HTML,
    Effect.STATUS_404_HTML,
    Effect.TEXT_400,
    Effect.TIMEOUT_BEFORE_EFFECT,
    Effect.CUT_BEFORE_EFFECT,
]
UNKNOWN_AFTER: list[Effect | ChangeEffect] = [
    ChangeEffect.GATEWAY_AFTER_EFFECT,
    ChangeEffect.STATUS_409_AFTER_EFFECT,
    ChangeEffect.STATUS_429_AFTER_EFFECT,
    Effect.STATUS_500_AFTER_EFFECT,
    Effect.STATUS_502_HTML_AFTER_EFFECT,
    Effect.TIMEOUT_AFTER_EFFECT,
    Effect.CUT_AFTER_EFFECT,
    Effect.TRUNCATED_JSON,
]


@pytest.mark.parametrize("effect", UNKNOWN_BEFORE)
def test_without_a_clear_answer_nobody_knows_even_if_nothing_happened(
    scene: Scene, effect: Effect | ChangeEffect
) -> None:
    scene.fault(effect)
    payments = scene.payments
    with pytest.raises(OutcomeUnknownError):
        scene.post(payments=payments)
    assert scene.rows() == []
    assert payments.calls[POST] == 1


@pytest.mark.parametrize("effect", UNKNOWN_AFTER)
def test_without_a_clear_answer_nobody_knows_even_if_it_happened(
    scene: Scene, effect: Effect | ChangeEffect
) -> None:
    scene.fault(effect)
    payments = scene.payments
    with pytest.raises(OutcomeUnknownError):
        scene.post(payments=payments)
    assert len(scene.rows()) == 1
    assert payments.calls[POST] == 1


def test_a_request_may_land_long_after_it_was_given_up(scene: Scene) -> None:
    scene.fault(Effect.LATE_EFFECT, seconds=500)
    with pytest.raises(OutcomeUnknownError):
        scene.post()
    assert scene.payments.list_payments(scene.invoice_id, USD) == ()
    scene.world.engine_clock.advance(500)
    (listed,) = scene.payments.list_payments(scene.invoice_id, USD)
    assert listed.amount_minor == 5000


GATEWAYS = [ChangeEffect.GATEWAY_BEFORE_EFFECT, ChangeEffect.GATEWAY_AFTER_EFFECT]


@pytest.mark.parametrize("effect", GATEWAYS)
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 407, 413, 422, 431, 451, 499])
@pytest.mark.parametrize("body", GatewayBody)
def test_what_a_gateway_says_is_no_proof_either_way(
    scene: Scene, effect: ChangeEffect, status: int, body: GatewayBody
) -> None:
    kept = scene.post(1000)
    payments = scene.payments
    for method, change in (
        ("POST", lambda: scene.post(payments=payments)),
        ("DELETE", lambda: payments.delete_payment(scene.invoice_id, kept)),
        ("PATCH", lambda: payments.set_status(scene.invoice_id, 1, is_closed=False)),
    ):
        scene.fault(effect, method, status=status, body=body)
        with pytest.raises(OutcomeUnknownError):
            change()
    happened = effect is ChangeEffect.GATEWAY_AFTER_EFFECT
    assert [row["amount"] for row in scene.rows()] == ([50] if happened else [10])


def test_a_request_may_land_after_a_gateway_refused_it(scene: Scene) -> None:
    scene.fault(ChangeEffect.GATEWAY_LATE_EFFECT, seconds=75)
    with pytest.raises(OutcomeUnknownError):
        scene.post()
    assert scene.rows() == []
    scene.world.engine_clock.advance(75)
    assert len(scene.payments.list_payments(scene.invoice_id, USD)) == 1


def test_an_answer_that_lies_is_handed_on_as_it_is(scene: Scene) -> None:
    scene.fault(ChangeEffect.WRONG_AMOUNT)
    posted = scene.payments.post_payment(
        scene.invoice_id, amount_minor=5000, currency=USD, paid_on=PAID_ON
    )
    assert posted.amount_minor == 5100
    scene.fault(ChangeEffect.WRONG_ID)
    told = scene.post()
    listed = scene.payments.list_payments(scene.invoice_id, USD)
    assert told not in [payment.psa_payment_id for payment in listed]


def test_an_answer_slower_than_the_call_may_take_is_unknown(scene: Scene) -> None:
    scene.fault(Effect.SLOW, seconds=31)
    with pytest.raises(OutcomeUnknownError):
        scene.post()
    assert len(scene.rows()) == 1


def failing_with(error: Exception) -> httpx.MockTransport:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    return httpx.MockTransport(fail)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_what_was_never_connected_is_surely_not_sent(
    scene: Scene, error: type[httpx.TransportError]
) -> None:
    with pytest.raises(UnavailableError):
        scene.post(payments=scene.through(failing_with(error("down"))))


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout,
        httpx.WriteTimeout,
        httpx.ReadError,
        httpx.WriteError,
        httpx.RemoteProtocolError,
        httpx.LocalProtocolError,
    ],
)
def test_what_broke_on_the_way_is_unknown(scene: Scene, error: type[httpx.TransportError]) -> None:
    with pytest.raises(OutcomeUnknownError):
        scene.post(payments=scene.through(failing_with(error("broken"))))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"id":0}', b'{"id":"7"}', b"[]", b"null", b"<p>"])
def test_a_success_that_names_no_payment_is_unknown(scene: Scene, status: int, body: bytes) -> None:
    with pytest.raises(OutcomeUnknownError):
        scene.post(payments=scene.through(answering(status, body)))


@pytest.mark.parametrize("status", [302, 405, 408, 409, 415, 429, 500, 502, 503, 504])
def test_no_status_between_is_taken_for_a_refusal(scene: Scene, status: int) -> None:
    refusal = {"code": "ConnectWiseApi", "message": "x"}
    with pytest.raises(OutcomeUnknownError):
        scene.post(payments=scene.through(answering(status, refusal)))


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "InvalidObject", RefusedError),
        (401, "Unauthorized", CredentialsRejectedError),
        (403, "Security", PermissionMissingError),
        (404, "NotFound", NotFoundError),
        (404, "ConnectWiseApi", RefusedError),
    ],
)
def test_a_sure_refusal_is_named(
    scene: Scene, status: int, code: str, error: type[BridgeError]
) -> None:
    refusal = {"code": code, "message": "x"}
    with pytest.raises(error) as refused:
        scene.post(payments=scene.through(answering(status, refusal)))
    assert type(refused.value) is error


def test_a_429_is_unknown_even_when_the_pause_cannot_be_noted(scene: Scene) -> None:
    class Down:
        def acquire(self, connection_id: str, purpose: CallPurpose) -> float:
            return 0.0

        def pause(self, connection_id: str, *, seconds: float) -> None:
            raise self.error

        error: BridgeError = UnavailableError("down")

    scene.world.limiter = Down()  # type: ignore[assignment]
    for error in (UnavailableError("down"), ConflictError("contended")):
        Down.error = error
        scene.fault(Effect.STATUS_429)
        with pytest.raises(OutcomeUnknownError):
            scene.post()


def test_calls_about_payments_take_from_the_reserve(scene: Scene) -> None:
    scene.post()
    assert set(scene.world.limiter.purposes) == {CallPurpose.WRITE_BACK}
    scene.world.limiter.purposes.clear()
    scene.world.psa().read_system_info()
    assert scene.world.limiter.purposes == [CallPurpose.MIRROR]


def test_everybody_pauses_after_a_429(scene: Scene) -> None:
    scene.fault(Effect.STATUS_429, retry_after=17)
    with pytest.raises(OutcomeUnknownError):
        scene.post()
    assert scene.world.limiter.pauses == [17]


def test_without_time_nothing_is_sent(scene: Scene) -> None:
    scene.world.clock.set_remaining(2.5)
    with pytest.raises(OutOfTimeError):
        scene.post()
    assert scene.world.engine.calls.recent(5) == []


def test_without_a_share_of_calls_nothing_is_sent(scene: Scene) -> None:
    scene.world.limiter.wait_seconds = 61
    payments = scene.payments
    with pytest.raises(ThrottledError):
        scene.post(payments=payments)
    assert payments.calls == {}


def test_a_missing_right_is_a_sure_refusal(scene: Scene) -> None:
    role = scene.world.engine.tenant.role
    role.set_cell("Finance", "Accounting Interface", Action.ADD, "None")
    with pytest.raises(PermissionMissingError):
        scene.post()
    assert scene.rows() == []


def test_wrong_keys_are_a_sure_refusal(scene: Scene) -> None:
    wrong = replace(scene.world.credentials, private_key="wrong")
    scene.world.vault.put_credentials(scene.world.connection.connection_id, wrong)
    with pytest.raises(CredentialsRejectedError):
        scene.post()


def test_renewed_keys_are_used_by_the_next_worker(scene: Scene) -> None:
    payments = scene.payments
    payments.read_balance(scene.invoice_id)
    identity = scene.world.engine.tenant.identity
    scene.world.engine.tenant.identity = replace(identity, private_key="renewed")
    scene.world.vault.put_credentials(scene.world.connection.connection_id, scene.world.credentials)
    with pytest.raises(UnavailableError):
        scene.post(payments=payments)
    assert scene.rows() == []
    scene.post(payments=payments)
    assert len(scene.rows()) == 1


def test_a_new_codebase_is_found_without_posting_twice(scene: Scene) -> None:
    payments = scene.payments
    scene.world.engine.people.roll_codebase_over()
    with pytest.raises(OutcomeUnknownError):
        scene.post(payments=payments)
    assert scene.rows() == []
    scene.post(payments=payments)
    assert len(scene.rows()) == 1


# --- what ConnectWise makes of a payment -------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize("lock", ["close_invoice", "batch_invoice"])
def test_a_locked_invoice_refuses(scene: Scene, status: int, lock: str) -> None:
    scene.world.engine.switches.locked_invoice_status = status  # type: ignore[assignment]
    scene.world.engine.switches.locked_invoice_payments = "refused"
    scene.world.engine.switches.batched_invoice_payments = "refused"
    if lock == "batch_invoice":
        scene.world.engine.people.close_invoice(scene.invoice_id)
    getattr(scene.world.engine.people, lock)(scene.invoice_id)
    with pytest.raises((RefusedError, PermissionMissingError)):
        scene.post()
    assert scene.rows() == []


def test_a_batched_invoice_takes_payments_and_gives_them_back(scene: Scene) -> None:
    scene.world.engine.people.close_invoice(scene.invoice_id)
    scene.world.engine.people.batch_invoice(scene.invoice_id)
    psa_payment_id = scene.post()
    scene.payments.delete_payment(scene.invoice_id, psa_payment_id)
    assert scene.rows() == []


def test_a_lock_that_is_answered_as_a_conflict_is_unknown(scene: Scene) -> None:
    scene.world.engine.switches.locked_invoice_payments = "refused"
    scene.world.engine.switches.locked_invoice_status = 409
    scene.world.engine.people.close_invoice(scene.invoice_id)
    with pytest.raises(OutcomeUnknownError):
        scene.post()


def test_an_overpayment_that_is_accepted_is_posted_whole(scene: Scene) -> None:
    scene.world.engine.switches.overpayment = "accepted"
    scene.post(12000)
    assert scene.payments.read_balance(scene.invoice_id).balance_minor == -1000


def test_an_overpayment_that_is_capped_says_so(scene: Scene) -> None:
    scene.world.engine.switches.overpayment = "capped"
    posted = scene.payments.post_payment(
        scene.invoice_id, amount_minor=12000, currency=USD, paid_on=PAID_ON
    )
    (listed,) = scene.payments.list_payments(scene.invoice_id, USD)
    assert (listed.psa_payment_id, listed.amount_minor) == (posted.psa_payment_id, 11000)
    assert posted.amount_minor == 11000


@pytest.mark.parametrize("more", [{}, {"amount": "x"}, {"amount": 1.005}, {"paymentDate": "x"}])
def test_an_answer_that_does_not_say_the_amount_leaves_it_open(
    scene: Scene, more: dict[str, object]
) -> None:
    payments = scene.through(answering(201, {"id": 7, **more}))
    posted = payments.post_payment(
        scene.invoice_id, amount_minor=12000, currency=USD, paid_on=PAID_ON
    )
    assert posted == PostedPayment(7, None)


def test_an_overpayment_that_is_refused_is_a_sure_refusal(scene: Scene) -> None:
    scene.world.engine.switches.overpayment = "refused"
    with pytest.raises(RefusedError) as refused:
        scene.post(12000)
    assert refused.value.fields == ("amount",)


def test_a_second_payment_may_stand_beside_the_first(scene: Scene) -> None:
    first, second = scene.post(1000), scene.post(1000)
    listed = scene.payments.list_payments(scene.invoice_id, USD)
    assert [payment.psa_payment_id for payment in listed] == [first, second]


def test_a_second_payment_may_replace_the_first(scene: Scene) -> None:
    scene.world.engine.switches.second_payment = "replaces"
    scene.post(1000)
    second = scene.post(2000)
    (listed,) = scene.payments.list_payments(scene.invoice_id, USD)
    assert listed.psa_payment_id == second


def test_a_second_payment_may_be_refused(scene: Scene) -> None:
    scene.world.engine.switches.second_payment = "refused"
    scene.post(1000)
    with pytest.raises(RefusedError):
        scene.post(2000)


def test_a_payment_date_that_keeps_its_time_reads_as_the_same_day(scene: Scene) -> None:
    scene.world.engine.switches.payment_date_keeps_time = True
    scene.post()
    (listed,) = scene.payments.list_payments(scene.invoice_id, USD)
    assert listed.paid_on == PAID_ON


@pytest.mark.parametrize(("shift", "day"), [(-1, 19), (0, 20), (1, 21)])
@pytest.mark.parametrize("keeps_time", [False, True])
def test_the_day_of_a_payment_is_the_one_that_is_listed(
    scene: Scene, shift: int, day: int, keeps_time: bool
) -> None:
    scene.world.engine.switches.payment_day_shift = shift  # type: ignore[assignment]
    scene.world.engine.switches.payment_date_keeps_time = keeps_time
    scene.post()
    (listed,) = scene.payments.list_payments(scene.invoice_id, USD)
    assert listed.paid_on == date(2026, 2, day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-02-19T23:00:00Z", 19),
        ("2026-02-20T05:00:00Z", 20),
        ("2026-02-20T00:00:00+13:00", 20),
        ("2026-02-19T23:59:59.999Z", 19),
        ("2026-02-20", 20),
    ],
)
def test_a_day_is_read_by_its_date_alone(scene: Scene, text: str, day: int) -> None:
    corrupt(scene, Kind.PAYMENT, scene.post(), {"paymentDate": text})
    (listed,) = scene.payments.list_payments(scene.invoice_id, USD)
    assert listed.paid_on == date(2026, 2, day)


@pytest.mark.parametrize(
    ("shows", "posted_as", "listed_as"),
    [("not_in_lists", "AltPayBridge", ""), ("never", "", "")],
)
def test_a_member_that_is_not_shown_is_nobody(
    scene: Scene, shows: str, posted_as: str, listed_as: str
) -> None:
    scene.world.engine.switches.payment_shows_member = shows  # type: ignore[assignment]
    posted = scene.payments.post_payment(
        scene.invoice_id, amount_minor=5000, currency=USD, paid_on=PAID_ON
    )
    (listed,) = scene.payments.list_payments(scene.invoice_id, USD)
    assert (posted.applied_by, listed.applied_by) == (posted_as, listed_as)


def test_a_list_may_lag_behind_the_balance(scene: Scene) -> None:
    scene.world.engine.switches.payment_list_delay_seconds = 30
    psa_payment_id = scene.post()
    assert scene.payments.read_balance(scene.invoice_id).balance_minor == 6000
    assert scene.payments.list_payments(scene.invoice_id, USD) == ()
    scene.world.engine_clock.advance(30)
    (listed,) = scene.payments.list_payments(scene.invoice_id, USD)
    assert listed.psa_payment_id == psa_payment_id


def test_payments_are_listed_by_id_even_where_ids_do_not_grow(scene: Scene) -> None:
    scene.world.engine.switches.payment_ids = "shuffled"
    posted = [scene.post(100) for _ in range(20)]
    listed = scene.payments.list_payments(scene.invoice_id, USD)
    assert [payment.psa_payment_id for payment in listed] == sorted(posted) != posted


# --- deleting ----------------------------------------------------------------------------------


def test_exactly_the_named_payment_is_deleted(scene: Scene) -> None:
    kept, gone = scene.post(1000), scene.post(1000)
    payments = scene.payments
    payments.delete_payment(scene.invoice_id, gone)
    assert [row["id"] for row in scene.rows()] == [kept]
    assert payments.calls == {"DELETE /finance/invoices/{id}/payments/{payment_id}": 1}


def test_a_payment_that_is_not_there_is_not_found(scene: Scene) -> None:
    with pytest.raises(NotFoundError):
        scene.payments.delete_payment(scene.invoice_id, 5)


def test_a_deletion_that_a_proxy_sends_twice_is_not_found(scene: Scene) -> None:
    psa_payment_id = scene.post()
    scene.fault(ChangeEffect.SENT_TWICE, "DELETE")
    with pytest.raises(NotFoundError):
        scene.payments.delete_payment(scene.invoice_id, psa_payment_id)
    assert scene.rows() == []


def test_a_payment_of_another_invoice_is_not_touched(scene: Scene) -> None:
    psa_payment_id = scene.post()
    other_id = scene.bill("10.00")
    with pytest.raises(NotFoundError):
        scene.payments.delete_payment(other_id, psa_payment_id)
    assert len(scene.rows()) == 1


def test_a_missing_endpoint_is_no_proof_that_the_payment_is_gone(scene: Scene) -> None:
    missing = {"code": "ConnectWiseApi", "message": "The endpoint does not exist."}
    with pytest.raises(RefusedError):
        scene.through(answering(404, missing)).delete_payment(scene.invoice_id, 5)


@pytest.mark.parametrize("effect", UNKNOWN_BEFORE)
def test_a_deletion_without_a_clear_answer_may_not_have_happened(
    scene: Scene, effect: Effect | ChangeEffect
) -> None:
    psa_payment_id = scene.post()
    scene.fault(effect, "DELETE")
    with pytest.raises(OutcomeUnknownError):
        scene.payments.delete_payment(scene.invoice_id, psa_payment_id)
    assert len(scene.rows()) == 1


@pytest.mark.parametrize("effect", [e for e in UNKNOWN_AFTER if e is not Effect.TRUNCATED_JSON])
def test_a_deletion_without_a_clear_answer_may_have_happened(
    scene: Scene, effect: Effect | ChangeEffect
) -> None:
    psa_payment_id = scene.post()
    scene.fault(effect, "DELETE")
    with pytest.raises(OutcomeUnknownError):
        scene.payments.delete_payment(scene.invoice_id, psa_payment_id)
    assert scene.rows() == []


def test_a_payment_of_a_closed_invoice_is_not_deleted(scene: Scene) -> None:
    psa_payment_id = scene.post()
    scene.world.engine.switches.locked_invoice_payments = "refused"
    scene.world.engine.people.close_invoice(scene.invoice_id)
    with pytest.raises(RefusedError):
        scene.payments.delete_payment(scene.invoice_id, psa_payment_id)
    assert len(scene.rows()) == 1


# --- the status --------------------------------------------------------------------------------


def test_the_status_of_an_open_invoice_is_set(scene: Scene) -> None:
    payments = scene.payments
    status_id = scene.status_id("Paid in Full")
    payments.set_status(scene.invoice_id, status_id, is_closed=False)
    assert scene.invoice()["status"]["id"] == status_id
    assert payments.calls == {"PATCH /finance/invoices/{id}": 1}


def test_the_status_of_a_closed_invoice_is_set_where_it_can_be(scene: Scene) -> None:
    scene.world.engine.people.close_invoice(scene.invoice_id)
    payments = scene.payments
    status_id = scene.status_id("Sent via Portal")
    payments.set_status(scene.invoice_id, status_id, is_closed=True)
    assert scene.invoice()["status"]["id"] == status_id
    assert payments.calls == {"PATCH /finance/closedInvoices/{id}": 1}


def test_the_way_of_closed_invoices_is_refused_for_an_open_one_and_the_other_way_round(
    scene: Scene,
) -> None:
    status_id = scene.status_id("Closed")
    with pytest.raises(RefusedError):
        scene.payments.set_status(scene.invoice_id, status_id, is_closed=True)
    scene.world.engine.people.close_invoice(scene.invoice_id)
    with pytest.raises(RefusedError):
        scene.payments.set_status(scene.invoice_id, status_id, is_closed=False)


def test_the_status_of_a_batched_invoice_is_refused(scene: Scene) -> None:
    scene.world.engine.people.close_invoice(scene.invoice_id)
    scene.world.engine.people.batch_invoice(scene.invoice_id)
    with pytest.raises(RefusedError):
        scene.payments.set_status(scene.invoice_id, scene.status_id("New"), is_closed=True)


def test_a_status_that_does_not_exist_is_refused(scene: Scene) -> None:
    with pytest.raises(RefusedError):
        scene.payments.set_status(scene.invoice_id, 999_999, is_closed=False)


def test_a_success_that_changed_nothing_is_a_refusal(scene: Scene) -> None:
    unchanged = {"id": scene.invoice_id, "status": {"id": 1, "name": "New"}}
    with pytest.raises(RefusedError) as refused:
        scene.through(answering(200, unchanged)).set_status(scene.invoice_id, 4, is_closed=False)
    assert refused.value.code == UNCHANGED


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": {"id": "4"}}])
def test_a_success_without_the_status_is_unknown(scene: Scene, body: object) -> None:
    with pytest.raises(OutcomeUnknownError):
        scene.through(answering(200, body)).set_status(scene.invoice_id, 4, is_closed=False)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{"])
def test_a_success_that_shows_no_invoice_is_unknown(scene: Scene, body: bytes) -> None:
    with pytest.raises(OutcomeUnknownError):
        scene.through(answering(200, body)).set_status(scene.invoice_id, 4, is_closed=False)


@pytest.mark.parametrize("effect", [*UNKNOWN_BEFORE, *UNKNOWN_AFTER])
def test_a_status_without_a_clear_answer_is_unknown(
    scene: Scene, effect: Effect | ChangeEffect
) -> None:
    scene.fault(effect, "PATCH")
    with pytest.raises(OutcomeUnknownError):
        scene.payments.set_status(scene.invoice_id, scene.status_id("Closed"), is_closed=False)


# --- reads through trouble ---------------------------------------------------------------------


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(
    "effect",
    [
        Effect.STATUS_429,
        Effect.STATUS_500,
        Effect.STATUS_502_HTML,
        Effect.STATUS_404_HTML,
        Effect.TEXT_400,
        Effect.TRUNCATED_JSON,
        Effect.CUT_BEFORE_EFFECT,
    ],
)
def test_reads_outlast_a_fault_that_passes(scene: Scene, read: Read, effect: Effect) -> None:
    scene.fault(effect, "GET", times=2, path_regex="finance")
    read(scene.payments, scene.invoice_id)


@pytest.mark.parametrize("read", READS)
def test_reads_name_a_missing_right(scene: Scene, read: Read) -> None:
    role = scene.world.engine.tenant.role
    role.set_cell("Finance", "Invoicing", Action.INQUIRE, "None")
    with pytest.raises(PermissionMissingError):
        read(scene.payments, scene.invoice_id)
