"""The reader reads many rows: page after page, by ids, and around a row that breaks its page.

ConnectWise answers 500 for a whole page when it cannot write one of its rows, so a failing page
is halved until the row stands alone (recorded by a public client). A 500 also comes from a
server in trouble, so a row counts as broken only if ConnectWise answers something else at the
same time, and the number of failing pages is limited.
Source of the facts: ConnectWise developer guide, pagination.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.connectwise.client import MAX_ATTEMPTS, ConnectWiseClient, JsonAnswer, Query
from bridge.connectwise.conditions import chunk_ids, ids_condition
from bridge.connectwise.exchange import Answer
from bridge.connectwise.failures import ServerFailedError
from bridge.connectwise.wire import MAX_ID
from bridge.domain.errors import UnavailableError

MAX_PAGE_SIZE = 1_000
MAX_PAGES = 1_000
MAX_FAILURES = 150
"""A search for broken rows ends after so many failing pages."""

_FORWARD_ONLY = {"pagination-type": "forward-only"}
_NEXT_LINK = re.compile(r'rel\s*=\s*"?next\b')
# A continued list also says from which id on, and an id is ten digits at most.
_CONTINUATION = len("()%20and%20id%3E") + 10

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ForwardPage:
    """A page holds rows in the order of their ids."""

    rows: tuple[Json, ...]
    last_id: int
    """The id of the last row that was reached, be it readable or broken."""
    is_last: bool
    answer: Answer | None
    """The first of the answers that brought the rows."""
    broken_ids: tuple[int, ...] = ()
    """The ids of rows that ConnectWise fails to write."""


@dataclass(slots=True)
class Sifted:
    """Sifted rows were read by ids, readable ones apart from broken ones."""

    rows: list[Json] = field(default_factory=list)
    broken_ids: set[int] = field(default_factory=set)
    """The ids that have a row which ConnectWise fails to write."""
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The wanted rows are those of a list whose ``path`` is among some ids."""

    route: str
    query: Query
    path: str
    """The property that holds the id, such as ``invoice/id``."""


class _Search:
    """A search narrows a failing page down to its broken row, within a limit of failures."""

    def __init__(self, page_size: int) -> None:
        self._page_size = page_size
        self._suspects = 0
        self._failures = 0

    @property
    def size(self) -> int:
        """Return how many rows to ask for next: half of those among which the broken one is."""
        return max(1, self._suspects // 2) if self._suspects else self._page_size

    def attempts(self, size: int) -> int:
        """Return how often to ask: once for a page that would only be halved again."""
        return 1 if self._failures and size > 1 else MAX_ATTEMPTS

    @property
    def is_exhausted(self) -> bool:
        return self._failures >= MAX_FAILURES

    def note_failure(self, size: int) -> None:
        self._failures += 1
        self._suspects = size if size > 1 else 0

    def note_rows(self, count: int) -> None:
        self._suspects = max(0, self._suspects - count)


class BulkReader:
    """The reader reads lists of one connection in as few calls as ConnectWise's limits allow."""

    def __init__(self, client: ConnectWiseClient) -> None:
        self._client = client

    # --- forward, for ids not known yet --------------------------------------------------------

    def forward(self, route: str, query: Query, *, after_id: int, limit: int) -> ForwardPage:
        """Return up to ``limit`` rows with ids above ``after_id``, around broken ones.

        ``query`` may hold conditions and fields, which must include the id. A page on which
        ConnectWise fails too often ends early, behind the last row that was reached.
        """
        search = _Search(limit)
        page = ForwardPage((), after_id, is_last=False, answer=None)
        while not page.is_last and _count(page) < limit and not search.is_exhausted:
            size = min(search.size, limit - _count(page))
            try:
                step = self._forward_once(
                    route, query, page.last_id, size=size, attempts=search.attempts(size)
                )
            except ServerFailedError:
                search.note_failure(size)
                if size == 1:
                    page = _with_broken(page, self._first_id(route, query, page.last_id))
            else:
                search.note_rows(len(step.rows))
                page = _joined(page, step)
        return page

    def _forward_once(
        self, route: str, query: Query, after_id: int, *, size: int, attempts: int
    ) -> ForwardPage:
        answer = self._client.read(
            route,
            query={**query, "pageId": after_id, "pageSize": size},
            headers=_FORWARD_ONLY,
            max_attempts=attempts,
        )
        rows = _rows(answer)
        ids = [row_id(row) for row in rows]
        last_id = max((each for each in ids if each is not None), default=after_id)
        if rows and last_id <= after_id:
            raise UnavailableError("ConnectWise's pages do not advance")
        has_next = _has_next(answer.answer, is_full=len(rows) >= size)
        return ForwardPage(
            tuple(rows), last_id, is_last=not rows or not has_next, answer=answer.answer
        )

    def _first_id(self, route: str, query: Query, after_id: int) -> int:
        """Return the id of the first row above ``after_id``, which breaks its page.

        Its id alone may still be readable; otherwise counting finds it, which ConnectWise can
        do while a row is broken.
        """
        try:
            page = self._forward_once(
                route, {**query, "fields": "id"}, after_id, size=1, attempts=1
            )
            if page.rows:
                return page.last_id
        except ServerFailedError:
            pass
        reach = 1
        while not self._any_in(route, query, after_id, after_id + reach):
            if after_id + reach >= MAX_ID:
                raise UnavailableError("ConnectWise fails on a row that it does not have")
            reach *= 2
        low, high = after_id, after_id + reach
        while high - low > 1:
            middle = (low + high) // 2
            if self._any_in(route, query, after_id, middle):
                high = middle
            else:
                low = middle
        return high

    def _any_in(self, route: str, query: Query, above_id: int, through_id: int) -> bool:
        condition = f"id>{above_id} and id<={through_id}"
        restricted = {
            name: value
            for name, value in query.items()
            if name in ("conditions", "childConditions")
        }
        text = _and(condition, str(restricted.get("conditions", "")))
        return self.count(route, {**restricted, "conditions": text}) > 0

    # --- by ids --------------------------------------------------------------------------------

    def by_ids(
        self, route: str, query: Query, source_ids: Iterable[int], *, path: str = "id"
    ) -> Sifted:
        """Return all rows whose ``path`` (an id) is among the ids, in as few calls as fit.

        With a path such as ``invoice/id`` an id may have many rows.
        """
        query = {**query, "orderBy": "id", "pageSize": MAX_PAGE_SIZE}
        room = self._client.room(route, {**query, "conditions": ""}) - _CONTINUATION
        sifted, search = Sifted(), _Search(MAX_PAGE_SIZE)
        wanted = _Wanted(route, query, path)
        for chunk in chunk_ids(source_ids, path, room):
            self._sift(wanted, chunk, sifted, search)
        return sifted

    def require_answer(self, route: str) -> None:
        """Tell a broken row from a broken server by counting, which works beside a broken row.

        Raises ServerFailedError (an UnavailableError) if the count fails as well.
        """
        self._client.read(f"{route}/count")

    def _sift(self, wanted: _Wanted, chunk: Sequence[int], sifted: Sifted, search: _Search) -> None:
        condition = ids_condition(wanted.path, chunk)
        attempts = search.attempts(len(chunk))
        try:
            rows, sifted.answer = self._all(
                wanted.route, wanted.query, condition, attempts=attempts
            )
        except ServerFailedError:
            search.note_failure(len(chunk))
            if search.is_exhausted:
                raise
            if len(chunk) == 1:
                self.require_answer(wanted.route)
                sifted.broken_ids.add(chunk[0])
                return
            middle = len(chunk) // 2
            self._sift(wanted, chunk[:middle], sifted, search)
            self._sift(wanted, chunk[middle:], sifted, search)
        else:
            sifted.rows.extend(rows)

    # --- everything ----------------------------------------------------------------------------

    def all(
        self, route: str, query: Query, *, ids: Mapping[str, int] | None = None
    ) -> tuple[list[Json], Answer]:
        """Return every row of a list, which may have conditions."""
        conditions = str(query.get("conditions", ""))
        query = {**query, "orderBy": "id", "pageSize": MAX_PAGE_SIZE}
        return self._all(route, query, conditions, ids=ids)

    def _all(
        self,
        route: str,
        query: Query,
        conditions: str,
        *,
        ids: Mapping[str, int] | None = None,
        attempts: int = MAX_ATTEMPTS,
    ) -> tuple[list[Json], Answer]:
        """Follow a list to its last page, each page beginning behind the last id of the one before.

        Navigable pages tell for sure which one is the last, and starting by id instead of page
        number keeps rows from slipping between pages while the list changes.
        """
        found: list[Json] = []
        text = conditions
        for _ in range(MAX_PAGES):
            asked = {**query, "conditions": text} if text else dict(query)
            answer = self._client.read(route, ids=ids, query=asked, max_attempts=attempts)
            rows = _rows(answer)
            found.extend(rows)
            if not rows or not _has_next(answer.answer, is_full=len(rows) >= MAX_PAGE_SIZE):
                return found, answer.answer
            last_ids = [each for each in map(row_id, rows) if each is not None]
            if not last_ids:
                raise UnavailableError("ConnectWise's pages do not advance")
            text = _and(conditions, f"id>{max(last_ids)}")
        raise UnavailableError("ConnectWise's list does not end")

    def count(self, route: str, query: Query) -> int:
        """Return how many rows a list has."""
        value = self._client.read(f"{route}/count", query=query).value
        number = value.get("count") if isinstance(value, Mapping) else None
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise UnavailableError("ConnectWise answered no count")
        return number


def row_id(row: object) -> int | None:
    """Return the id of a row or a reference, or None for a missing or unusable one."""
    value = row.get("id") if isinstance(row, Mapping) else None
    is_id = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_ID
    return value if is_id else None


def _rows(answer: JsonAnswer) -> list[Json]:
    """Return the rows of a list, which ConnectWise answers as a bare array (developer guide)."""
    if not isinstance(answer.value, list):
        raise UnavailableError("ConnectWise answered no list")
    return [row for row in answer.value if isinstance(row, Mapping)]


def _has_next(answer: Answer, *, is_full: bool) -> bool:
    """Tell whether a list goes on: by the Link header, or where it is absent by a full page."""
    link = answer.headers.get("Link")
    return is_full if link is None else _NEXT_LINK.search(link) is not None


def _and(first: str, second: str) -> str:
    texts = [text for text in (first, second) if text]
    return " and ".join(f"({text})" if " or " in text else text for text in texts)


def _count(page: ForwardPage) -> int:
    return len(page.rows) + len(page.broken_ids)


def _joined(page: ForwardPage, step: ForwardPage) -> ForwardPage:
    return ForwardPage(
        page.rows + step.rows,
        step.last_id,
        step.is_last,
        page.answer or step.answer,
        page.broken_ids,
    )


def _with_broken(page: ForwardPage, broken_id: int) -> ForwardPage:
    """Return the page extended by a broken row; more rows may follow."""
    return ForwardPage(page.rows, broken_id, False, page.answer, (*page.broken_ids, broken_id))
