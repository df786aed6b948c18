"""A list is read page after page, up to as many items as a figure adds up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bridge.ports import Page

T = TypeVar("T")

PAGE_SIZE: Final = 1_000


@dataclass(frozen=True, slots=True)
class BoundedList(Generic[T]):
    """The items of a list that were read."""

    items: tuple[T, ...]
    is_complete: bool
    """False: there are more than are read at once."""


def read_list(
    list_page: Callable[[int, str | None], Page[T]], *, most: int, max_pages: int
) -> BoundedList[T]:
    """Return up to ``most`` items. ``list_page`` takes the size of a page and its cursor.

    Pages may be short where a store searched long for them, so their number is limited, too.
    """
    items: list[T] = []
    cursor = None
    for _ in range(max_pages):
        page = list_page(min(PAGE_SIZE, most - len(items)), cursor)
        items += page.items
        cursor = page.next_cursor
        if cursor is None or len(items) == most:
            break
    return BoundedList(tuple(items), is_complete=cursor is None)
