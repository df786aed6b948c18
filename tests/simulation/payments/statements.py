"""What a stored write-back has just stated: a post or a deletion that is about to be sent."""

from __future__ import annotations

from datetime import timedelta

from bridge.domain.write_back import AttemptKind, Outcome, StatedAttempt, WriteBack
from tests.simulation.watching import PortCall
from tests.simulation.world import World

SAVED = "ledger.save_write_back"
_A_MOMENT = timedelta(seconds=1)


def just_stated(world: World, call: PortCall) -> StatedAttempt | None:
    """Return the post or deletion that a worker has stored as its intent with this call."""
    if call.name != SAVED or world.worker is None:
        return None
    write_back = call.arguments[0]
    assert isinstance(write_back, WriteBack)
    attempts = [e for e in write_back.history.attempts if e.kind is not AttemptKind.STATUS]
    if not attempts or attempts[-1].outcome is not Outcome.STATED:
        return None
    is_new = abs(attempts[-1].stated_at - world.worker.now()) < _A_MOMENT
    return attempts[-1] if is_new else None
