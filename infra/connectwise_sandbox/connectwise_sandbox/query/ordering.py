"""An `orderBy` parameter becomes a sort over wire records here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from connectwise_sandbox.query.errors import QueryError
from connectwise_sandbox.query.parser import check_length, parse_path
from connectwise_sandbox.query.shapes import Shape
from connectwise_sandbox.query.syntax import Path
from connectwise_sandbox.query.values import Record, ValueType, compile_path, type_of

MAX_ORDER_FIELDS = 10

Order = Callable[[Iterable[Record]], list[Record]]
_SortKey = tuple[int, object]
_ABSENT: _SortKey = (0, 0)
_RANKS = {ValueType.BOOLEAN: 1, ValueType.NUMBER: 2, ValueType.DATE: 3, ValueType.TEXT: 4}


@lru_cache(maxsize=256)
def compile_order_by(text: str, shape: Shape | None = None) -> Order:
    """Return a stable sort for `name asc, lastUpdated desc`; a blank text keeps the order.

    A field ascends unless it says `desc`. An absent value counts as the lowest, as in SQL Server,
    and one text may name several fields (both our reading). Upper and lower case are equal.
    With the shape of the records, names are read in any case and unknown ones are refused.
    Raises QueryError for any other text; the sort raises it for references and arrays.
    """
    check_length(text)
    fields = [_parse_field(part, shape) for part in text.split(",")] if text.strip() else []
    if len(fields) > MAX_ORDER_FIELDS:
        raise QueryError(f"orderBy takes at most {MAX_ORDER_FIELDS} fields.")

    def ordered(records: Iterable[Record]) -> list[Record]:
        result = list(records)
        for key, descending in reversed(fields):
            result.sort(key=key, reverse=descending)
        return result

    return ordered


def _parse_field(part: str, shape: Shape | None) -> tuple[Callable[[Record], _SortKey], bool]:
    name, *direction = part.split() or [""]
    descending = [word.lower() for word in direction]
    if descending not in ([], ["asc"], ["desc"]):
        raise QueryError(f"orderBy: {part.strip()} is not a field followed by asc or desc.")
    path = parse_path(name)
    if shape is not None:
        path, found = shape.find(path)
        if found.type in (ValueType.OBJECT, ValueType.LIST):
            raise QueryError(f"orderBy: {name} is a {found.type} and has no order.")
    return _key_reader(path), descending == ["desc"]


def _key_reader(path: Path) -> Callable[[Record], _SortKey]:
    read, name = compile_path(path), "/".join(path)

    def key_of(record: Record) -> _SortKey:
        value = read(record)
        if value is None:
            return _ABSENT
        rank = _RANKS.get(type_of(value))
        if rank is None:
            raise QueryError(f"orderBy: {name} is a {type_of(value)} and has no order.")
        return rank, value.casefold() if isinstance(value, str) else value

    return key_of
