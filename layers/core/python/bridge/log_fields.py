"""Each log line names the work that it is about: partner, connection, records.

The fields belong to the work and not to the line, so that a warning deep inside names them too.
They hold ids and codes only; names of people, amounts and secrets may not stand in them (R9).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, TypeAlias

LogValue: TypeAlias = "str | int | tuple[int, ...]"

MAX_IDS_LISTED: Final = 10
"""A line names so many ids of its records at most."""

_fields: ContextVar[Mapping[str, LogValue] | None] = ContextVar("log_fields", default=None)
_PLAIN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime"}


@contextmanager
def log_fields(**fields: LogValue) -> Iterator[None]:
    """Add fields to every line that is logged inside. Empty texts are left out."""
    token = _fields.set({**(_fields.get() or {}), **_told(fields)})
    try:
        yield
    finally:
        _fields.reset(token)


def add_log_fields(**fields: LogValue) -> None:
    """Add fields to the later lines of the present work; they end with it."""
    known = _fields.get()
    if known is not None:
        _fields.set({**known, **_told(fields)})


def _told(fields: Mapping[str, LogValue]) -> dict[str, LogValue]:
    return {
        name: value[:MAX_IDS_LISTED] if isinstance(value, tuple) else value
        for name, value in fields.items()
        if value not in ("", ())
    }


class LogFieldsFilter(logging.Filter):
    """The filter writes the fields of the work into each record; a line's own ones stand."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in (_fields.get() or {}).items():
            vars(record).setdefault(name, value)
        return True


class JsonLines(logging.Formatter):
    """The formatter writes a record as one line of JSON, for a function that starts lean."""

    def format(self, record: logging.LogRecord) -> str:
        own = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        line = {
            "level": record.levelname,
            "message": record.getMessage(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            **own,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, separators=(",", ":"))
