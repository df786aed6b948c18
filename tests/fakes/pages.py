"""Cut sorted entries into pages, with the cursors that the real stores use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from bridge.ports import Page
from bridge.store.cursors import Position, check_limit, read_cursor, write_cursor

T = TypeVar("T")


def cut_page(
    entries: Iterable[tuple[Position, T]],
    *bound_to: object,
    limit: int,
    cursor: str | None,
    is_descending: bool = False,
) -> Page[T]:
    """Return a page of entries, which stand in ranges and are sorted by text in each of them."""
    check_limit(limit)
    after = read_cursor(cursor, *bound_to)
    ordered = sorted(entries, key=lambda entry: entry[0].sort_key, reverse=is_descending)
    ordered.sort(key=lambda entry: entry[0].range_index)
    if after:
        ordered = [entry for entry in ordered if _follows(entry[0], after, is_descending)]
    page = ordered[:limit]
    last = page[-1][0] if len(ordered) > limit else None
    return Page(tuple(value for _, value in page), write_cursor(last, *bound_to))


def _follows(position: Position, after: Position, is_descending: bool) -> bool:
    if position.range_index != after.range_index:
        return position.range_index > after.range_index
    if is_descending:
        return position.sort_key < after.sort_key
    return position.sort_key > after.sort_key
