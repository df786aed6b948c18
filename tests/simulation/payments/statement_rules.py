"""What must hold at every moment in which a worker states what it will send, or what it saw."""

from __future__ import annotations

from itertools import pairwise

from bridge.domain.problem import Action
from bridge.domain.write_back import (
    MAX_POSTS,
    AttemptKind,
    DecisionKind,
    Reason,
    WriteBack,
)
from bridge.domain.write_back.states import PERSONS_STATES
from connectwise_sandbox.kinds import Kind
from tests.simulation.parts import Invariant
from tests.simulation.payments.standing import history_of
from tests.simulation.payments.statements import SAVED, just_stated
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.watching import PortCall
from tests.simulation.world import World

_LOST = (Reason.PAYMENT_GONE, Reason.PAYMENT_REWRITTEN)


class IntentsAreHeld(Invariant):
    """Who states an intent holds the invoice's lease at that moment."""

    name = "intents are held"
    watches = (SAVED,)

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        if not just_stated(call):
            return
        assert isinstance(world, PaymentWorld)
        if not world.ledger.was_held:
            world.violate(self.name, f"{call.arguments[0]}")


class PostsAreFew(Invariant):
    """No more than five posts that nothing proved are made, but those that a person asked for."""

    name = "posts are few"
    watches = (SAVED,)

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        stated = just_stated(call)
        if stated is None or stated.kind is not AttemptKind.POST:
            return
        assert isinstance(world, PaymentWorld)
        write_back = call.arguments[0]
        assert isinstance(write_back, WriteBack)
        unproven = len(write_back.unproven_posts)
        if unproven > MAX_POSTS and not _was_asked_for(world, write_back):
            world.violate(self.name, f"{unproven} posts: {write_back}")


def _was_asked_for(world: PaymentWorld, write_back: WriteBack) -> bool:
    """Tell whether the version before the statement says that a person wants it posted."""
    before = history_of(world, write_back)[-2].value
    return before.decision is not None and before.decision.kind is DecisionKind.POST


class LooksPostNothing(Invariant):
    """Where a payment of ours may stand, no click posts another one but the one that says so."""

    name = "looks post nothing"
    watches = (SAVED,)

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        stated = just_stated(call)
        if stated is None or stated.kind is not AttemptKind.POST:
            return
        assert isinstance(world, PaymentWorld)
        write_back = call.arguments[0]
        assert isinstance(write_back, WriteBack)
        history = history_of(world, write_back)
        for before, after in reversed(list(pairwise(history))):
            was_persons = before.value.state in PERSONS_STATES
            if was_persons and after.value.state not in PERSONS_STATES:
                self._look_at(world, write_back, after.version)
                return

    def _look_at(self, world: PaymentWorld, write_back: WriteBack, version: int) -> None:
        """Judge the click by which the write-back left the person, if it was one."""
        click = world.clicks.get((write_back.write_back_id, version))
        if click is None:
            return
        action, before = click
        may_stand = bool(before.unproven_posts) or before.reason in _LOST
        if action in (Action.RETRY, Action.LOOK) and may_stand:
            world.violate(self.name, f"{action.value} on {before}")


class NothingThatStandsIsGone(Invariant):
    """What stands in ConnectWise is not called gone because a list does not show it yet."""

    name = "what stands is not called gone"
    watches = (SAVED,)

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        if call.name != SAVED:
            return
        write_back = call.arguments[0]
        assert isinstance(write_back, WriteBack)
        if write_back.reason is not Reason.PAYMENT_GONE or not write_back.needs_person:
            return
        assert isinstance(world, PaymentWorld)
        row = world.engine.tenant.store[Kind.PAYMENT].get(write_back.psa_payment_id or 0)
        history = history_of(world, write_back)
        is_new = len(history) > 1 and history[-2].value.reason is not Reason.PAYMENT_GONE
        if is_new and row and row["invoice"]["id"] == write_back.invoice_source_id:
            world.violate(self.name, f"{row['id']} stands: {write_back}")


def all_statement_rules() -> list[Invariant]:
    return [IntentsAreHeld(), PostsAreFew(), LooksPostNothing(), NothingThatStandsIsGone()]
