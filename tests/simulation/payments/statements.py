"""What a stored write-back has just stated: a post or a deletion that is about to be sent."""

from __future__ import annotations

from bridge.domain.write_back import AttemptKind, Outcome, StatedAttempt, WriteBack
from tests.simulation.watching import PortCall

SAVED = "ledger.save_write_back"


def just_stated(call: PortCall) -> StatedAttempt | None:
    """Return the post or deletion that a worker stores as its intent with this call."""
    if call.name != SAVED or call.named.get("extend_until") is None:
        return None
    write_back = call.arguments[0]
    assert isinstance(write_back, WriteBack)
    attempts = [e for e in write_back.history.attempts if e.kind is not AttemptKind.STATUS]
    is_stated = bool(attempts) and attempts[-1].outcome is Outcome.STATED
    return attempts[-1] if is_stated else None
