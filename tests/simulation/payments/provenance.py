"""Who made each payment in ConnectWise, and who changed or removed it, noted as it happens.

Nothing here asks the bridge. A payment that another tool wrote anew from one of ours counts as
ours still, because it stands for the same money; one that was edited before it was written anew
has nothing left by which anybody could know it, and counts as that tool's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bridge.ports import Clock
from infra.local.connectwise_sandbox.clock import day_of
from infra.local.connectwise_sandbox.engine import Engine
from infra.local.connectwise_sandbox.finance.balances import true_balance
from infra.local.connectwise_sandbox.kinds import Kind, Record
from infra.local.connectwise_sandbox.money import decimals_of
from infra.local.connectwise_sandbox.people import OTHER_SYNC


@dataclass(frozen=True, slots=True)
class Place:
    """What a payment is known by, if two that are alike cannot be told apart."""

    invoice_source_id: int
    amount_minor: int
    paid_on: date


class Provenance:
    """``ours`` are the live payments that our posts made, by id, with the place they were made
    for; ``others`` those of everybody else, as they left them. ``landed`` is called with each
    payment that a post of ours made, ``misdeed`` with a rule and what broke it.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        *,
        landed: Callable[[int, Place], None],
        misdeed: Callable[[str, str], None],
    ) -> None:
        self._tenant = engine.tenant
        self._clock = clock
        self._landed = landed
        self._misdeed = misdeed
        self._rewritten: list[Place | None] = []
        self.ours: dict[int, Place] = {}
        self.others: dict[int, Record] = {
            row["id"]: row for row in self._tenant.store[Kind.PAYMENT]
        }
        self.edited: set[int] = set()
        self.posted = 0
        self.deleted = 0
        self.disturbed_at: dict[int, datetime] = {}
        """When somebody else last changed what is owed on an invoice."""
        self._watch("add", self._added)
        self._watch("change", self._changed)
        self._watch("remove", self._removed)

    @property
    def member(self) -> str:
        return self._tenant.identity.member_identifier

    def place_of(self, row: Record) -> Place:
        invoice = self._tenant.store[Kind.INVOICE].get(row["invoice"]["id"]) or {}
        decimals = decimals_of(invoice.get("currency"))
        amount = Decimal(row["amount"]).scaleb(decimals)
        return Place(row["invoice"]["id"], int(amount), day_of(row["paymentDate"]))

    def is_overpaid(self, invoice_source_id: int) -> bool:
        """Tell whether more was paid on an invoice than it is worth."""
        invoice = self._tenant.store[Kind.INVOICE].get(invoice_source_id)
        return invoice is not None and true_balance(self._tenant, invoice) < 0

    def _watch(self, name: str, note: Callable[..., None]) -> None:
        """Have ``note`` called after each call of a tenant's method, with what it returned."""
        method: Callable[..., Any] = getattr(self._tenant, name)

        def noted(kind: Kind, record: Any, by: str, **named: Any) -> Any:
            answer = method(kind, record, by, **named)
            if kind is Kind.PAYMENT:
                note(record if answer is None else answer, by)
            elif kind is Kind.INVOICE and by != self.member and name == "change":
                self.disturbed_at[record["id"]] = self._clock.now()
            return answer

        vars(self._tenant)[name] = noted

    def _added(self, row: Record, by: str) -> None:
        place = self.place_of(row)
        if by == self.member:
            self.posted += 1
            self.ours[row["id"]] = place
            self._landed(row["id"], place)
            return
        self.disturbed_at[place.invoice_source_id] = self._clock.now()
        origin = self._rewritten.pop(0) if by == OTHER_SYNC and self._rewritten else None
        if origin:
            self.ours[row["id"]] = origin
        else:
            self.others[row["id"]] = row

    def _changed(self, row: Record, by: str) -> None:
        if by == self.member:
            self._misdeed("R2", f"the bridge changed payment {row['id']}")
        elif row["id"] in self.others:
            self.others[row["id"]] = row
        else:
            self.edited.add(row["id"])

    def _removed(self, payment_id: int, by: str) -> None:
        place, other = self.ours.pop(payment_id, None), self.others.pop(payment_id, None)
        if by == OTHER_SYNC:
            self._rewritten.append(None if payment_id in self.edited else place)
        if by != self.member:
            return
        self.deleted += 1
        if other is not None and self._tenant.switches.second_payment != "replaces":
            self._misdeed("R2", f"the bridge deleted payment {payment_id}, made by another")
