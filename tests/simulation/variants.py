"""What broken variants of the bridge are made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

V = TypeVar("V")


class Delegate:
    """Is like its target but for what a subclass changes. ``hit`` is told each time it matters."""

    def __init__(self, target: Any, hit: Callable[[], None] = lambda: None) -> None:
        self._target = target
        self._hit = hit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def as_variant(use_case: object, variant: type[V], **more: object) -> V:
    """Return a copy of a wired use case that is of another class, with ``more`` attributes."""
    copy = object.__new__(variant)
    vars(copy).update(vars(use_case), **more)
    return copy
