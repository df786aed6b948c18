"""Accountants at the dashboard: one who says what is true, and one who clicks whatever is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.domain.platform_payment import Target
from bridge.domain.problem import Action, ProblemCode, record_of_subject
from bridge.domain.write_back import Reason, WriteBack
from bridge.domain.write_back.decisions import adoptable, offered_actions
from connectwise_sandbox.errors import ApiError
from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.kinds import Kind
from tests.simulation.parts import Actor
from tests.simulation.payments.people import type_payment
from tests.simulation.payments.world import PaymentWorld, place_of
from tests.simulation.people import API_TIMEOUT_SECONDS
from tests.simulation.wiring import Wiring
from tests.simulation.world import CONNECTION_ID, PARTNER_ID, World


def payment_world(world: World) -> PaymentWorld:
    assert isinstance(world, PaymentWorld)
    return world


@dataclass(frozen=True)
class Click:
    """A person's action, and in words what it is meant for."""

    meaning: str
    action: Action
    psa_payment_id: int | None = None
    reference: str = ""


RETRIES = Click("retries", Action.RETRY)
LOOKS = Click("looks", Action.LOOK)
TAKES_NOTE = Click("takes note of", Action.MARK_DONE)


class PaymentAccountant(Actor):
    """Works through write-backs that wait for a person, and only says what is true."""

    name = "payment accountant"

    def __init__(self) -> None:
        self._next_at: datetime | None = None

    def weight(self, world: World) -> float:
        if world.is_calm:
            return 0.0
        is_due = self._next_at is None or self._next_at <= world.clock.now()
        return 0.5 if is_due and _waiting(payment_world(world)) else 0.0

    def act(self, world: World) -> str:
        self._next_at = world.clock.now() + timedelta(minutes=world.random.randint(1, 60))
        write_back = world.random.choice(_waiting(payment_world(world)))
        return click(payment_world(world), write_back, self._choice(world, write_back))

    def _choice(self, world: World, write_back: WriteBack) -> Click:
        """Decide; what is to be said afterwards of ConnectWise is made true there before."""
        offered = offered_actions(write_back)
        again = LOOKS if Action.LOOK in offered else RETRIES
        if Action.MARK_DONE not in offered:
            return again
        if write_back.has_ended or write_back.is_at_target:
            is_tried = Action.RETRY in offered and world.random.random() < 0.5
            return RETRIES if is_tried else TAKES_NOTE
        if write_back.target is Target.ABSENT:
            return self._choice_of_reversal(world, write_back, offered)
        if self._stands(world, write_back):
            return self._choice_of_stands(world, write_back, offered)
        return self._choice_of_post(world, write_back, offered)

    def _choice_of_post(
        self, world: World, write_back: WriteBack, offered: Sequence[Action]
    ) -> Click:
        """Cancel, have it posted, enter it by hand, or have it looked at again."""
        again = LOOKS if Action.LOOK in offered else RETRIES
        clicks = [again, again] if again.action in offered else []
        clicks.append(Click("cancels", Action.CANCEL))
        if Action.POST in offered:
            clicks.append(Click("has it posted", Action.POST))
        if self._can_type(world, write_back):
            clicks.append(Click("types by hand", Action.MARK_DONE))
        choice = world.random.choice(clicks)
        if choice.action not in offered:
            return again
        if choice.meaning == "types by hand":
            try:
                type_payment(world, write_back)
            except ApiError:
                return again
        return choice

    def _choice_of_reversal(
        self, world: World, write_back: WriteBack, offered: Sequence[Action]
    ) -> Click:
        self._take_out_by_hand(world, write_back)
        return Click("takes out by hand", Action.MARK_DONE)

    def _choice_of_stands(
        self, world: World, write_back: WriteBack, offered: Sequence[Action]
    ) -> Click:
        """Adopt what stands there for ours where it is shown, else say that it is written."""
        ours = payment_world(world).provenance.ours
        mine = [
            shown.psa_payment_id
            for shown in adoptable(write_back)
            if ours.get(shown.psa_payment_id) == place_of(write_back)
        ]
        if Action.ADOPT in offered and mine:
            return Click("adopts", Action.ADOPT, psa_payment_id=mine[0])
        return Click("finds written already", Action.MARK_DONE)

    def _stands(self, world: World, write_back: WriteBack) -> bool:
        """Tell whether what is left of a post of ours is the reason, as a look there shows."""
        is_asked = write_back.reason in _ASKED
        places = payment_world(world).provenance.ours.values()
        return is_asked and place_of(write_back) in places

    def _can_type(self, world: World, write_back: WriteBack) -> bool:
        """Nobody types what stands there already, be it ours, changed or rewritten."""
        invoice_id = write_back.invoice_source_id
        places = payment_world(world).provenance.ours.values()
        is_there = world.engine.tenant.store[Kind.INVOICE].get(invoice_id) is not None
        return is_there and all(place.invoice_source_id != invoice_id for place in places)

    def _take_out_by_hand(self, world: World, write_back: WriteBack) -> None:
        """Remove from the invoice what stands for this payment, whoever wrote it down."""
        provenance = payment_world(world).provenance
        invoice_id = write_back.invoice_source_id
        rows = payments_of(world.engine.tenant, invoice_id)
        for row in sorted(rows, key=lambda row: bool(row["id"] != write_back.psa_payment_id)):
            if provenance.ours.get(row["id"]) == place_of(write_back):
                world.engine.people.delete_payment(invoice_id, row["id"])
                return


_ASKED = (
    Reason.PAYMENT_CHANGED,
    Reason.PAYMENT_REWRITTEN,
    Reason.PAYMENT_GONE,
    Reason.PAYMENT_HIDDEN,
    Reason.TOO_MANY_POSTS,
    Reason.INVOICE_LOCKED,
)


def _waiting(world: PaymentWorld) -> list[WriteBack]:
    return [each for each in world.write_backs() if each.reason is not Reason.NONE]


class HastyAccountant(Actor):
    """Clicks any button that is offered, without looking into ConnectWise: adopts any payment that
    may be adopted, posts, cancels, says that it is done, and dismisses any surplus payment."""

    name = "hasty accountant"

    def __init__(self, minutes_between_clicks: float = 45.0) -> None:
        self._minutes_between_clicks = minutes_between_clicks
        self._next_at: datetime | None = None

    def weight(self, world: World) -> float:
        if world.is_calm or (self._next_at and self._next_at > world.clock.now()):
            return 0.0
        payments = payment_world(world)
        return 0.3 if _waiting(payments) or _surplus(payments) else 0.0

    def act(self, world: World) -> str:
        minutes = world.random.expovariate(1 / self._minutes_between_clicks)
        self._next_at = world.clock.now() + timedelta(minutes=minutes)
        payments = payment_world(world)
        surplus, waiting = _surplus(payments), _waiting(payments)
        if surplus and (not waiting or world.random.random() < 0.4):
            return self._dismiss(world, *world.random.choice(surplus))
        write_back = world.random.choice(waiting)
        offered = offered_actions(write_back)
        if not offered:
            return "nothing is offered"
        action = world.random.choice(offered)
        world.note_fault(f"wrong click: {action.value}")
        row_id = None
        if action is Action.ADOPT:
            row_id = world.random.choice(adoptable(write_back)).psa_payment_id
        choice = Click(f"clicks {action.value} on", action, row_id, reference="entry 17")
        return click(payments, write_back, choice)

    def _dismiss(self, world: World, problem_id: str, row_id: int) -> str:
        world.note_fault("wrong click: dismiss")

        def dismiss(wiring: Wiring) -> object:
            return wiring.problem_actions.act(
                PARTNER_ID, problem_id, Action.DISMISS, psa_payment_id=row_id
            )

        invocation = world.invoke("dashboard_api", API_TIMEOUT_SECONDS, dismiss)
        return f"dismisses {row_id}: {invocation.has_succeeded}"


def _surplus(world: PaymentWorld) -> list[tuple[str, int]]:
    """Return the payments that open problems call surplus, each with its problem."""
    problems = world.outside.problems.open_of_connection(PARTNER_ID, CONNECTION_ID)
    found = []
    for problem in problems.values():
        record = record_of_subject(problem.subject)
        if problem.code is ProblemCode.PAYMENT_SURPLUS and record:
            found += [(problem.problem_id, row_id) for row_id in world.surplus_of(record[1])]
    return found


def click(payments: PaymentWorld, write_back: WriteBack, choice: Click) -> str:
    """Click at the dashboard, and note what a decision makes of the write-back."""
    ids = (PARTNER_ID, CONNECTION_ID, write_back.write_back_id)
    version = payments.ledger.get_write_back(*ids[1:]).version

    def act(wiring: Wiring) -> None:
        wiring.write_back_actions.act(
            *ids,
            choice.action,
            psa_payment_id=choice.psa_payment_id,
            reference=choice.reference,
        )

    payments.note_click(choice.action, write_back, version + 1)
    invocation = payments.invoke("dashboard_api", API_TIMEOUT_SECONDS, act)
    if not invocation.has_succeeded and not invocation.has_crashed:
        payments.clicks.pop((write_back.write_back_id, version + 1), None)
    if choice.action not in (Action.RETRY, Action.LOOK):
        payments.note_decision(write_back.write_back_id, since_version=version)
    what = f"{write_back.write_back_id} {write_back.reason.value}"
    return f"{choice.meaning} {what}: {invocation.has_succeeded}"
