"""Walk a list to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.ports import Page

MAX_PAGES = 300


def walk(read: Callable[[str | None], Page[Any]]) -> list[Any]:
    """Return what all pages hold; a page may be short but must then have a cursor."""
    found: list[Any] = []
    cursor = None
    for _ in range(MAX_PAGES):
        page = read(cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the pages do not end")
