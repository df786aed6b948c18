"""What is promised by a certain time is looked at as that time comes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.domain.connection import PaymentsStop
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import MAYBE_SENT_STATES, Reason, Timings, WriteBack
from bridge.domain.write_back.changes import LONGEST_WAIT
from bridge.payments.payment_matching import post_that_may_have_made
from bridge.payments.retry_rules import HEALING
from bridge.payments.write_back_problems import write_back_subject
from bridge.ports import PsaPayment
from tests.simulation.faults import LATEST_MESSAGE_MINUTES
from tests.simulation.parts import Invariant
from tests.simulation.payments.doubles import Double
from tests.simulation.payments.endings import has_cause, has_just_changed
from tests.simulation.payments.frozen_workers import DRIVERS
from tests.simulation.payments.standing import payment_problems, unaccounted
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.watching import PortCall
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, World

EACH_MINUTE = "ledger.list_due"
QUARANTINE = Timings().quarantine
COMPARED_WITHIN = timedelta(hours=1, minutes=15)
"""The mirror is compared, and problems are brought in step, every hour."""
RECOVERED_WITHIN = timedelta(minutes=20)
"""A server that was silent is probed after a quarter of an hour at the latest."""
LOOKED_AT_WITHIN = QUARANTINE + timedelta(minutes=10)
VERIFIED_WITHIN = timedelta(hours=1)
LATEST_MESSAGE = timedelta(minutes=LATEST_MESSAGE_MINUTES)
"""A message that comes late shows a problem anew, from when on its waits are counted."""
CONFIRMED_WITHIN = timedelta(minutes=1)
BEGUN_BEFORE = timedelta(minutes=2)
"""A worker that was held up may look so much later, and find that another one was there."""


class Promise(Invariant):
    """Looks each minute at what is to be so by now."""

    watches: Collection[str] = (EACH_MINUTE,)

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        if call.name == EACH_MINUTE:
            assert isinstance(world, PaymentWorld)
            self.look(world)

    def look(self, world: PaymentWorld) -> None:
        raise NotImplementedError


def undisturbed_for(world: PaymentWorld) -> timedelta:
    """Return for how long nothing went wrong that may hold the bridge up."""
    return world.clock.now() - world.troubled_at


class DoublesAreShown(Promise):
    """A payment too many is shown in time: by the late look, or by the hourly comparison.

    Where something held the bridge up, the time begins anew when that is over; while another
    payment of the invoice is under way, no surplus is told of.
    """

    name = "doubles are shown in time"

    def look(self, world: PaymentWorld) -> None:
        for double in world.doubles.take_due():
            self._look_at(world, double)

    def _look_at(self, world: PaymentWorld, double: Double) -> None:
        now, invoice_source_id = world.clock.now(), double.invoice_source_id
        landed_at = world.provenance.landed_at
        found = [
            each
            for each in unaccounted(world, invoice_source_id)
            if landed_at.get(each, now) <= double.landed_until
        ]
        if not found:
            return
        write_backs = world.ledger.write_backs_of_invoice(CONNECTION_ID, invoice_source_id)
        was_held_up = world.troubled_at >= double.expected_at
        is_moving = any(each.state in MAYBE_SENT_STATES for each in write_backs)
        if is_moving or was_held_up or self._are_of_others(world, invoice_source_id, found):
            due_at = now + world.compared_within
            world.doubles.pending.append(replace(double, expected_at=now, due_at=due_at))
        else:
            world.violate(self.name, f"{found} on {invoice_source_id}, due at {double.due_at}")

    def _are_of_others(self, world: PaymentWorld, invoice_source_id: int, ids: list[int]) -> bool:
        """Tell whether what was found may have come of requests that have more time."""
        landed_at = world.provenance.landed_at
        pending = [e for e in world.doubles.pending if e.invoice_source_id == invoice_source_id]
        return any(
            each.expected_at <= landed_at[psa_payment_id] <= each.landed_until
            for each in pending
            for psa_payment_id in ids
            if psa_payment_id in landed_at
        )


class UnclearPostsAreLookedAt(Promise):
    """A post whose outcome is open is settled soon after its quarantine, or a person is asked.

    Each other payment of the invoice may hold it for a quarantine of its own, and until the first
    one of a connection is proven, each of the connection.
    """

    name = "unclear posts are looked at"

    def look(self, world: PaymentWorld) -> None:
        now, calm = world.clock.now(), undisturbed_for(world)
        proven_at = world.connection.payment_facts.proven_at
        if proven_at is None:
            return
        calm = min(calm, now - proven_at)
        for each in world.write_backs():
            if each.state not in MAYBE_SENT_STATES or each.last_stated_at is None:
                continue
            age = now - each.last_stated_at
            within = LOOKED_AT_WITHIN + self._held_by_others(world, each) * QUARANTINE
            longest = LONGEST_WAIT + RECOVERED_WITHIN + within
            is_late = calm > age > within
            if is_late or (world.is_calm and calm > longest and age > longest):
                world.violate(self.name, f"{age} after it was stated: {each}")

    def _held_by_others(self, world: PaymentWorld, write_back: WriteBack) -> int:
        """Return how many others may have held the invoice, each for a quarantine."""
        place = CONNECTION_ID, write_back.invoice_source_id
        return len(world.ledger.write_backs_of_invoice(*place)) - 1


class ReasonsAreShown(Promise):
    """A reason that stands is an open problem: at once, or where that failed within the hour."""

    name = "reasons are shown in time"

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    def look(self, world: PaymentWorld) -> None:
        now = world.clock.now()
        hidden = [each for each in world.write_backs() if each.reason is not Reason.NONE]
        if hidden:
            shown = payment_problems(world)
            hidden = [each for each in hidden if write_back_subject(each) not in shown]
        self._since = {
            each.write_back_id: self._since.get(each.write_back_id, now) for each in hidden
        }
        for each in hidden:
            waited = min(now - self._since[each.write_back_id], undisturbed_for(world))
            if waited > COMPARED_WITHIN:
                world.violate(self.name, f"{each.reason} for {waited}: {each}")


class BrakesAreShown(Promise):
    """What the brake stopped is an open problem, by which a person allows it again."""

    name = "brakes are shown in time"

    def __init__(self) -> None:
        self._since: datetime | None = None

    def look(self, world: PaymentWorld) -> None:
        now = world.clock.now()
        if PaymentsStop.UNUSUALLY_MANY not in world.connection.payments_stopped:
            self._since = None
            return
        every = world.outside.problems.open_of_connection(PARTNER_ID, CONNECTION_ID).values()
        if any(each.code is ProblemCode.UNUSUALLY_MANY_PAYMENTS for each in every):
            self._since = None
            return
        self._since = self._since or now
        if min(now - self._since, undisturbed_for(world)) > COMPARED_WITHIN:
            world.violate(self.name, f"hidden since {self._since}")


class HealedCausesAreTried(Promise):
    """What kept a payment waiting is tried again within the stated time after it is over."""

    name = "healed causes are tried again in time"

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    def look(self, world: PaymentWorld) -> None:
        """Rights and keys count as healed when somebody had the time to verify the connection."""
        now = world.clock.now()
        if not world.is_calm:
            return
        over = [each for each in world.write_backs() if self._is_over(world, each)]
        self._since = {
            each.write_back_id: self._since.get(each.write_back_id, now) for each in over
        }
        for each in over:
            waited = min(now - self._since[each.write_back_id], undisturbed_for(world))
            longest = VERIFIED_WITHIN + LONGEST_WAIT + RECOVERED_WITHIN + LATEST_MESSAGE
            if waited > longest:
                world.violate(self.name, f"{each.reason} is over for {waited}: {each}")

    def _is_over(self, world: PaymentWorld, write_back: WriteBack) -> bool:
        if not write_back.needs_person or write_back.reason not in HEALING:
            return False
        is_caused = has_cause(world, write_back) or has_just_changed(world, write_back)
        return not is_caused


@dataclass(slots=True)
class _Seen:
    """A worker's look showed a payment that its unproven post may have made."""

    write_back: WriteBack
    payment_ids: set[int]
    due_at: datetime


class ListedEffectsAreConfirmed(Promise):
    """A lost answer whose effect a worker's look shows is confirmed within a minute of that look,
    unless another post of the invoice may have made the payment as well."""

    name = "listed effects are confirmed"
    watches = (EACH_MINUTE, "payments.list_payments", "ledger.take_lease")

    def __init__(self) -> None:
        self._seen: list[_Seen] = []

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        if call.name == "payments.list_payments":
            assert isinstance(world, PaymentWorld)
            self._note(world, call, result)
        elif call.name == "ledger.take_lease" and world.worker is not None:
            world.worker.holds = str(call.named["holder_id"])
        super().after_call(world, call, result)

    def _note(self, world: PaymentWorld, call: PortCall, result: object) -> None:
        worker = world.worker
        if worker is None or worker.function not in DRIVERS or not worker.holds:
            return
        write_back = world.ledger.get_write_back(CONNECTION_ID, worker.holds).value
        if write_back is None or write_back.state not in MAYBE_SENT_STATES:
            return
        assert isinstance(result, tuple)
        owners = world.owners()
        every = world.ledger.write_backs_of_invoice(CONNECTION_ID, write_back.invoice_source_id)
        others = [each for each in every if each.write_back_id != write_back.write_back_id]
        rows = [row for row in result if isinstance(row, PsaPayment)]
        ours = [
            row.psa_payment_id
            for row in rows
            if row.psa_payment_id not in owners and not row.is_credit
            if post_that_may_have_made(write_back, row)
            and not any(post_that_may_have_made(other, row) for other in others)
        ]
        if ours and write_back.decision is None:
            due_at = world.clock.now() + CONFIRMED_WITHIN
            self._seen.append(_Seen(write_back, set(ours), due_at))

    def look(self, world: PaymentWorld) -> None:
        now = world.clock.now()
        due = [each for each in self._seen if each.due_at <= now]
        self._seen = [each for each in self._seen if each.due_at > now]
        for seen in due:
            began_at = seen.due_at - CONFIRMED_WITHIN
            if world.troubled_at >= began_at - BEGUN_BEFORE:
                continue
            known = world.ledger.get_write_back(CONNECTION_ID, seen.write_back.write_back_id).value
            assert known is not None
            owned = world.owners().keys() & seen.payment_ids
            if known.state in MAYBE_SENT_STATES and not owned:
                world.violate(self.name, f"{seen.payment_ids} were seen at {began_at}: {known}")


def all_promises() -> list[Invariant]:
    return [
        DoublesAreShown(),
        UnclearPostsAreLookedAt(),
        ReasonsAreShown(),
        BrakesAreShown(),
        HealedCausesAreTried(),
        ListedEffectsAreConfirmed(),
    ]
