"""The month end follows the money of some days into ConnectWise."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from bridge.domain.connection import Connection
from bridge.domain.identity import parse_mirrored_id, write_back_id_of
from bridge.domain.money import Currency
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.run import Run, RunState
from bridge.domain.write_back import WriteBack, WriteBackState
from bridge.figures.collected import payments_received
from bridge.ports import LedgerStore, ProblemStore, RunStore

_STANDING = frozenset({WriteBackState.CONFIRMED, WriteBackState.DONE_BY_HAND})
"""The payment stands in ConnectWise."""


@dataclass(frozen=True, slots=True)
class MonthEndSum:
    """The payments of one currency; collected is posted, waiting and unapplied together."""

    currency: Currency
    payment_count: int = 0
    collected_minor: int = 0
    """The money that was received and stayed."""
    posted_minor: int = 0
    """The part of it that stands in ConnectWise."""
    not_posted_minor: int = 0
    """The part of it that is allocated and still missing there."""
    unapplied_minor: int = 0
    """The part of it beyond all allocations."""
    gone_back_minor: int = 0
    """The money that failed or went back."""
    gone_back_posted_minor: int = 0
    """The part of that which still stands in ConnectWise."""


@dataclass(frozen=True, slots=True)
class MonthEndFigures:
    """Some days of a connection close with these sums."""

    first: date
    last: date
    sums: tuple[MonthEndSum, ...]
    is_complete: bool
    """False: there are more payments than are summed, so that each sum is a least one."""
    open_problems: Mapping[str, int]
    """By code, of the connection; the newest 1,000 are counted."""
    comparison: Run | None
    """The latest one that came to an end."""

    @property
    def agrees(self) -> bool:
        """Tell whether both sides agree to the cent and all problems are closed."""
        return (
            self.is_complete
            and not self.open_problems
            and all(not each.not_posted_minor for each in self.sums)
            and all(not each.gone_back_posted_minor for each in self.sums)
            and self._comparison_agrees
        )

    @property
    def _comparison_agrees(self) -> bool:
        if self.comparison is None or self.comparison.state is not RunState.SUCCEEDED:
            return False
        found = (self.comparison.customers_comparison, self.comparison.invoices_comparison)
        return all(not each.differing.total for each in found)


class MonthEnd:
    """The month end reads payments with their write-backs, in batches."""

    def __init__(self, ledger: LedgerStore, problems: ProblemStore, runs: RunStore) -> None:
        self._ledger = ledger
        self._problems = problems
        self._runs = runs

    def read(self, connection: Connection, first: date, last: date) -> MonthEndFigures:
        """Return how the days from first to last, both inclusive, close for a connection."""
        scope = connection.partner_id, connection.connection_id
        found = payments_received(
            self._ledger, connection.partner_id, first, last, connection_id=scope[1]
        )
        write_backs = self._ledger.get_write_backs(scope[1], _write_back_ids(found.items))
        codes = Counter(
            each.code.value for each in self._problems.open_of_connection(*scope).values()
        )
        return MonthEndFigures(
            first=first,
            last=last,
            sums=sum_payments(found.items, write_backs),
            is_complete=found.is_complete,
            open_problems=dict(sorted(codes.items())),
            comparison=self._runs.latest_sweeps([scope[1]]).get(scope[1]),
        )


def sum_payments(
    payments: Iterable[PlatformPayment], write_backs: Mapping[str, WriteBack]
) -> tuple[MonthEndSum, ...]:
    """Return the sums by currency; ``write_backs`` are those of the payments, by id."""
    sums: dict[tuple[str, int], MonthEndSum] = {}
    posted: defaultdict[str, int] = defaultdict(int)
    for each in write_backs.values():
        if each.state in _STANDING:
            posted[each.payment_id] += each.amount_minor
    for payment in payments:
        money = payment.currency
        known = sums.get((money.code, money.decimals), MonthEndSum(money))
        added = _added(known, payment, posted[payment.payment_id])
        sums[money.code, money.decimals] = added
    return tuple(sums[money] for money in sorted(sums))


def _added(known: MonthEndSum, payment: PlatformPayment, posted_minor: int) -> MonthEndSum:
    known = replace(known, payment_count=known.payment_count + 1)
    if payment.is_over:
        return replace(
            known,
            gone_back_minor=known.gone_back_minor + payment.amount_minor,
            gone_back_posted_minor=known.gone_back_posted_minor + posted_minor,
        )
    return replace(
        known,
        collected_minor=known.collected_minor + payment.amount_minor,
        posted_minor=known.posted_minor + posted_minor,
        not_posted_minor=known.not_posted_minor + payment.allocated_minor - posted_minor,
        unapplied_minor=known.unapplied_minor + payment.unapplied_minor,
    )


def _write_back_ids(payments: Iterable[PlatformPayment]) -> frozenset[str]:
    invoices = (
        (payment.payment_id, parse_mirrored_id(part.invoice_id))
        for payment in payments
        for part in payment.allocations
    )
    return frozenset(
        write_back_id_of(each, invoice.source_id) for each, invoice in invoices if invoice
    )
