"""Rows are what a list answers: read here, and refused where no true list would answer so.

Source of the facts: ConnectWise developer guide, pagination.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.connectwise.client import JsonAnswer
from bridge.connectwise.wire_values import usable_id
from bridge.domain.errors import UnavailableError, UntrueListError

_NEXT_LINK = re.compile(r'rel\s*=\s*"?(?:[^",;]*\s)?next\b', re.IGNORECASE)
_PAGE_LINK = re.compile(r'rel\s*=\s*"?(?:[^",;]*\s)?(?:first|prev|last)', re.IGNORECASE)

Json = Mapping[str, Any]


def row_id(row: object) -> int | None:
    """Return the id of a row or a reference, or None for a missing or unusable one."""
    return usable_id(row.get("id")) if isinstance(row, Mapping) else None


def rows_of(answer: JsonAnswer, *, at_most: int) -> list[Json]:
    """Return the rows of a list, which ConnectWise answers as a bare array (developer guide)."""
    if not isinstance(answer.value, list):
        raise UnavailableError("ConnectWise answered no list")
    if len(answer.value) > at_most:
        raise UntrueListError("ConnectWise gives more records than it was asked for")
    return [row for row in answer.value if isinstance(row, Mapping)]


def last_id_of(rows: Sequence[Json], after_id: int, *, is_ordered: bool, is_last: bool) -> int:
    """Return the highest id of a page, or ``after_id`` for an empty one.

    Raises UntrueListError for a page that repeats an id or goes back, and for one in disorder
    where the order decides what comes next.
    """
    ids = [each for each in map(row_id, rows) if each is not None]
    if len(set(ids)) < len(ids):
        raise UntrueListError("ConnectWise's list repeats a record")
    if any(each <= after_id for each in ids) or (is_ordered and ids != sorted(ids)):
        raise UntrueListError("ConnectWise's list goes backwards")
    if not ids and not is_last:
        raise UntrueListError("ConnectWise's list does not advance")
    return max(ids, default=after_id)


def has_ended(answer: JsonAnswer) -> bool:
    """Tell whether a page is a list's last: by an empty page, or by a Link header without a next.

    ConnectWise's own header is empty on the last page, or names other pages. A header about
    anything else, which a proxy may add, says nothing.
    """
    link = answer.headers.get("Link")
    if not answer.value or link is None or _NEXT_LINK.search(link):
        return not answer.value
    return not link.strip() or _PAGE_LINK.search(link) is not None


def joined_conditions(first: str, second: str) -> str:
    """Return the condition that both hold; an empty one always does."""
    texts = [text for text in (first, second) if text]
    return " and ".join(f"({text})" if " or " in text else text for text in texts)
