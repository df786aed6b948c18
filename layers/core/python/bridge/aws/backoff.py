"""Waiting between attempts: twice as long each time, and never the same for two workers."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.ports import Clock

MAX_ATTEMPTS = 4
_FIRST_WAIT_SECONDS = 0.1
_dice = secrets.SystemRandom()


def wait_after(attempt: int, clock: Clock) -> None:
    """Wait before the attempt that follows ``attempt`` (counted from 0)."""
    longest = _FIRST_WAIT_SECONDS * 2**attempt
    clock.sleep(_dice.uniform(longest / 2, longest))
