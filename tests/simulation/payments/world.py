"""A world with a platform that collects payments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from unittest.mock import patch

from bridge.domain import payment_control
from bridge.domain.payment_control import PAYMENTS_AT_FIRST
from bridge.domain.platform_payment import WriteBackPolicy
from bridge.domain.problem import Action
from bridge.domain.write_back import WriteBack, WriteBackState
from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.kinds import Kind
from tests.simulation.functions import WRITE_BACK_SECONDS
from tests.simulation.payments.doubles import Doubles
from tests.simulation.payments.lagging_ledger import LaggingLedger
from tests.simulation.payments.provenance import Place, Provenance
from tests.simulation.world import CONNECTION_ID, MUTANT, World

HOURS_UNTIL_ALL_WERE_ASKED = 26
EXPECTED_FAULTS = (
    "unclear",
    "gateway",
    "busy",
    "request sent twice",
    "too late",
    "lie",
    "books",
    "wrong click",
    MUTANT,
)
"""After these the bridge goes on as promised; all other faults may hold it up."""
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
        self,
        seed: int,
        *,
        policy: WriteBackPolicy,
        paid_status: str | None,
        payments_at_first: int = PAYMENTS_AT_FIRST,
        **parts: Any,
    ) -> None:
        super().__init__(seed, **parts)
        self.payments_at_first = payments_at_first
        self.provenance = Provenance(
            self.engine,
            self.clock,
            landed=self._check_landing,
            misdeed=self.violate,
            is_taken_for_ours=self.is_taken_for_ours,
        )
        self.doubles = Doubles(self.clock)
        self.decided: defaultdict[str, list[WriteBack]] = defaultdict(list)
        self.clicks: dict[tuple[str, int], tuple[Action, WriteBack]] = {}
        """What a person clicked, by the write-back and the version that came of it, and on what."""
        self.troubled_at = self.clock.now()
        """When something last went wrong that may hold the bridge up."""
        status_id = self.status_id(paid_status) if paid_status else None
        stored = self.outside.connections.get(CONNECTION_ID)
        assert stored.value is not None
        chosen = replace(stored.value, write_back=replace(policy, paid_status_id=status_id))
        self.outside.connections.save(chosen, expected_version=stored.version)
        self._preferences = [Preference(chosen.write_back, self.clock.now())]

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """The brake trips early enough to be played."""
        at_first = patch.object(payment_control, "PAYMENTS_AT_FIRST", self.payments_at_first)
        with super().surroundings(), at_first:
            yield

    def make_ledger(self) -> LaggingLedger:
        return LaggingLedger(self.clock, lag_seconds=self.books.index_lag_seconds)

    @property
    def ledger(self) -> LaggingLedger:
        """The ledger itself: looking at it is no port call."""
        return cast(LaggingLedger, self.outside.ledger)

    def note_fault(self, name: str) -> None:
        super().note_fault(name)
        if not name.startswith(EXPECTED_FAULTS):
            self.note_trouble()

    def note_trouble(self) -> None:
        self.troubled_at = self.clock.now()

    @property
    def calm_hours(self) -> float:
        """Where payments leave no trace on their invoice, a day: at some hour of it ConnectWise is
        asked about each invoice."""
        touches = self.engine.switches.payment_touches_last_updated
        return super().calm_hours if touches else HOURS_UNTIL_ALL_WERE_ASKED

    @property
    def compared_within(self) -> timedelta:
        """Within which time an invoice is compared with the ledger: each hour with the mirror, and
        where that cannot know, each day with ConnectWise."""
        touches = self.engine.switches.payment_touches_last_updated
        return timedelta(hours=1.5 if touches else HOURS_UNTIL_ALL_WERE_ASKED - 1)

    @property
    def reads_lag_seconds(self) -> float:
        """How late anything that the bridge reads or dates may be, clocks included."""
        switches, books = self.engine.switches, self.books
        lags = switches.payment_list_delay_seconds, switches.balance_delay_seconds
        return max(lags) + 2 * books.worker_skew_seconds

    def is_watched(self, invoice_source_id: int) -> bool:
        """Tell whether it is seen when a payment of an invoice takes the place of one like it."""
        if self.engine.switches.payment_touches_last_updated:
            return True
        found = self.ledger.write_backs_of_invoice(CONNECTION_ID, invoice_source_id)
        return any(bool(each.known_history.attempts) for each in found)

    def write_backs(self) -> list[WriteBack]:
        return self.ledger.present_write_backs(CONNECTION_ID)

    def write_backs_at(self, place: Place) -> list[WriteBack]:
        """Return the write-backs that a payment at this place may be for."""
        found = self.ledger.write_backs_of_invoice(CONNECTION_ID, place.invoice_source_id)
        return [each for each in found if self.are_alike(place_of(each), place)]

    def are_alike(self, one: Place, other: Place) -> bool:
        """Tell whether the bridge may take payments at two places for each other: where ConnectWise
        shows days shifted, or a post more often than stated, it may be of a neighbouring day."""
        shift = abs(self.engine.switches.payment_day_shift)
        is_doubled = self.doubles.allowed_on(one.invoice_source_id) > 0
        most_days = 1 + shift if shift or is_doubled else 0
        are_of_one = one.invoice_source_id == other.invoice_source_id
        are_equal = are_of_one and one.amount_minor == other.amount_minor
        return are_equal and abs((one.paid_on - other.paid_on).days) <= most_days

    def note_decision(self, write_back_id: str, *, since_version: int) -> None:
        """Note what a person's decision made of a write-back. A call that failed may have taken
        effect all the same: the ledger tells."""
        found = self.ledger.write_back_history(CONNECTION_ID, write_back_id, limit=100)
        self.decided[write_back_id] += [e.value for e in found if e.version > since_version]

    def note_click(self, action: Action, write_back: WriteBack, version: int) -> None:
        """Note what was clicked, and which version of the write-back it made if it took effect."""
        self.clicks[write_back.write_back_id, version] = (action, write_back)

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
        return self.ledger.owners(self.connection.books, [row["id"] for row in rows])

    def surplus_of(self, invoice_source_id: int) -> list[int]:
        """Return the payments by our API member, of an invoice, that are nobody's."""
        owners = self.owners()
        return [
            row["id"]
            for row in payments_of(self.engine.tenant, invoice_source_id)
            if row["appliedBy"] == self.provenance.member and "credit" not in row
            if row["id"] not in owners
        ]

    def is_taken_for_ours(self, payment_id: int) -> bool:
        """Tell whether another program made a payment as our API member, of the amount and day of
        one of ours, while a post of that was unproven: nothing tells the two apart."""
        made = self.provenance.by_programs.get(payment_id)
        if made is None:
            return False
        margin = timedelta(seconds=WRITE_BACK_SECONDS + self.reads_lag_seconds)
        found = self.ledger.write_backs_of_invoice(CONNECTION_ID, made.place.invoice_source_id)
        alike = [each for each in found if self._is_near(place_of(each), made.place)]
        return any(self._was_unproven(each, made.at, margin) for each in alike)

    def _is_near(self, one: Place, other: Place) -> bool:
        """Tell whether two places have the same amount, and days that some zone sees as one."""
        most_days = 1 + abs(self.engine.switches.payment_day_shift)
        is_equal = one.amount_minor == other.amount_minor
        return is_equal and abs((one.paid_on - other.paid_on).days) <= most_days

    def _was_unproven(self, write_back: WriteBack, at: datetime, margin: timedelta) -> bool:
        """Tell whether a post was or became unproven about that time."""
        history = self.ledger.write_back_history(
            CONNECTION_ID, write_back.write_back_id, limit=100_000
        )
        replaced_at = None
        for entry in history:
            if replaced_at is not None and replaced_at < at:
                return False
            if any(post.stated_at - margin <= at for post in entry.value.unproven_posts):
                return True
            replaced_at = entry.recorded_at
        return False

    def status_id(self, name: str) -> int:
        statuses = self.engine.tenant.store[Kind.BILLING_STATUS]
        return int(next(status["id"] for status in statuses if status["name"] == name))

    # --- what must hold at every moment ----------------------------------------------------------

    def _check_landing(self, payment_id: int, place: Place) -> None:
        """R1: one payment for each allocation, at any time, whatever became of it since."""
        self.note(f"{'  ' * self.depth}      payment {payment_id} stands: {place}")
        place = self._uncapped(payment_id, place)
        standing = sum(self.are_alike(each, place) for each in self.provenance.ours.values())
        asked_for = [
            each
            for each in self.write_backs_at(place)
            if bool(each.known_history.attempts) or each.psa_payment_id is not None
            if each.state is not WriteBackState.REVERSED
        ]
        if standing > len(asked_for) + self.doubles_allowed(place):
            self.violate("R1 never twice", f"{standing} stand for {len(asked_for)} at {place}")
        self._check_balance(place, asked_for)

    def doubles_allowed(self, place: Place) -> int:
        """Return how many payments too many there may be: doubled ones, and others' in place of
        ours. A capped one has an odd amount."""
        taken = sum(
            self.are_alike(made.place, place) and self.is_taken_for_ours(payment_id)
            for payment_id, made in self.provenance.by_programs.items()
        )
        invoice_source_id = place.invoice_source_id
        if self.engine.switches.overpayment == "capped":
            return taken + self.doubles.allowed_on(invoice_source_id)
        return taken + self.doubles.allowed(invoice_source_id, place.amount_minor)

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
        if self.doubles.allowed_on(invoice_source_id):
            return
        asked_at = [each.intent_at for each in asked_for if each.state in _MAYBE_IN_FLIGHT]
        began_at = min((at for at in asked_at if at), default=None)
        disturbed_at = self.provenance.disturbed_at.get(invoice_source_id)
        if began_at is None or not self.provenance.is_overpaid(invoice_source_id):
            return
        looked_at = began_at - timedelta(seconds=WRITE_BACK_SECONDS + self.reads_lag_seconds)
        if disturbed_at is None or disturbed_at < looked_at:
            self.violate("only what is owed", f"invoice {invoice_source_id} is overpaid by us")
