"""The codec turns the domain's frozen dataclasses into plain values and back.

The domain's own type hints are the schema: a field added there with a default can be read from
items written before it existed. A field that is renamed or changes its meaning needs a new
``SCHEMA`` (see ``items``); tests compare golden items, so that a forgotten one fails them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from bridge.domain.errors import MalformedRecordError
from bridge.store.attributes import Item, Plain
from bridge.store.keys import timestamp

T = TypeVar("T")
_Reader: TypeAlias = Callable[[Any], Any]


def encode(value: object) -> Item:
    """Return a dataclass as a map of its fields; a field that is None is left out."""
    record_type: Any = type(value)
    fields = ((name, getattr(value, name)) for name in _field_names(record_type))
    return {name: encode_value(entry) for name, entry in fields if entry is not None}


def encode_said(value: object) -> Item:
    """Return a dataclass as a map of the fields that differ from their defaults.

    A reader of another release fills the others in, so a default stays what it is for good.
    """
    record_type: Any = type(value)
    return {
        name: _said(entry)
        for name, default in _defaults(record_type).items()
        if (entry := getattr(value, name)) is not None and entry != default
    }


def _said(value: object) -> Plain:
    if isinstance(value, tuple):
        return [_said(entry) for entry in value]
    return encode_said(value) if dataclasses.is_dataclass(value) else encode_value(value)


def encode_value(value: object) -> Plain:
    """Return the plain value of one field. Raises TypeError for a float."""
    match value:
        case Enum() | date() | Decimal():
            return _text(value)
        case None | bool() | int() | str():
            return value
        case tuple():
            return [encode_value(entry) for entry in value]
        case frozenset():
            return [encode_value(entry) for entry in sorted(value)]
        case _ if dataclasses.is_dataclass(value):
            return encode(value)
    raise TypeError(f"{type(value).__name__} is not stored")


def _text(value: Enum | date | Decimal) -> str:
    match value:
        case datetime():
            return timestamp(value)
        case date():
            return value.isoformat()
        case Enum():
            return str(value.value)
    return str(value)


def decode(record_type: type[T], plain: Mapping[str, Plain]) -> T:
    """Return the dataclass that :func:`encode` made the map of.

    Raises MalformedRecordError for a stored value of another type than its field's.
    """
    try:
        read = _reader(cast("Hashable", record_type))
        return cast(T, read(plain))
    except (TypeError, ValueError, KeyError, InvalidOperation) as error:
        raise MalformedRecordError(f"stored {record_type.__name__} cannot be read") from error


@cache
def _field_names(record_type: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(record_type))


@cache
def _defaults(record_type: Any) -> Mapping[str, object]:
    """Return each field with its default, or a value like no other where it has none."""
    return {field.name: _default(field) for field in dataclasses.fields(record_type)}


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


@cache
def _reader(hint: Any) -> _Reader:
    """Return the function that reads a plain value as the hinted type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _optional(_reader(inner))
    if origin in (tuple, frozenset):
        return _many(origin, _reader(arguments[0]))
    if dataclasses.is_dataclass(hint):
        return _dataclass_reader(cast(type, hint))
    if hint is datetime or hint is date:
        return cast(_Reader, hint.fromisoformat)
    if hint is Decimal or issubclass(hint, Enum):
        return cast(_Reader, hint)
    return _exactly(hint)


def _optional(read: _Reader) -> _Reader:
    return lambda plain: None if plain is None else read(plain)


def _many(collection: Callable[[Any], Any], read: _Reader) -> _Reader:
    return lambda plain: collection(read(entry) for entry in plain)


def _exactly(hint: type) -> _Reader:
    def read(plain: Any) -> Any:
        if type(plain) is not hint:
            raise TypeError(f"{type(plain).__name__} where {hint.__name__} is stored")
        return plain

    return read


def _dataclass_reader(record_type: type) -> _Reader:
    hints = get_type_hints(record_type)
    readers = {name: _reader(hints[name]) for name in _field_names(record_type)}
    absent = {name: None for name in readers if _is_optional(hints[name])}

    def read(plain: Any) -> Any:
        fields = {name: readers[name](entry) for name, entry in plain.items() if name in readers}
        return record_type(**(absent | fields))

    return read


def _is_optional(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)
