"""Shuffled ids are unique and come in any order."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

POOL_SIZE = 100


class ShuffledIds:
    """Shuffled ids come at random from a pool that growing ids fill up."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._pool: list[int] = []

    def draw(self, next_id: Callable[[], int]) -> int:
        """Return an id of the pool; `next_id` gives a fresh one in its place."""
        while len(self._pool) < POOL_SIZE:
            self._pool.append(next_id())
        index = self._random.randrange(POOL_SIZE)
        drawn, self._pool[index] = self._pool[index], next_id()
        return drawn
