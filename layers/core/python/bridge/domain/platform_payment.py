"""The state of a payment collected on the platform decides its target in ConnectWise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from bridge.domain.errors import InvalidInputError, NotPossibleError
from bridge.domain.identity import parse_mirrored_id
from bridge.domain.money import Currency

MAX_WRITTEN_TOGETHER = 100
"""The ledger writes so many items at once at most: a transaction of DynamoDB holds as many."""
ITEMS_OF_A_RECORD = 2
"""A payment and a write-back are each written with an entry of their history."""
MAX_ALLOCATIONS = MAX_WRITTEN_TOGETHER // ITEMS_OF_A_RECORD - 1
"""A payment is written together with one write-back for each allocation."""


class PlatformPaymentState(StrEnum):
    """Where the money is. ``returned`` is a bank's doing, ``refunded`` the partner's,
    ``charged_back`` the payer's; ``voided`` means it was called off before it settled."""

    PENDING = "pending"
    SETTLED = "settled"
    FAILED = "failed"
    RETURNED = "returned"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"
    VOIDED = "voided"


_S = PlatformPaymentState
_NEXT: dict[PlatformPaymentState, frozenset[PlatformPaymentState]] = {
    _S.PENDING: frozenset({_S.SETTLED, _S.FAILED, _S.RETURNED, _S.VOIDED}),
    _S.SETTLED: frozenset({_S.RETURNED, _S.REFUNDED, _S.CHARGED_BACK}),
}
UNDONE_STATES = frozenset({_S.RETURNED, _S.REFUNDED, _S.CHARGED_BACK, _S.VOIDED})


class WriteBackWhen(StrEnum):
    """When a payment is written into ConnectWise."""

    INITIATED = "initiated"
    SETTLED = "settled"


class Target(StrEnum):
    """What ConnectWise should show for one allocation.

    ``none``: nothing yet. ``posted``: the payment. ``absent``: no payment of ours any more.
    """

    NONE = "none"
    POSTED = "posted"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class WriteBackPolicy:
    """A policy holds a partner's preferences. ``paid_status_id`` is the billing status, of the
    tenant's own list, to set when an invoice's balance reaches zero; None leaves the status alone.

    ``reverse_on`` are the ways of being undone that take the payment out of ConnectWise again; a
    failed or voided payment always goes.
    """

    when: WriteBackWhen = WriteBackWhen.SETTLED
    paid_status_id: int | None = None
    reverse_on: frozenset[PlatformPaymentState] = UNDONE_STATES

    def target(self, state: PlatformPaymentState) -> Target:
        """Return the target of a payment in this state."""
        if state is _S.PENDING:
            return Target.POSTED if self.when is WriteBackWhen.INITIATED else Target.NONE
        if state is _S.SETTLED:
            return Target.POSTED
        must_go = state in (_S.FAILED, _S.VOIDED) or state in self.reverse_on
        return Target.ABSENT if must_go else Target.POSTED


@dataclass(frozen=True, slots=True)
class Allocation:
    """One invoice gets this part of a payment, in minor units of the payment's currency."""

    invoice_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PlatformPayment:
    """A payment is as the platform's services recorded it; ``payment_id`` is the caller's own.

    ``fee_minor`` is a surcharge or fee carried beside the amount; it stays out of every invoice and
    of ConnectWise. ``received_on`` is a calendar date. ``is_unapplied_meant`` says
    that the part outside every invoice is left so on purpose.
    """

    payment_id: str
    partner_id: str
    customer_id: str
    amount_minor: int
    currency: Currency
    method: str
    received_on: date
    allocations: tuple[Allocation, ...]
    state: PlatformPaymentState
    recorded_at: datetime
    fee_minor: int = 0
    reference: str = ""
    state_reason: str = ""
    state_changed_at: datetime | None = field(default=None)
    is_unapplied_meant: bool = False

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise InvalidInputError("a payment is more than nothing", field="amount_minor")
        if not 1 <= len(self.allocations) <= MAX_ALLOCATIONS:
            raise InvalidInputError(
                f"a payment has 1 to {MAX_ALLOCATIONS} allocations", field="allocations"
            )
        if any(allocation.amount_minor <= 0 for allocation in self.allocations):
            raise InvalidInputError("an allocation is more than nothing", field="allocations")
        if len({allocation.invoice_id for allocation in self.allocations}) < len(self.allocations):
            raise InvalidInputError("an invoice appears once", field="allocations")
        if self.allocated_minor > self.amount_minor:
            raise InvalidInputError("the allocations exceed the amount", field="allocations")

    @property
    def connection_id(self) -> str | None:
        """Return the connection of its invoices, None for invoices made on the platform."""
        invoice = parse_mirrored_id(self.allocations[0].invoice_id)
        return invoice.connection_id if invoice else None

    @property
    def allocated_minor(self) -> int:
        return sum(allocation.amount_minor for allocation in self.allocations)

    @property
    def unapplied_minor(self) -> int:
        """Return the part of the money that lies outside every invoice."""
        return 0 if self.is_over else self.amount_minor - self.allocated_minor

    @property
    def is_over(self) -> bool:
        """The money failed to come, or went back."""
        return self.state is _S.FAILED or self.state in UNDONE_STATES

    def is_like(self, other: PlatformPayment) -> bool:
        """Tell whether two payments with different ids may be one that was recorded twice."""
        return self.payment_id != other.payment_id and self._likeness == other._likeness

    @property
    def _likeness(self) -> tuple[object, ...]:
        invoices = frozenset(allocation.invoice_id for allocation in self.allocations)
        money = (self.amount_minor, self.currency, self.method, self.received_on)
        return self.partner_id, self.customer_id, invoices, *money

    def has_same_content(self, other: PlatformPayment) -> bool:
        """Tell whether two recordings say the same, in any state of the payment since."""
        return (
            replace(
                self,
                state=other.state,
                recorded_at=other.recorded_at,
                state_reason=other.state_reason,
                state_changed_at=other.state_changed_at,
                is_unapplied_meant=other.is_unapplied_meant,
            )
            == other
        )

    def moved_to(
        self, state: PlatformPaymentState, *, reason: str, now: datetime
    ) -> PlatformPayment:
        """Return the payment in its next state; the same state again leaves it as it is.

        Raises NotPossibleError when the way there is missing.
        """
        if state is self.state:
            return self
        if state not in _NEXT.get(self.state, frozenset()):
            raise NotPossibleError(
                "payment_state", f"a {self.state.value} payment cannot become {state.value}"
            )
        return replace(self, state=state, state_reason=reason, state_changed_at=now)
