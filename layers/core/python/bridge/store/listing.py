"""A list pages through ranges, one after the other, with a bounded amount of work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bridge.domain.errors import InvalidInputError
from bridge.store.attributes import Item
from bridge.store.cursors import Position
from bridge.store.keys import Key, listed_id
from bridge.store.table import Range, Table

T = TypeVar("T")

MAX_QUERIES = 5
"""A page that drops nearly everything stops after so many queries, with fewer values than its
limit and a cursor."""
# The items that a query reads where many are dropped: few at first, for questions that let much
# through, then twice as many each time, for those that look for a needle.
_FIRST_SIFTED_READ = 200
_MAX_SIFTED_READ = 1000


@dataclass(frozen=True, slots=True)
class Chosen(Generic[T]):
    """A page chose these of the items that it read."""

    values: tuple[T, ...]
    last: Position | None = None
    """Where the page ended, None at the end of the list."""
    is_partial: bool = False
    """The queries were used up before the page was full."""


def read_page(
    table: Table,
    ranges: Sequence[Range],
    *,
    after: Position | None,
    limit: int,
    key_of: Callable[[str], Key | None],
) -> tuple[tuple[Item, ...], Position | None]:
    """Return up to ``limit`` items after a position, and the position of the last one.

    See :func:`read_chosen`.
    """
    page = read_chosen(
        table, ranges, after=after, limit=limit, key_of=key_of, choose=lambda items: items
    )
    return page.values, page.last


def read_chosen(
    table: Table,
    ranges: Sequence[Range],
    *,
    after: Position | None,
    limit: int,
    key_of: Callable[[str], Key | None],
    choose: Callable[[Sequence[Item]], Sequence[T | None]],
    drops_many: bool = False,
) -> Chosen[T]:
    """Return up to ``limit`` values after a position.

    ``choose`` makes a value of each item that was read, or None to drop it. ``key_of`` leads from
    the id that ends a range's sort key to the record's own key. Raises InvalidInputError for a
    position outside these ranges.
    """
    # DynamoDB refuses a range that ends before it begins, as from May to March.
    ranges = [wanted for wanted in ranges if wanted.low <= wanted.high]
    if after is not None:
        _check(after, ranges)
    if not ranges:
        return Chosen(())
    found: list[tuple[Position, T]] = []
    index, start = (after.range_index, after.sort_key) if after else (0, None)
    for number in range(MAX_QUERIES):
        wanted = ranges[index]
        start_key = _start_key(wanted, start, key_of) if start is not None else None
        read_limit = _read_limit(limit - len(found), number, drops_many=drops_many)
        answer = table.query(wanted, limit=read_limit, start=start_key)
        sort_name = wanted.key_names[1]
        found += [
            (Position(index, str(item[sort_name])), value)
            for item, value in zip(answer.items, choose(answer.items), strict=True)
            if value is not None
        ]
        if len(found) > limit:
            return Chosen(_values(found[:limit]), found[limit - 1][0])
        if answer.last is not None:
            start = str(answer.last[sort_name])
        elif index + 1 < len(ranges):
            index, start = index + 1, None
        else:
            return Chosen(_values(found))
    last = Position(index, start if start is not None else "")
    return Chosen(_values(found), last, is_partial=len(found) < limit)


def _read_limit(missing: int, number: int, *, drops_many: bool) -> int:
    """Return how many items to read: one more than are missing, which tells of another page."""
    sifted = min(_FIRST_SIFTED_READ << number, _MAX_SIFTED_READ) if drops_many else 0
    return max(missing + 1, sifted)


def _values(found: Sequence[tuple[Position, T]]) -> tuple[T, ...]:
    return tuple(value for _, value in found)


def _check(after: Position, ranges: Sequence[Range]) -> None:
    is_known = after.range_index < len(ranges)
    if is_known and after.sort_key:
        wanted = ranges[after.range_index]
        is_known = wanted.low <= after.sort_key <= wanted.high
    if not is_known:
        raise InvalidInputError("not a cursor of this list", field="cursor")


def _start_key(
    wanted: Range, sort_key: str, key_of: Callable[[str], Key | None]
) -> dict[str, str] | None:
    """Return DynamoDB's start key; an empty sort key is the beginning of a range."""
    if not sort_key:
        return None
    key = key_of(listed_id(sort_key))
    if key is None:
        raise InvalidInputError("not a cursor of this list", field="cursor")
    pk_name, sk_name = wanted.key_names
    return {**key.attributes(), pk_name: wanted.pk, sk_name: sort_key}
