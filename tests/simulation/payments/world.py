"""A world with a platform that collects payments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from bridge.domain.platform_payment import WriteBackPolicy
from bridge.domain.write_back import WriteBack, WriteBackState
from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.kinds import Kind
from tests.fakes.ledger import InMemoryLedgerStore
from tests.simulation.functions import WRITE_BACK_SECONDS
from tests.simulation.payments.provenance import Place, Provenance
from tests.simulation.world import CONNECTION_ID, World

HOURS_UNTIL_ALL_WERE_ASKED = 26
_MAYBE_IN_FLIGHT = (WriteBackState.POSTING, WriteBackState.UNCLEAR)


@dataclass(slots=True)
class Preference:
    """A policy, and when it may have held at most; ``until`` None means up to now."""

    policy: WriteBackPolicy
    since: datetime
    until: datetime | None = None


def place_of(write_back: WriteBack) -> Place:
    """Return what the payment of a write-back is known by in ConnectWise."""
    return Place(write_back.invoice_source_id, write_back.amount_minor, write_back.paid_on)


class PaymentWorld(World):
    """Beside the sync: who made which payment, and what the partner prefers.

    ``paid_status`` is the name of the billing status that the partner has chosen, if any.
    ``decided`` tells, by write-back, what became of it while a person said that it is done or
    called it off.
    """

    def __init__(
        self, seed: int, *, policy: WriteBackPolicy, paid_status: str | None, **parts: Any
    ) -> None:
        super().__init__(seed, **parts)
        self.provenance = Provenance(
            self.engine, self.clock, landed=self._check_landing, misdeed=self.violate
        )
        self.decided: defaultdict[str, list[WriteBack]] = defaultdict(list)
        status_id = self.status_id(paid_status) if paid_status else None
        stored = self.outside.connections.get(CONNECTION_ID)
        assert stored.value is not None
        chosen = replace(stored.value, write_back=replace(policy, paid_status_id=status_id))
        self.outside.connections.save(chosen, expected_version=stored.version)
        self._preferences = [Preference(chosen.write_back, self.clock.now())]

    @property
    def ledger(self) -> InMemoryLedgerStore:
        """The ledger itself: looking at it is no port call."""
        return cast(InMemoryLedgerStore, self.outside.ledger)

    @property
    def calm_hours(self) -> float:
        """Where payments leave no trace on their invoice, a day: at some hour of it ConnectWise is
        asked about each invoice."""
        touches = self.engine.switches.payment_touches_last_updated
        return super().calm_hours if touches else HOURS_UNTIL_ALL_WERE_ASKED

    def is_watched(self, invoice_source_id: int) -> bool:
        """Tell whether it is seen when a payment of an invoice takes the place of one like it."""
        if self.engine.switches.payment_touches_last_updated:
            return True
        found = self.ledger.write_backs_of_invoice(CONNECTION_ID, invoice_source_id)
        return any(each.was_ever_stated for each in found)

    def write_backs(self) -> list[WriteBack]:
        found: list[WriteBack] = []
        cursor = None
        while True:
            page = self.ledger.list_write_backs(CONNECTION_ID, limit=100, cursor=cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                return found

    def write_backs_at(self, place: Place) -> list[WriteBack]:
        """Return the write-backs that a payment at this place may be for."""
        found = self.ledger.write_backs_of_invoice(CONNECTION_ID, place.invoice_source_id)
        return [each for each in found if place_of(each) == place]

    def note_decision(self, write_back_id: str, *, since_version: int) -> None:
        """Note what a person's decision made of a write-back. A call that failed may have taken
        effect all the same: the ledger tells."""
        found = self.ledger.write_back_history(CONNECTION_ID, write_back_id, limit=100)
        self.decided[write_back_id] += [e.value for e in found if e.version > since_version]

    def note_preference(self, since: datetime) -> None:
        """Note the policy as it is stored, if somebody has changed it since that moment."""
        policy, last = self.connection.write_back, self._preferences[-1]
        if policy != last.policy:
            last.until = self.clock.now()
            self._preferences.append(Preference(policy, since))

    def policies_between(self, first: datetime, last: datetime) -> list[WriteBackPolicy]:
        """Return what the partner may have preferred at some moment of that time."""
        return [
            each.policy
            for each in self._preferences
            if each.since <= last and (each.until is None or each.until >= first)
        ]

    def owners(self) -> Mapping[int, str]:
        """Return who owns each payment in ConnectWise, as far as somebody does."""
        rows = self.engine.tenant.store[Kind.PAYMENT]
        return self.ledger.owners(CONNECTION_ID, [row["id"] for row in rows])

    def surplus_of(self, invoice_source_id: int) -> list[int]:
        """Return the payments by our API member, of an invoice, that are nobody's."""
        owners = self.owners()
        return [
            row["id"]
            for row in payments_of(self.engine.tenant, invoice_source_id)
            if row["appliedBy"] == self.provenance.member and "credit" not in row
            if row["id"] not in owners
        ]

    def status_id(self, name: str) -> int:
        statuses = self.engine.tenant.store[Kind.BILLING_STATUS]
        return int(next(status["id"] for status in statuses if status["name"] == name))

    # --- what must hold at every moment ----------------------------------------------------------

    def _check_landing(self, payment_id: int, place: Place) -> None:
        """R1: one payment for each allocation, at any time, whatever became of it since."""
        self.note(f"{'  ' * self.depth}      payment {payment_id} stands: {place}")
        place = self._uncapped(payment_id, place)
        standing = sum(each == place for each in self.provenance.ours.values())
        asked_for = [
            each
            for each in self.write_backs_at(place)
            if each.was_ever_stated or each.psa_payment_id is not None
            if each.state is not WriteBackState.REVERSED
        ]
        if standing > len(asked_for):
            self.violate("R1 never twice", f"{standing} stand for {len(asked_for)} at {place}")
        self._check_balance(place, asked_for)

    def _uncapped(self, payment_id: int, place: Place) -> Place:
        """ConnectWise may have cut a payment down to what was owed; find what it was meant as."""
        is_under_way = any(each.state in _MAYBE_IN_FLIGHT for each in self.write_backs_at(place))
        if self.engine.switches.overpayment != "capped" or is_under_way:
            return place
        found = self.ledger.write_backs_of_invoice(CONNECTION_ID, place.invoice_source_id)
        for each in found:
            meant = place_of(each)
            if each.state in _MAYBE_IN_FLIGHT and meant.amount_minor > place.amount_minor:
                self.provenance.ours[payment_id] = meant
                return meant
        return place

    def _check_balance(self, place: Place, asked_for: list[WriteBack]) -> None:
        """What was owed covered the payment when it was asked for, and only we took from it."""
        invoice_source_id = place.invoice_source_id
        if self.engine.switches.balance_delay_seconds:
            return
        asked_at = [each.intent_at for each in asked_for if each.state in _MAYBE_IN_FLIGHT]
        began_at = min((at for at in asked_at if at), default=None)
        disturbed_at = self.provenance.disturbed_at.get(invoice_source_id)
        if began_at is None or not self.provenance.is_overpaid(invoice_source_id):
            return
        looked_at = began_at - timedelta(seconds=WRITE_BACK_SECONDS)
        if disturbed_at is None or disturbed_at < looked_at:
            self.violate("only what is owed", f"invoice {invoice_source_id} is overpaid by us")
