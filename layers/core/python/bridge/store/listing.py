"""A list pages through ranges of an index, one after the other, with a bounded amount of work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bridge.domain.errors import InvalidInputError
from bridge.store.attributes import Item
from bridge.store.cursors import Position
from bridge.store.keys import Key, listed_id
from bridge.store.table import Range, Table

MAX_QUERIES = 10
"""A page that filters away nearly everything stops after so many queries, with fewer items than
its limit and a cursor."""
# The items that a filtering query reads: few at first, for filters that let much through, then
# twice as many each time, for those that look for a needle.
_FIRST_FILTERED_READ = 200
_MAX_FILTERED_READ = 1000


def read_page(
    table: Table,
    ranges: Sequence[Range],
    *,
    after: Position | None,
    limit: int,
    key_of: Callable[[str], Key | None],
) -> tuple[tuple[Item, ...], Position | None]:
    """Return up to ``limit`` items after a position, and the position of the last one.

    The position is None at the end of the list. ``key_of`` leads from the id that ends an index's
    sort key to the item's own key. Raises InvalidInputError for a position outside these ranges.
    """
    # DynamoDB refuses a range that ends before it begins, as from May to March.
    ranges = [wanted for wanted in ranges if wanted.low <= wanted.high]
    if after is not None:
        _check(after, ranges)
    if not ranges:
        return (), None
    found: list[tuple[Position, Item]] = []
    index, start = (after.range_index, after.sort_key) if after else (0, None)
    for number in range(MAX_QUERIES):
        wanted = ranges[index]
        start_key = _start_key(wanted, start, key_of) if start is not None else None
        read_limit = _read_limit(wanted, limit - len(found), number)
        answer = table.query(wanted, limit=read_limit, start=start_key)
        sort_name = wanted.key_names[1]
        found += [(Position(index, str(item[sort_name])), item) for item in answer.items]
        if len(found) > limit:
            return _items(found[:limit]), found[limit - 1][0]
        if answer.last is not None:
            start = str(answer.last[sort_name])
        elif index + 1 < len(ranges):
            index, start = index + 1, None
        else:
            return _items(found), None
    return _items(found), Position(index, start if start is not None else "")


def _read_limit(wanted: Range, missing: int, number: int) -> int:
    """Return how many items to read: one more than are missing, which tells of another page."""
    if wanted.condition is None:
        return missing + 1
    return max(missing + 1, min(_FIRST_FILTERED_READ << number, _MAX_FILTERED_READ))


def _items(found: Sequence[tuple[Position, Item]]) -> tuple[Item, ...]:
    return tuple(item for _, item in found)


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
