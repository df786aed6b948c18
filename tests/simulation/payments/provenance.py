"""Who made each payment in ConnectWise, and who changed or removed it, noted as it happens.

Nothing here asks the bridge. A payment that another tool wrote anew from one of ours counts as
ours still, because it stands for the same money; one that was edited before it was written anew
has nothing left by which anybody could know it, and counts as that tool's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bridge.ports import Clock
from connectwise_sandbox.clock import day_of
from connectwise_sandbox.engine import Engine
from connectwise_sandbox.finance.balances import true_balance
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.money import decimals_of
from connectwise_sandbox.people import OTHER_SYNC


@dataclass(frozen=True, slots=True)
class Place:
    """What a payment is known by, if two that are alike cannot be told apart."""

    invoice_source_id: int
    amount_minor: int
    paid_on: date


@dataclass(frozen=True, slots=True)
class Made:
    """Where and when somebody made a payment."""

    place: Place
    at: datetime


@dataclass(frozen=True, slots=True)
class Touch:
    """What we did last to the money of an invoice: made a payment, or removed one."""

    psa_payment_id: int
    at: datetime
    is_removal: bool


class Provenance:
    """``ours`` are the live payments that our posts made, by id, with the place they were made
    for; ``others`` those of everybody else, as they left them, and ``by_programs`` those of them
    that another program posted as our API member. ``landed`` is called with each payment that a
    post of ours made, ``misdeed`` with a rule and what broke it. ``is_taken_for_ours`` tells
    whether nothing tells a payment of a program from one that a post of ours may have made.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        landed: Callable[[int, Place], None],
        misdeed: Callable[[str, str], None],
        is_taken_for_ours: Callable[[int], bool],
    ) -> None:
        self._tenant = engine.tenant
        self._clock = clock
        self._landed = landed
        self._misdeed = misdeed
        self._is_taken_for_ours = is_taken_for_ours
        self._rewritten: list[Place | None] = []
        self.ours: dict[int, Place] = {}
        self.landed_at: dict[int, datetime] = {}
        self.others: dict[int, Record] = {
            row["id"]: row for row in self._tenant.store[Kind.PAYMENT]
        }
        self.by_programs: dict[int, Made] = {}
        self._is_program = False
        self.edited: set[int] = set()
        self.posted = 0
        self.deleted = 0
        self.disturbed_at: dict[int, datetime] = {}
        """When somebody else last changed an invoice, or what is owed on it."""
        self.last_touch: dict[int, Touch] = {}
        self.set_by_us: defaultdict[int, set[int]] = defaultdict(set)
        self.left_by_others: defaultdict[int, set[int]] = defaultdict(set)
        """The billing statuses, by their ids, that an invoice was ever given by us, or by others
        and at its beginning."""
        self._watch("add", self._added)
        self._watch("change", self._changed)
        self._watch("remove", self._removed)

    @property
    def member(self) -> str:
        return self._tenant.identity.member_identifier

    @contextmanager
    def another_program(self) -> Iterator[None]:
        """What our API member does meanwhile, another program does with its keys."""
        self._is_program = True
        try:
            yield
        finally:
            self._is_program = False

    def is_ours(self, by: str) -> bool:
        """Tell whether the bridge makes a change that is made in this name."""
        return by == self.member and not self._is_program

    def place_of(self, row: Record) -> Place:
        invoice_source_id = row["invoice"]["id"]
        amount_minor = self.minor(invoice_source_id, row["amount"])
        return Place(invoice_source_id, amount_minor, day_of(row["paymentDate"]))

    def minor(self, invoice_source_id: int, amount: Decimal) -> int:
        """Return an amount of an invoice in minor units."""
        invoice = self._tenant.store[Kind.INVOICE].get(invoice_source_id) or {}
        return int(Decimal(amount).scaleb(decimals_of(invoice.get("currency"))))

    def is_overpaid(self, invoice_source_id: int) -> bool:
        """Tell whether more was paid on an invoice than it is worth."""
        invoice = self._tenant.store[Kind.INVOICE].get(invoice_source_id)
        return invoice is not None and true_balance(self._tenant, invoice) < 0

    def _watch(self, name: str, note: Callable[..., None]) -> None:
        """Have ``note`` called after each call of a tenant's method, with what it returned."""
        method: Callable[..., Any] = getattr(self._tenant, name)

        def with_lasting_reason(kind: Kind, record: Any, by: str, **named: Any) -> Any:
            if kind is Kind.INVOICE and name == "change":
                self._invoice_changes(record, by)
            answer = method(kind, record, by, **named)
            if kind is Kind.PAYMENT:
                note(record if answer is None else answer, by)
            return answer

        vars(self._tenant)[name] = with_lasting_reason

    def _invoice_changes(self, after: Record, by: str) -> None:
        """Note whose the change is, and whose the status that the invoice gets."""
        invoice_source_id = after["id"]
        before = self._tenant.store[Kind.INVOICE].get(invoice_source_id) or after
        is_ours = self.is_ours(by)
        if not is_ours:
            self.disturbed_at[invoice_source_id] = self._clock.now()
        status_id = after["status"]["id"]
        if status_id != before["status"]["id"]:
            if not self.set_by_us[invoice_source_id]:
                self.left_by_others[invoice_source_id].add(before["status"]["id"])
            given = self.set_by_us if is_ours else self.left_by_others
            given[invoice_source_id].add(status_id)

    def _added(self, row: Record, by: str) -> None:
        place = self.place_of(row)
        if self.is_ours(by):
            self.posted += 1
            self.ours[row["id"]] = place
            self.landed_at[row["id"]] = self._clock.now()
            self._touched(row["id"], place, is_removal=False)
            self._landed(row["id"], place)
            return
        if by == self.member:
            self.by_programs[row["id"]] = Made(place, self._clock.now())
        self.disturbed_at[place.invoice_source_id] = self._clock.now()
        origin = self._rewritten.pop(0) if by == OTHER_SYNC and self._rewritten else None
        if origin:
            self.ours[row["id"]] = origin
        else:
            self.others[row["id"]] = row

    def _touched(self, payment_id: int, place: Place, *, is_removal: bool) -> None:
        touch = Touch(payment_id, self._clock.now(), is_removal)
        self.last_touch[place.invoice_source_id] = touch

    def _changed(self, row: Record, by: str) -> None:
        if self.is_ours(by):
            self._misdeed("R2", f"the bridge changed payment {row['id']}")
        elif row["id"] in self.others:
            self.others[row["id"]] = row
        else:
            self.edited.add(row["id"])

    def _removed(self, payment_id: int, by: str) -> None:
        place, other = self.ours.pop(payment_id, None), self.others.pop(payment_id, None)
        if by == OTHER_SYNC:
            self._rewritten.append(None if payment_id in self.edited else place)
        if not self.is_ours(by):
            return
        self.deleted += 1
        if place is not None:
            self._touched(payment_id, place, is_removal=True)
        is_replaced = self._tenant.switches.second_payment == "replaces"
        if other is not None and not is_replaced and not self._is_taken_for_ours(payment_id):
            self._misdeed("R2", f"the bridge deleted payment {payment_id}, made by another")
