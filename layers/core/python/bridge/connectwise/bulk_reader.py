"""The reader reads many rows: page after page, by ids, and around what ConnectWise fails on.

ConnectWise fails on a whole page when it cannot write one of its rows, or takes too long for so
many (recorded by public clients). So a failing page is halved, down to a single row. A server in
trouble fails alike, so a row counts as broken only if ConnectWise answers something else at the
same time: its count, and another row of the list. The number of failing pages is limited.

A list ends where its Link header says so, or with an empty page: a server may cap its pages and
send no header. Whatever a server answers, a list repeats no record, goes forward and ends.
Source of the facts: ConnectWise developer guide, pagination.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from bridge.connectwise.call_limits import page_limits
from bridge.connectwise.client import MAX_ATTEMPTS, ConnectWiseClient, JsonAnswer, Query
from bridge.connectwise.conditions import MAX_LIST_VALUES, chunk_ids, ids_condition
from bridge.connectwise.forward_page import ForwardPage
from bridge.connectwise.held_rows import (
    LONGER_THAN_READ,
    MAX_ROWS_OF_ONE,
    FoundRows,
    HeldBytes,
    Sifted,
    TooManyRowsError,
)
from bridge.connectwise.listed_rows import (
    Json,
    has_ended,
    joined_conditions,
    last_id_of,
    row_id,
    rows_of,
)
from bridge.connectwise.page_size import PageSize
from bridge.connectwise.wire_values import MAX_ID
from bridge.domain.errors import (
    OutOfTimeError,
    TooHeavyError,
    TooLargeError,
    TooMuchTogetherError,
    UnavailableError,
    UntrueListError,
)
from bridge.domain.run import MAX_PAGE_SIZE

MAX_PAGES = 1_000
MAX_BROKEN_OF_ALL = 20
"""So few rows may all be broken; where there are more, one has to be readable."""

_FORWARD_ONLY = {"pagination-type": "forward-only"}
# A continued list also says from which id on, and an id is ten digits at most.
_CONTINUATION = len("()%20and%20id%3E") + 10


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The wanted rows are those of a list whose ``path`` is among some ids."""

    route: str
    query: Query
    path: str
    """The property that holds the id, such as ``invoice/id``."""

    def owner_of(self, row: Json) -> int | None:
        name, _, is_reference = self.path.partition("/")
        return row_id(row.get(name)) if is_reference else row_id(row)


class BulkReader:
    """The reader reads lists of one connection in as few calls as ConnectWise's limits allow."""

    def __init__(self, client: ConnectWiseClient) -> None:
        self._client = client

    # --- forward, for ids not known yet --------------------------------------------------------

    def forward(self, route: str, query: Query, *, after_id: int, limit: int) -> ForwardPage:
        """Return up to ``limit`` rows with ids above ``after_id``, around broken ones.

        ``query`` may hold conditions and fields, which must include the id. A page on which
        ConnectWise fails too often, or for which the time runs out, ends early behind the last
        row that was reached; it may be empty where all that was learnt is a smaller size.
        """
        size = PageSize(limit)
        page = ForwardPage((), after_id, is_last=False, server_time=None)
        while not (page.is_last or page.is_full(limit) or size.is_exhausted):
            try:
                page = self._prolonged(route, query, page, size, limit - page.row_count)
            except OutOfTimeError:
                if not page.row_count and size.now >= limit:
                    raise
                break
        if page.broken_ids and not page.rows:
            self._require_row(route, query, broken=len(page.broken_ids))
        return replace(page, managed_size=size.now)

    def _prolonged(
        self, route: str, query: Query, page: ForwardPage, size: PageSize, room: int
    ) -> ForwardPage:
        """Return the page with more rows or a broken one; as it was where only the size shrank."""
        asked = min(size.now, room)
        try:
            step = self._forward_once(
                route, query, page.last_id, size=asked, attempts=size.attempts(asked)
            )
        except TooHeavyError:
            size.note_failure(asked)
            if asked > 1:
                return page
            broken_id = self._first_id(route, query, page.last_id)
            size.note_broken_row()
            return page.with_broken(broken_id)
        return page.joined(step)

    def _forward_once(
        self, route: str, query: Query, after_id: int, *, size: int, attempts: int
    ) -> ForwardPage:
        answer = self._client.read(
            route,
            query={**query, "pageId": after_id, "pageSize": size},
            headers=_FORWARD_ONLY,
            max_attempts=attempts,
            is_divisible=size > 1,
            limits=page_limits(size),
        )
        rows = rows_of(answer, at_most=size)
        is_last = has_ended(answer)
        last_id = last_id_of(rows, after_id, is_ordered=True, is_last=is_last)
        named = tuple(row for row in rows if row_id(row) is not None)
        unreadable_rows = len(answer.value) - len(named)
        return ForwardPage(
            named,
            last_id,
            is_last,
            answer.server_time,
            unreadable_rows=unreadable_rows,
            parsed_bytes=answer.parsed_bytes,
        )

    def _require_row(self, route: str, query: Query, *, broken: int) -> None:
        """Tell broken rows from a server that delivers no row, though it may count them.

        The newest or the oldest row of all has to come, unless there are so few that all may be
        broken. Raises TooHeavyError if neither does.
        """
        if broken <= self.count(route, {}) <= MAX_BROKEN_OF_ALL:
            return
        asked: Query = {"fields": query.get("fields", "id"), "pageSize": 1}
        for order in ("id desc", "id"):
            with suppress(TooHeavyError):
                self._client.read(route, query={**asked, "orderBy": order}, max_attempts=1)
                return
        raise TooHeavyError("ConnectWise delivers no row of the list")

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
        except TooHeavyError:
            pass
        if self._any_in(route, query, after_id, after_id):
            raise UnavailableError("ConnectWise counts rows whatever it is asked for")
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
        text = joined_conditions(condition, str(restricted.get("conditions", "")))
        return self.count(route, {**restricted, "conditions": text}) > 0

    # --- by ids --------------------------------------------------------------------------------

    def by_ids(
        self,
        route: str,
        query: Query,
        source_ids: Iterable[int],
        *,
        path: str = "id",
        held: HeldBytes | None = None,
    ) -> Sifted:
        """Return all rows whose ``path`` (an id) is among the ids, in as few calls as fit.

        With a path such as ``invoice/id`` an id may have many rows, up to MAX_ROWS_OF_ONE. ``held``
        is what the same reading holds already. Raises TooMuchTogetherError where the rows of
        several records do not fit beside it; those of one alone are refused.
        """
        wanted_ids = tuple(source_ids)
        held = held or HeldBytes(record_count=len(wanted_ids))
        asked = {**query, "orderBy": "id", "pageSize": MAX_PAGE_SIZE, "conditions": ""}
        room = self._client.room(route, asked) - _CONTINUATION
        wanted, sifted, size = _Wanted(route, query, path), Sifted(), PageSize(MAX_LIST_VALUES)
        waiting = deque(chunk_ids(wanted_ids, path, room))
        while waiting:
            chunk = waiting.popleft()
            if len(chunk) > size.now:
                waiting.extendleft([chunk[size.now :], chunk[: size.now]])
            else:
                waiting.extendleft(reversed(self._sift(wanted, chunk, sifted, held, size)))
        return sifted

    def _sift(
        self, wanted: _Wanted, chunk: list[int], sifted: Sifted, held: HeldBytes, size: PageSize
    ) -> list[list[int]]:
        """Read the rows of some ids; return what is to be read yet, in smaller parts."""
        try:
            found = self._rows_of(wanted, chunk, held, size.attempts(len(chunk)))
        except TooMuchTogetherError:
            raise
        except TooHeavyError as error:
            size.note_failure(len(chunk))
            if size.is_exhausted:
                raise
            if len(chunk) > 1:
                return [chunk]
            self.require_answer(wanted.route)
            if isinstance(error, TooLargeError):
                sifted.refused[chunk[0]] = LONGER_THAN_READ
            else:
                sifted.broken_ids.add(chunk[0])
            size.note_broken_row()
            return []
        except UntrueListError as error:
            refused = error.owner_id if isinstance(error, TooManyRowsError) else None
            if refused not in chunk and len(chunk) > 1:
                return [chunk[: len(chunk) // 2], chunk[len(chunk) // 2 :]]
            refused_id = refused if refused in chunk else chunk[0]
            sifted.refused[refused_id] = str(error)
            rest = [each for each in chunk if each != refused_id]
            return [rest] if rest else []
        held.add(found)
        sifted.rows.extend(found.rows)
        sifted.server_time = found.server_time
        return []

    def _rows_of(
        self, wanted: _Wanted, chunk: Sequence[int], held: HeldBytes, attempts: int
    ) -> FoundRows:
        """Return all rows of some ids.

        Raises TooHeavyError where ConnectWise fails on so many, TooMuchTogetherError where they do
        not fit beside what is held, TooManyRowsError where one id has too many, or the most in a
        list that does not end, and UnavailableError for a server that answers page after page of
        other ids.
        """
        found = FoundRows()
        owners: Counter[int | None] = Counter()
        condition = ids_condition(wanted.path, chunk)
        rows_of_one = len(chunk) == 1 and wanted.path != "id"
        pages = self._pages(
            wanted.route,
            wanted.query,
            condition,
            attempts=attempts,
            may_shrink=rows_of_one,
            is_divisible=len(chunk) > 1,
            most_rows=len(chunk) if wanted.path == "id" else MAX_PAGE_SIZE,
        )
        for number, (rows, answer) in enumerate(pages, start=1):
            found.add(rows, answer)
            owners.update(map(wanted.owner_of, rows))
            if number > 1 and rows and owners.keys() - {None, *chunk}:
                raise UnavailableError("ConnectWise lists other records than it was asked for")
            owner_id, most = next(iter(owners.most_common(1)), (None, 0))
            if most > MAX_ROWS_OF_ONE or number >= MAX_PAGES:
                raise TooManyRowsError(owner_id)
            held.require_room(found, owner_id=chunk[0])
        return found

    def require_answer(self, route: str) -> None:
        """Tell a broken row from a broken server by counting, which works beside a broken row.

        Raises TooHeavyError (an UnavailableError) if the count fails as well.
        """
        self._client.read(f"{route}/count")

    # --- everything ----------------------------------------------------------------------------

    def all(
        self,
        route: str,
        query: Query,
        *,
        ids: Mapping[str, int] | None = None,
        held: HeldBytes | None = None,
        max_rows: int = MAX_ROWS_OF_ONE,
    ) -> list[Json]:
        """Return every row of a list, which may have conditions.

        Raises UntrueListError for one of more than ``max_rows``, or too long ones;
        TooMuchTogetherError for one that does not fit beside what a reading of several records
        holds.
        """
        found = FoundRows()
        held = held or HeldBytes(record_count=1)
        conditions = str(query.get("conditions", ""))
        for rows, answer in self._pages(route, query, conditions, ids=ids, may_shrink=True):
            found.add(rows, answer)
            if len(found.rows) > max_rows:
                raise TooManyRowsError(None)
            held.require_room(found)
        held.add(found)
        return found.rows

    def _pages(
        self,
        route: str,
        query: Query,
        conditions: str,
        *,
        ids: Mapping[str, int] | None = None,
        attempts: int = MAX_ATTEMPTS,
        may_shrink: bool,
        is_divisible: bool = False,
        most_rows: int = MAX_PAGE_SIZE,
    ) -> Iterator[tuple[list[Json], JsonAnswer]]:
        """Yield a list's pages, each beginning behind the last id of the one before.

        Starting by id instead of page number keeps rows from slipping between pages while the
        list changes. With ``may_shrink`` a page that ConnectWise fails on is asked for in parts.
        """
        size, last_id = PageSize(MAX_PAGE_SIZE), 0
        for _ in range(MAX_PAGES):
            text = joined_conditions(conditions, f"id>{last_id}" if last_id else "")
            asked = {**query, "orderBy": "id", "pageSize": size.now, "conditions": text}
            try:
                answer = self._client.read(
                    route,
                    ids=ids,
                    query={name: value for name, value in asked.items() if value != ""},
                    max_attempts=size.attempts(size.now) if may_shrink else attempts,
                    is_divisible=is_divisible or (may_shrink and size.now > 1),
                    limits=page_limits(min(size.now, most_rows)),
                )
            except TooHeavyError:
                if not may_shrink or size.now == 1:
                    raise
                size.note_failure(size.now)
                continue
            rows = rows_of(answer, at_most=size.now)
            is_last = has_ended(answer)
            last_id = last_id_of(rows, last_id, is_ordered=not is_last, is_last=is_last)
            yield rows, answer
            if is_last:
                return
        raise UntrueListError("ConnectWise's list does not end")

    def count(self, route: str, query: Query) -> int:
        """Return how many rows a list has."""
        value = self._client.read(f"{route}/count", query=query).value
        number = value.get("count") if isinstance(value, Mapping) else None
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise UnavailableError("ConnectWise answered no count")
        return number
