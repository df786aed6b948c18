"""Lanes let pieces of one work be done side by side, at most so many at once."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(lanes: int, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Do the work for each item and return what came of each, in the order of the items.

    With one lane this is a loop. The first failure in the order of the items is raised; what began
    before it comes to its end, and the rest is left.
    """
    if lanes <= 1 or len(items) <= 1:
        return [work(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # imported when first needed

    with ThreadPoolExecutor(min(lanes, len(items))) as pool:
        # A copy of the context each, so that log lines name the work that they belong to.
        futures = [pool.submit(contextvars.copy_context().run, work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
