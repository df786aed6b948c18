"""Turns an `orderBy` parameter into a sort over wire records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from connectwise_sandbox.query.errors import QueryError
from connectwise_sandbox.query.parse import check_length, parse_path
from connectwise_sandbox.query.values import Record, ValueType, compile_path, type_of

MAX_ORDER_FIELDS = 10

_SortKey = tuple[int, object]
_ABSENT: _SortKey = (0, 0)
_RANKS = {ValueType.BOOLEAN: 1, ValueType.NUMBER: 2, ValueType.DATE: 3, ValueType.TEXT: 4}


@lru_cache(maxsize=256)
def compile_order_by(text: str) -> Callable[[Iterable[Record]], list[Record]]:
    """Return a stable sort for `name asc, lastUpdated desc`; a blank text keeps the order.

    Without a direction a field ascends. An absent value counts as the lowest: first ascending,
    last descending, as in SQL Server (our reading, like several fields in one text). Texts are
    ordered without regard to case. Raises QueryError for a text that is no such list; the sort
    raises it when a field holds references or arrays.
    """
    check_length(text)
    fields = [_field(part) for part in text.split(",")] if text.strip() else []
    if len(fields) > MAX_ORDER_FIELDS:
        raise QueryError(f"orderBy takes at most {MAX_ORDER_FIELDS} fields.")

    def ordered(records: Iterable[Record]) -> list[Record]:
        result = list(records)
        for key, descending in reversed(fields):
            result.sort(key=key, reverse=descending)
        return result

    return ordered


def _field(part: str) -> tuple[Callable[[Record], _SortKey], bool]:
    name, *direction = part.split() or [""]
    descending = [word.lower() for word in direction]
    if descending not in ([], ["asc"], ["desc"]):
        raise QueryError(f"orderBy: {part.strip()} is not a field followed by asc or desc.")
    return _key_reader(name), descending == ["desc"]


def _key_reader(name: str) -> Callable[[Record], _SortKey]:
    read = compile_path(parse_path(name))

    def key_of(record: Record) -> _SortKey:
        value = read(record)
        if value is None:
            return _ABSENT
        rank = _RANKS.get(type_of(value))
        if rank is None:
            raise QueryError(f"orderBy: {name} is a {type_of(value)} and has no order.")
        return rank, value.casefold() if isinstance(value, str) else value

    return key_of
