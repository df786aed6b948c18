"""The payment world in the hands of Hypothesis, which looks for the shortest story that breaks it.

What the seeds leave to chance is chosen here: which message is worked next, which answer is lost,
where a worker dies. The world checks R1 and R2 as payments come and go, and all its endings when a
story is over.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bridge.domain.connection import PaymentFacts
from bridge.domain.platform_payment import (
    Allocation,
    PlatformPayment,
    PlatformPaymentState,
    WriteBackPolicy,
    WriteBackWhen,
)
from bridge.domain.write_back import Timings
from connectwise_sandbox.faults import Effect
from connectwise_sandbox.faults import Fault as EngineFault
from connectwise_sandbox.switches import Switches
from tests.simulation import people
from tests.simulation.actors import Callbacks, Messages, Timetable
from tests.simulation.episode import come_to_rest, connect, reproducible
from tests.simulation.functions import WORKERS, WRITE_BACK_WORKER
from tests.simulation.parts import Actor, Fault
from tests.simulation.payments import broken
from tests.simulation.payments import people as payment_people
from tests.simulation.payments.accountants import PaymentAccountant
from tests.simulation.payments.episode import PAID, PaymentWeather, build_world
from tests.simulation.payments.platform import Errand, PlatformServices, open_invoices
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.watching import PortCall, SimulatedCrashError
from tests.simulation.wiring import Wiring
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, Books, World

SEED = 1
METHODS = ("card", "ach", "wire", "cash", "check")
"""Payments that come after one another differ in it, so that few look like duplicates."""
LAST_LINES = 40
MAX_STEPS_UNTIL_MIRRORED = 500
QUARANTINE_SECONDS = Timings().quarantine.total_seconds()
LONGEST_IN_FLIGHT_SECONDS = Timings().in_flight_seconds
LOST_ANSWERS = (
    Effect.TIMEOUT_BEFORE_EFFECT,
    Effect.TIMEOUT_AFTER_EFFECT,
    Effect.STATUS_500_AFTER_EFFECT,
    Effect.LATE_EFFECT,
)
WORK = (*WORKERS, WRITE_BACK_WORKER)
_S = PlatformPaymentState
_NEXT = {
    _S.PENDING: (_S.SETTLED, _S.FAILED, _S.VOIDED, _S.RETURNED),
    _S.SETTLED: (_S.RETURNED, _S.REFUNDED, _S.CHARGED_BACK),
}
several = st.integers(0, 9)
shares = st.sampled_from((0.01, 0.5, 1.0))
moments = st.none() | st.integers(0, 60)


class Mishap(Fault):
    """What goes wrong next, if anything: with a change in ConnectWise, and with a worker."""

    name = "mishap"

    def __init__(self) -> None:
        self.effect: Effect | None = None
        self.seconds = 0.0
        self.dies_in: int | None = None
        """At how many moments from now: before a call, after it, before the next one ..."""

    def before_call(self, world: World, call: PortCall) -> None:
        self._live(world, call)

    def after_call(self, world: World, call: PortCall) -> None:
        self._live(world, call)

    def on_request(self, world: World, request: httpx.Request) -> EngineFault | None:
        if self.effect is None or request.method == "GET" or "/finance/" not in request.url.path:
            return None
        effect, self.effect = self.effect, None
        return EngineFault(effect=effect, seconds=self.seconds)

    def _live(self, world: World, call: PortCall) -> None:
        if self.dies_in is None:
            return
        self.dies_in -= 1
        if self.dies_in < 0:
            self.dies_in = None
            raise SimulatedCrashError(f"at {call.name}")


class Payments(RuleBasedStateMachine):
    """People and services act by rules; what machines do waits until a rule has it done."""

    wiring: type[Wiring] = Wiring

    @initialize(
        policy=st.sampled_from(WriteBackWhen),
        paid_status=st.sampled_from((PAID, None)),
        overpayment=st.sampled_from(("accepted", "refused")),
    )
    def connect(
        self,
        policy: WriteBackWhen,
        paid_status: str | None,
        overpayment: Literal["accepted", "refused"],
    ) -> None:
        """Bring an invoice or two into the mirror; nothing goes wrong yet."""
        self.mishap = Mishap()
        weather = PaymentWeather(
            hours=0,
            faults=[self.mishap],
            policy=WriteBackPolicy(when=policy),
            paid_status=paid_status,
            sweeps_every=timedelta(hours=6),
        )
        switches = Switches(overpayment=overpayment, merge_touches_last_updated=True)
        self.world = build_world(
            SEED,
            weather,
            books=Books(customers=2, invoices=2, switches=switches),
            wiring=self.wiring,
        )
        self.services = next(a for a in self.world.actors if isinstance(a, PlatformServices))
        self.timetables = [each for each in self.world.actors if isinstance(each, Timetable)]
        self.callbacks = next(a for a in self.world.actors if isinstance(a, Callbacks))
        self.stack = ExitStack()
        self.stack.enter_context(reproducible(self.world))
        connect(self.world)
        self._prove()
        payment_people.bill(self.world)
        payment_people.bill(self.world)
        self._let_machines_work()

    def _prove(self) -> None:
        """Payments were written through this connection before, so that they need not go one by
        one."""
        connections = self.world.outside.connections
        stored = connections.get(CONNECTION_ID)
        assert stored.value is not None
        facts = PaymentFacts(shows_members=True, proven_at=self.world.clock.now())
        proven = replace(stored.value, payment_facts=facts)
        connections.save(proven, expected_version=stored.version)

    def _let_machines_work(self) -> None:
        machines: list[Actor] = [*map(Messages, WORK), self.callbacks, *self.timetables]
        for _ in range(MAX_STEPS_UNTIL_MIRRORED):
            busy = [each for each in machines if each.weight(self.world)]
            if not busy:
                return
            self.world.let(busy[0])

    # --- the services --------------------------------------------------------------------------

    @rule(which=several, other=several, share=st.sampled_from((1, 1, 2, 3)), state=several)
    def record_a_payment(self, which: int, other: int, share: int, state: int) -> None:
        """In full or in part, of one invoice or of two; now and then of too much."""
        invoices = open_invoices(self.world)
        if not invoices:
            return
        first, second = invoices[which % len(invoices)], invoices[other % len(invoices)]
        chosen = [first]
        if second.invoice_id != first.invoice_id and second.currency == first.currency:
            chosen.append(second)
        parts = tuple(
            Allocation(each.invoice_id, max(1, each.balance_minor // share)) for each in chosen
        )
        now = self.world.clock.now()
        payment = PlatformPayment(
            payment_id=self._next_id(),
            partner_id=PARTNER_ID,
            customer_id=first.customer_id,
            amount_minor=sum(part.amount_minor for part in parts),
            currency=first.currency,
            method=METHODS[len(self.services.told) % len(METHODS)],
            received_on=now.date(),
            allocations=parts,
            state=_S.PENDING if state == 0 else _S.SETTLED,
            recorded_at=now,
        )
        self._tell(Errand(payment))

    @precondition(lambda self: self.services.told)
    @rule(which=several)
    def record_an_equal_payment(self, which: int) -> None:
        again = replace(self._told(which), payment_id=self._next_id(), state=_S.SETTLED)
        self._tell(Errand(replace(again, recorded_at=self.world.clock.now())))

    @precondition(lambda self: self.services.told)
    @rule(which=several)
    def tell_a_payment_again(self, which: int) -> None:
        self._tell(Errand(self._told(which)))

    @precondition(lambda self: self.services.told)
    @rule(which=several)
    def tell_another_payment_under_a_known_id(self, which: int) -> None:
        other = replace(self._told(which), method="cheque")
        self.services.expect_refusal(self.world, Errand(other))

    @precondition(lambda self: any(each.state in _NEXT for each in self.services.told.values()))
    @rule(which=several, how=several)
    def move_a_payment(self, which: int, how: int) -> None:
        movable = [each for each in self.services.told.values() if each.state in _NEXT]
        payment = movable[which % len(movable)]
        states = _NEXT[payment.state]
        self._tell(Errand(payment, states[how % len(states)]))

    # --- the machines --------------------------------------------------------------------------

    @precondition(lambda self: self.world.queues[WRITE_BACK_WORKER.queue].has_visible())
    @rule(lost=st.none() | st.sampled_from(LOST_ANSWERS), share=shares, dies_in=moments)
    def work_a_write_back(self, lost: Effect | None, share: float, dies_in: int | None) -> None:
        """Its next change may not be answered well, and its worker may die."""
        self.mishap.effect = lost
        self.mishap.seconds = share * LONGEST_IN_FLIGHT_SECONDS
        self.mishap.dies_in = dies_in
        self.world.let(Messages(WRITE_BACK_WORKER))
        self.mishap.dies_in = None

    @rule(which=several, part=st.sampled_from((2, 3)), lost=st.sampled_from(LOST_ANSWERS))
    def write_a_part_without_an_answer(self, which: int, part: int, lost: Effect) -> None:
        """A part of an invoice is paid, and its post is made at once and not answered well."""
        self.record_a_payment(which, which, part, 1)
        if self.world.queues[WRITE_BACK_WORKER.queue].has_visible():
            self.work_a_write_back(lost, 0.5, None)

    @precondition(lambda self: self._busy())
    @rule(which=several)
    def work_a_sync_message(self, which: int) -> None:
        busy = self._busy()
        self.world.let(busy[which % len(busy)])

    @rule(name=st.sampled_from(("heal-write-backs", "payments")))
    def run_a_schedule(self, name: str) -> None:
        self.world.let(next(each for each in self.timetables if each.name == name))

    @rule(seconds=st.sampled_from((1.0, 90.0, QUARANTINE_SECONDS)))
    def time_passes(self, seconds: float) -> None:
        """And what is due by then is woken, as it is every minute."""
        self.world.clock.advance(seconds=seconds)
        self.run_a_schedule("due-write-backs")

    # --- people --------------------------------------------------------------------------------

    @rule(edit=st.sampled_from(tuple(dict.fromkeys(payment_people.EDITS))))
    def somebody_edits_the_books(self, edit: people.Edit) -> None:
        """Type an equal payment, delete or edit ours, close, reopen, batch, rewrite ..."""
        self.world.let(people.ConnectWiseStaff((edit,), minutes_between_edits=10))

    @precondition(lambda self: PaymentAccountant().weight(self.world) > 0)
    @rule()
    def an_accountant_decides(self) -> None:
        self.world.let(PaymentAccountant())

    # --- what must hold ------------------------------------------------------------------------

    @invariant()
    def nothing_is_broken(self) -> None:
        world = getattr(self, "world", None)
        assert world is None or not world.violations, _story(world)

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        with self.stack:
            if not self.world.violations:
                come_to_rest(self.world)
        assert not self.world.violations, _story(self.world)

    # --- how -----------------------------------------------------------------------------------

    def _tell(self, errand: Errand) -> None:
        self.world.note(f"      platform: {self.services.tell(self.world, errand)}")

    def _told(self, which: int) -> PlatformPayment:
        told = list(self.services.told.values())
        return told[which % len(told)]

    def _next_id(self) -> str:
        self.payments = getattr(self, "payments", 0) + 1
        return f"told-{self.payments}"

    def _busy(self) -> list[Actor]:
        machines: list[Actor] = [*map(Messages, WORKERS), self.callbacks]
        return [each for each in machines if each.weight(self.world)]


def _story(world: PaymentWorld) -> str:
    return "\n".join([*world.trace[-LAST_LINES:], *map(str, world.violations[:3])])


class RepeatedPosts(Payments):
    """The same with a write-back that is broken on purpose."""

    wiring = broken.RepeatsPosts


SETTINGS = settings(
    max_examples=50,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
Payments.TestCase.settings = SETTINGS
TestPayments = Payments.TestCase


def test_a_broken_write_back_is_found() -> None:
    without_shrinking = settings(SETTINGS, phases=[Phase.generate])

    with pytest.raises(AssertionError, match=r"R1 never twice|each allocation once"):
        run_state_machine_as_test(RepeatedPosts, settings=without_shrinking)
