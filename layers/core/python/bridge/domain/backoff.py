"""The wait between two attempts of a call grows with every attempt and differs between workers."""

from __future__ import annotations


def backoff_seconds(attempt: int, *, first_seconds: float, jitter: float) -> float:
    """Return the wait after an attempt, counted from 0: twice as long as after the one before.

    ``jitter``, a random number from 0 to 1, sets the wait between half of that and all of it,
    so that workers which failed together come back one by one.
    """
    return first_seconds * (1 << attempt) * (1 + jitter) / 2
