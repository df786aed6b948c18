"""A `fields` parameter becomes a projection of wire records here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from connectwise_sandbox.query.errors import QueryError
from connectwise_sandbox.query.parser import check_length, parse_path
from connectwise_sandbox.query.values import Record

MAX_FIELDS = 250

_Selection = dict[str, "_Selection | None"]
"""The properties to keep; None keeps a property whole."""


@lru_cache(maxsize=256)
def select_fields(text: str) -> Callable[[Record], dict[str, object]]:
    """Return a projection for `id,status/id,_info/lastUpdated`; a blank text keeps everything.

    A slash path keeps the reference with only the asked leaf in it, also in every member of an
    array. Absent and unknown properties are left out. Raises QueryError for a malformed path.
    """
    check_length(text)
    if not text.strip():
        return dict
    names = text.split(",")
    if len(names) > MAX_FIELDS:
        raise QueryError(f"fields takes at most {MAX_FIELDS} properties.")
    selection: _Selection = {}
    for name in names:
        _add(selection, parse_path(name.strip()))
    return lambda record: _project(record, selection)


@lru_cache(maxsize=256)
def selected_names(text: str) -> frozenset[str]:
    """Return the top-level properties that `select_fields` keeps, whole or in part.

    Raises QueryError as `select_fields` does.
    """
    select_fields(text)
    return frozenset(parse_path(name.strip())[0] for name in text.split(","))


def _add(selection: _Selection, path: tuple[str, ...]) -> None:
    *parents, leaf = path
    for name in parents:
        inner = selection.setdefault(name, {})
        if inner is None:
            return
        selection = inner
    selection[leaf] = None


def _project(record: Record, selection: _Selection) -> dict[str, object]:
    kept = {}
    for name, inner in selection.items():
        value = record.get(name)
        if value is not None:
            kept[name] = value if inner is None else _project_value(value, inner)
    return kept


def _project_value(value: object, selection: _Selection) -> object:
    if isinstance(value, Mapping):
        return _project(value, selection)
    if isinstance(value, list):
        return [_project_value(member, selection) for member in value]
    return value
