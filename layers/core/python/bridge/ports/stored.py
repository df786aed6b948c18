"""Stored values have versions, are listed in pages, and are changed in one way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bridge.domain.errors import ConflictError

T = TypeVar("T")

MAX_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A stored record and its version."""

    value: T | None
    """None at version 0 (the place is empty) and on a tombstone: ConnectWise was seen to lack a
    record that the mirror lacks, too."""
    version: int
    """It grows by one with every write."""
    change_fingerprint: str = ""
    """The fingerprint that ConnectWise listed for the record when it was last written; see
    :class:`~bridge.ports.ListedRecord`. An invoice has another one, of our own, while some of its
    payments are still to be listed."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list."""

    items: tuple[T, ...]
    next_cursor: str | None = None
    """Opaque; None on the last page."""
    is_partial: bool = False
    """The page's work was used up before it was full; it may even be empty. More may follow."""


def until_saved(
    read: Callable[[], tuple[T, int]],
    change: Callable[[T], T],
    save: Callable[[T, int], object],
) -> T:
    """Read a value with its version, change it and save it; repeat while others are faster.

    ``change`` may run several times and may raise. An equal value is left as it is stored.
    Returns the value as it is stored then. Raises ConflictError after MAX_ROUNDS rounds.
    """
    for _ in range(MAX_ROUNDS):
        value, version = read()
        changed = change(value)
        if changed == value:
            return value
        try:
            save(changed, version)
        except ConflictError:
            continue
        return changed
    raise ConflictError("the stored value keeps changing")
