"""The platform's services: they collect payments, tell of each until it is taken, and move it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.domain.errors import PermanentError
from bridge.domain.identity import mirrored_id
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.platform_payment import Allocation, PlatformPayment, PlatformPaymentState
from bridge.payments.platform_payments import PaymentDetails
from connectwise_sandbox.kinds import Kind
from tests.simulation.parts import Actor
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.wiring import Wiring
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, World

API_TIMEOUT_SECONDS = 29.0
MAX_PAYMENTS = 40
_S = PlatformPaymentState
# How money's stories go, with how often; the first states are where a payment begins.
_BEGINNINGS = (_S.PENDING, _S.SETTLED, _S.SETTLED)
_MOVES = {
    _S.PENDING: (_S.SETTLED, _S.SETTLED, _S.SETTLED, _S.FAILED, _S.VOIDED, _S.RETURNED),
    _S.SETTLED: (_S.RETURNED, _S.REFUNDED, _S.CHARGED_BACK),
}
_IMPOSSIBLE = {_S.FAILED: _S.SETTLED, _S.RETURNED: _S.SETTLED, _S.VOIDED: _S.REFUNDED}


@dataclass(frozen=True)
class Errand:
    """A call that a service repeats until it is answered: ``state`` None records the payment."""

    payment: PlatformPayment
    state: PlatformPaymentState | None = None


class PlatformServices(Actor):
    """``told`` is what the bridge has acknowledged: each payment and the state it was moved to."""

    name = "platform"

    def __init__(self, minutes_between_payments: float = 15.0) -> None:
        self._minutes_between_payments = minutes_between_payments
        self._next_at: datetime | None = None
        self._errands: list[Errand] = []
        self.told: dict[str, PlatformPayment] = {}

    def weight(self, world: World) -> float:
        if self._errands:
            return 2.0
        if world.is_calm:
            return 0.0
        return 2.0 if self._next_at is None or self._next_at <= world.clock.now() else 0.05

    def act(self, world: World) -> str:
        assert isinstance(world, PaymentWorld)
        if not self._errands:
            minutes = world.random.expovariate(1 / self._minutes_between_payments)
            self._next_at = world.clock.now() + timedelta(minutes=minutes)
            errand = self._think_of(world)
            if errand is None:
                return "nothing to do"
            self._errands.append(errand)
        return self._run(world, world.random.choice(self._errands))

    def tell(self, world: PaymentWorld, errand: Errand) -> str:
        """Make a call at once; it is repeated until it is answered well."""
        self._errands.append(errand)
        return self._run(world, errand)

    # --- what to do ------------------------------------------------------------------------------

    def _think_of(self, world: PaymentWorld) -> Errand | None:
        movable = [each for each in self.told.values() if each.state in _MOVES]
        is_new = not movable or world.random.random() < 0.6
        if is_new and len(self.told) < MAX_PAYMENTS:
            return self._collect(world)
        if not movable:
            return None
        payment = world.random.choice(movable)
        return Errand(payment, world.random.choice(_MOVES[payment.state]))

    def _collect(self, world: PaymentWorld) -> Errand | None:
        """A new payment; now and then one that is truly equal to another, or told again."""
        if self.told and world.random.random() < 0.35:
            known = world.random.choice(list(self.told.values()))
            if world.random.random() < 0.3:
                return Errand(known)
            again = {"payment_id": self._next_id(), "state": world.random.choice(_BEGINNINGS)}
            return Errand(replace(known, **again, recorded_at=world.clock.now()))  # type: ignore[arg-type]
        unpaid = open_invoices(world)
        if not unpaid:
            return None
        first = world.random.choice(unpaid)
        alike = [each for each in unpaid if each.currency == first.currency]
        count = world.random.choice((1, 1, 1, 2, 3))
        chosen = {
            each.invoice_id: each for each in [first, *world.random.sample(alike, len(alike))]
        }
        return Errand(self._payment(world, list(chosen.values())[:count]))

    def _payment(self, world: PaymentWorld, invoices: Sequence[Invoice]) -> PlatformPayment:
        parts = tuple(Allocation(each.invoice_id, _part_of(world, each)) for each in invoices)
        days = timedelta(days=world.random.choice((0, 0, 1)))
        unallocated = world.random.choice((0, 0, 0, 500))
        return PlatformPayment(
            payment_id=self._next_id(),
            partner_id=PARTNER_ID,
            customer_id=invoices[0].customer_id,
            amount_minor=sum(part.amount_minor for part in parts) + unallocated,
            currency=invoices[0].currency,
            method=world.random.choice(("card", "ach")),
            received_on=world.clock.now().date() - days,
            allocations=parts,
            state=world.random.choice(_BEGINNINGS),
            recorded_at=world.clock.now(),
            fee_minor=world.random.choice((0, 250)),
        )

    def _next_id(self) -> str:
        return f"pay-{len(self.told) + 1}"

    # --- doing it --------------------------------------------------------------------------------

    def _run(self, world: PaymentWorld, errand: Errand) -> str:
        def call(wiring: Wiring) -> PlatformPayment:
            return _carry_out(wiring, errand)

        invocation = world.invoke("dashboard_api", API_TIMEOUT_SECONDS, call)
        what = f"{errand.payment.payment_id} {errand.state.value if errand.state else 'recorded'}"
        if invocation.value is not None:
            self._forget(errand)
            self.told[invocation.value.payment_id] = invocation.value
            self._check_answer(world, errand, invocation.value)
            return what
        if isinstance(invocation.error, PermanentError):
            # Another errand was faster: what the services want next they decide anew.
            self._forget(errand)
        return f"{what}: not answered well"

    def _forget(self, errand: Errand) -> None:
        if errand in self._errands:
            self._errands.remove(errand)

    def _check_answer(self, world: PaymentWorld, errand: Errand, answer: PlatformPayment) -> None:
        """The answer is the payment as it was told, and the state that was asked for."""
        if not answer.has_same_content(errand.payment):
            world.violate("a payment is what was told", answer.payment_id)
        if errand.state not in (None, answer.state):
            world.violate("a payment moves as told", answer.payment_id)
        self._try_what_must_fail(world, answer)

    def _try_what_must_fail(self, world: PaymentWorld, payment: PlatformPayment) -> None:
        """Neither another payment under the same id nor an impossible move is taken."""
        other = replace(payment, method="cheque")
        attempts = [Errand(other)]
        if payment.state in _IMPOSSIBLE:
            attempts.append(Errand(payment, _IMPOSSIBLE[payment.state]))
        for errand in attempts:
            if world.random.random() < 0.1:
                self.expect_refusal(world, errand)

    def expect_refusal(self, world: PaymentWorld, errand: Errand) -> None:
        """Make a call that must not be taken."""

        def call(wiring: Wiring) -> PlatformPayment:
            return _carry_out(wiring, errand)

        if world.invoke("dashboard_api", API_TIMEOUT_SECONDS, call).has_succeeded:
            world.violate("what contradicts is refused", f"{errand}")


def _carry_out(wiring: Wiring, errand: Errand) -> PlatformPayment:
    payment, collected = errand.payment, wiring.platform_payments
    if errand.state is not None:
        return collected.move(CONNECTION_ID, payment.payment_id, errand.state, reason="simulated")
    details = PaymentDetails(
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        method=payment.method,
        received_on=payment.received_on,
        state=payment.state,
        allocations=payment.allocations,
        customer_id=payment.customer_id,
        fee_minor=payment.fee_minor,
        reference=payment.reference,
    )
    recorded, _ = collected.record(CONNECTION_ID, payment.payment_id, details)
    return recorded


def open_invoices(world: PaymentWorld) -> list[Invoice]:
    """Return what the mirror shows as open: the platform sees nothing else."""
    found = []
    for row in world.engine.tenant.store[Kind.INVOICE]:
        invoice_id = mirrored_id(CONNECTION_ID, row["id"])
        invoice = world.outside.records.get(INVOICES, PARTNER_ID, invoice_id).value
        if invoice and invoice.archive is None and invoice.balance_minor > 0:
            found.append(invoice)
    return found


def _part_of(world: PaymentWorld, invoice: Invoice) -> int:
    """Return all of what is owed, a part, an odd cent, or too much."""
    owed = invoice.balance_minor
    choices: tuple[Callable[[], int], ...] = (
        lambda: owed,
        lambda: owed,
        lambda: max(1, owed // 2),
        lambda: max(1, owed // 3),
        lambda: 1,
        lambda: owed + 100 if world.random.random() < 0.3 else owed,
    )
    return world.random.choice(choices)()
