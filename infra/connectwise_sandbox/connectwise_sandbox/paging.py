"""Lists come in pages, and a Link header leads from one page to the next.

The ConnectWise developer guide (pagination) knows two ways: navigable pages by number, and
forward-only pages by the last id seen, which the header `pagination-type: forward-only` selects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from connectwise_sandbox.errors import bad_request, invalid_field
from connectwise_sandbox.kinds import Record
from connectwise_sandbox.messages import Request

DEFAULT_PAGE_SIZE = 25
MAX_PAGE_SIZE = 1_000
MAX_PAGE = 1_000_000
MAX_DIGITS = 10


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page request selects a part of a list."""

    forward_only: bool
    size: int
    page: int
    """Counts from 1; used by navigable pages."""
    after_id: int
    """The last id seen; used by forward-only pages."""


def read_page_request(request: Request) -> PageRequest:
    """Return the page that a request asks for; raises the 400 for unusable numbers.

    The body that refuses a page size is recorded (sgtoj/PSConnectWise, issue 2).
    """
    forward_only = request.headers.get("pagination-type", "").lower() == "forward-only"
    size = _whole_number(request, "pageSize", default=DEFAULT_PAGE_SIZE, least=0)
    if not 1 <= size <= MAX_PAGE_SIZE:
        message = f"The field pageSize must be between 1 and {MAX_PAGE_SIZE}."
        raise invalid_field("pageSize", "pageSize", message, code="OutOfRange")
    if forward_only and request.parameter("orderBy"):
        raise bad_request("The orderBy parameter is not allowed with forward-only pagination.")
    return PageRequest(
        forward_only=forward_only,
        size=size,
        page=1 if forward_only else min(MAX_PAGE, _whole_number(request, "page", 1, least=1)),
        after_id=_whole_number(request, "pageId", 0, least=0) if forward_only else 0,
    )


def navigable_page(
    request: Request, url: str, rows: Sequence[Record], wanted: PageRequest
) -> tuple[Sequence[Record], str]:
    """Return the rows of one numbered page and its Link header.

    Only further pages link to the first one (recorded answers).
    """
    last = max(1, -(-len(rows) // wanted.size))
    start = (wanted.page - 1) * wanted.size
    relations = {"last": last}
    if wanted.page > 1:
        relations |= {"first": 1, "prev": min(wanted.page - 1, last)}
    if wanted.page < last:
        relations["next"] = wanted.page + 1
    page_urls = {page: _page_url(request, url, "page", page) for page in {*relations.values()}}
    links = (
        f'<{page_urls[relations[relation]]}>; rel="{relation}"'
        for relation in ("first", "prev", "next", "last")
        if relation in relations
    )
    return rows[start : start + wanted.size], ", ".join(links)


def forward_page(
    request: Request,
    url: str,
    rows: Sequence[Record],
    wanted: PageRequest,
    end: Literal["empty_page", "short_page"],
) -> tuple[Sequence[Record], str]:
    """Return the first of the remaining rows, and a Link header that is empty at the end.

    `rows` are those after `wanted.after_id`, in order of id.
    """
    page = rows[: wanted.size]
    at_end = len(page) < wanted.size if end == "short_page" else not page
    if at_end:
        return page, ""
    return page, f'<{_page_url(request, url, "pageId", page[-1]["id"])}>; rel="next"'


def _page_url(request: Request, url: str, name: str, value: int) -> str:
    kept = [_encoded(*each) for each in request.query if each[0].lower() != name.lower()]
    return f"{url}?{'&'.join([*kept, f'{name}={value}'])}"


@lru_cache(maxsize=1_024)
def _encoded(name: str, value: str) -> str:
    return f"{quote(name, safe='')}={quote(value, safe='')}"


def _whole_number(request: Request, name: str, default: int, least: int) -> int:
    text = request.parameter(name)
    if text is None or text == "":
        return default
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
        raise bad_request(f"The {name} parameter must be a whole number.")
    return max(least, int(text))
