"""A cursor tells where a page ended, and is bound to the list that it belongs to.

It names a position only. The caller's partner id decides whose data is read, so a forged cursor
stays within the partner's own; the binding turns a cursor of another list into a clear error.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass

from bridge.domain.errors import InvalidInputError

MAX_CURSOR_LENGTH = 4096
MAX_PAGE_SIZE = 1000
_BINDING_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Position:
    """A position is the last entry of a page."""

    range_index: int
    """The range of the list that the entry is in, counted from 0."""
    sort_key: str


def write_cursor(position: Position | None, *bound_to: object) -> str | None:
    """Return the opaque text of a position, None for the end of the list."""
    if position is None:
        return None
    content = [_binding(bound_to), position.range_index, position.sort_key]
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def read_cursor(cursor: str | None, *bound_to: object) -> Position | None:
    """Return the position. Raises InvalidInputError for a cursor of any other list."""
    if cursor is None:
        return None
    if len(cursor) > MAX_CURSOR_LENGTH:
        raise _refused()
    try:
        content = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _refused() from error
    match content:
        case [str(binding), int(range_index), str(sort_key)]:
            if binding == _binding(bound_to) and range_index >= 0 and _is_text(sort_key):
                return Position(range_index, sort_key)
    raise _refused()


def check_limit(limit: int) -> None:
    """Raise InvalidInputError for a page size outside 1 to MAX_PAGE_SIZE."""
    if not 1 <= limit <= MAX_PAGE_SIZE:
        raise InvalidInputError(f"limit must be 1 to {MAX_PAGE_SIZE}", field="limit")


def _binding(bound_to: tuple[object, ...]) -> str:
    """Return a hash of the list's question, whose ``repr`` shows all its values."""
    return hashlib.sha256(repr(bound_to).encode()).hexdigest()[:_BINDING_LENGTH]


def _is_text(sort_key: str) -> bool:
    """Tell whether a key can hold the text; JSON can spell half of a surrogate pair."""
    return not any("\ud800" <= letter <= "\udfff" for letter in sort_key)


def _refused() -> InvalidInputError:
    return InvalidInputError("not a cursor of this list", field="cursor")
