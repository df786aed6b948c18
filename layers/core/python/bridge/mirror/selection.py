"""The records of a run's page that need a refresh are chosen here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime

from bridge.domain.comparison import Comparison, Difference, difference_between
from bridge.domain.connection import Connection
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import mirrored_kind
from bridge.domain.run import MAX_PAGE_SIZE, MAX_RECORDS, Counters, Run, Selection
from bridge.mirror.payers import NEVER_LISTED
from bridge.ports import Clock, Head, ListedPage, ListedRecord, Psa, RecordStore

PAGE_SIZE = MAX_PAGE_SIZE
VANISHED_PAGE_SIZE = 50
LIST_BY_ID_BATCH = 200
LACKING_PAGE_SIZE = 100
NIGHTS_BETWEEN_READINGS = 30
MAX_STORED = 5_000
"""A page takes at most this many mirrored records, and ends at the last of them: filters may hide
many of them from ConnectWise's list."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The work of one page."""

    source_ids: tuple[int, ...]
    """Records to refresh."""
    listed_ids: tuple[int, ...]
    """All records that ConnectWise listed, chosen or left out."""
    last_id: int
    is_last: bool
    server_time: datetime | None = None
    broken_ids: tuple[int, ...] = ()
    """Records that ConnectWise fails to deliver."""
    unreadable_rows: int = 0
    """Rows whose very id is unreadable."""
    vanished_ids: tuple[int, ...] = ()
    """Mirrored records missing from the list; their deletion is still to be proven."""
    compared_ids: tuple[int, ...] = ()
    """Records that were held against the other side."""
    differences: Mapping[int, Difference] = field(default_factory=dict)
    """The gravest difference of each compared record that differs."""
    managed_size: int = MAX_PAGE_SIZE
    """The records that ConnectWise managed to list at once."""
    heads: Mapping[int, Head] = field(default_factory=dict)
    """The listed heads of records that are all refreshed."""
    is_gapless: bool = False
    """The records to refresh are all that ConnectWise has in their range of ids."""

    @property
    def has_rows(self) -> bool:
        """Tell whether ConnectWise gave more than failures, from which a smaller size is learnt."""
        return self.is_last or bool(self.source_ids or self.listed_ids or self.broken_ids)

    @property
    def counters(self) -> Counters:
        """Return the outcomes of what is not refreshed, with all records of the page as seen."""
        chosen, broken = set(self.source_ids), set(self.broken_ids)
        passed_over = set(self.listed_ids) - chosen - broken
        equal = passed_over & set(self.compared_ids)
        return Counters(
            seen=len(passed_over | chosen | broken),
            unchanged=len(equal),
            skipped=len(passed_over - equal),
            failed=len(broken),
        )

    def added_to(self, comparison: Comparison, *, left_out: Collection[int]) -> Comparison:
        """Return the comparison with this page, once its records were refreshed.

        A record that a filter leaves out is missing nowhere; ConnectWise lists it because its
        conditions cannot express the filter.
        """
        outside = set(left_out)
        return comparison.with_page(
            compared=len(self.compared_ids),
            differences=(each for i, each in self.differences.items() if i not in outside),
            listed=len(self.listed_ids) + len(self.broken_ids) + self.unreadable_rows,
            unreadable_rows=self.unreadable_rows,
        )

    def through(self, last_id: int) -> Choice:
        """Return the part of this choice up to an id, with more pages to follow."""
        return replace(
            self,
            source_ids=tuple(i for i in self.source_ids if i <= last_id),
            listed_ids=tuple(i for i in self.listed_ids if i <= last_id),
            broken_ids=tuple(i for i in self.broken_ids if i <= last_id),
            vanished_ids=tuple(i for i in self.vanished_ids if i <= last_id),
            compared_ids=tuple(i for i in self.compared_ids if i <= last_id),
            differences={i: each for i, each in self.differences.items() if i <= last_id},
            last_id=last_id,
            is_last=False,
        )


class Selector:
    """A selector lists a page of records and picks some by the step's selection."""

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def count_mirrored(self, connection: Connection, kind: RecordKind) -> int:
        return self._records.count_mirrored(connection.partner_id, connection.connection_id, kind)

    def choose(self, connection: Connection, psa: Psa, run: Run) -> Choice:
        step = run.step
        if step.selection is Selection.VANISHED:
            return _next_vanished(run)
        if step.selection is Selection.LACKING_PAYMENTS:
            return self._next_lacking_payments(connection, run)
        page = psa.list_records(
            step.record_kind,
            after_id=run.cursor_id,
            limit=min(PAGE_SIZE, run.page_size),
            changed_since=run.since if step.selection is Selection.CHANGED else None,
            filters=connection.filters,
            with_heads=step.selection is Selection.ALL,
        )
        if step.selection is Selection.UNPAID:
            return self._choose_unpaid(connection, psa, run, page)
        if step.selection is Selection.DIFFERING:
            return self._choose_differing(connection, psa, run, page)
        source_ids = {listed.source_id for listed in page.records}
        if run.since and mirrored_kind(step.record_kind).has_contacts:
            # A contact's new address leaves the change date of its company as it was.
            with_contacts = psa.list_customers_with_changed_contacts(run.since)
            source_ids |= {i for i in with_contacts if _is_in_page(i, run, page)}
        return _choice(page, source_ids)

    def lack_payments(self, connection: Connection) -> bool:
        """Tell whether payments of some mirrored invoice are still to be read."""
        scope = (connection.partner_id, connection.connection_id)
        return bool(self._records.list_lacking_payments(*scope, below_id=None, limit=1))

    def count_lacking_payments(self, connection: Connection) -> int:
        scope = (connection.partner_id, connection.connection_id)
        return len(self._records.list_lacking_payments(*scope, below_id=None, limit=MAX_RECORDS))

    def _next_lacking_payments(self, connection: Connection, run: Run) -> Choice:
        """Choose the newest invoices below the cursor, which the run has reached from above."""
        size = min(LACKING_PAGE_SIZE, run.page_size)
        source_ids = self._records.list_lacking_payments(
            connection.partner_id,
            connection.connection_id,
            below_id=run.cursor_id or None,
            limit=size,
        )
        return Choice(
            source_ids=source_ids,
            listed_ids=(),
            last_id=source_ids[-1] if source_ids else run.cursor_id,
            is_last=len(source_ids) < size,
        )

    def _choose_unpaid(
        self, connection: Connection, psa: Psa, run: Run, page: ListedPage
    ) -> Choice:
        """Choose records unpaid on either side: one unpaid only in the mirror was paid meanwhile.

        Vanished records are left to the sweep.
        """
        page, mirrored = self._with_mirrored_records(connection, run, page)
        stored = {each.source_id for each in mirrored if each.has_balance}
        listed = {each.source_id: each for each in page.records}
        listed.update(self._list_by_id(psa, run, stored - listed.keys()))
        return _choice(page, {i for i, each in listed.items() if each.has_balance or i in stored})

    def _choose_differing(
        self, connection: Connection, psa: Psa, run: Run, page: ListedPage
    ) -> Choice:
        """Choose records that differ between both sides; hidden ones are listed by id.

        Invoices with payments are chosen once a month though their heads agree, because a payment
        that was written anew leaves the head as it was.
        """
        page, mirrored = self._with_mirrored_records(connection, run, page)
        stored = {each.source_id: each for each in mirrored}
        listed = {each.source_id: each for each in page.records}
        unlisted = {i for i, each in stored.items() if i not in listed and not each.is_archived}
        hidden = self._list_by_id(psa, run, unlisted)
        listed.update(hidden)
        unread = [i for i, each in stored.items() if i in listed and each.lacks_payments]
        differences = {
            i: _difference(stored.get(i), each)
            for i, each in listed.items()
            if i not in stored or stored[i].change_fingerprint != each.change_fingerprint
        }
        never_listed = {i for i in unlisted if stored[i].change_fingerprint == NEVER_LISTED}
        vanished = unlisted - hidden.keys() - set(page.broken_ids) - never_listed
        return replace(
            _choice(page, differences.keys() | self._due_payments(stored, listed)),
            vanished_ids=tuple(sorted(vanished)),
            compared_ids=tuple(sorted(listed.keys() | vanished)),
            differences=dict.fromkeys(unread, Difference.PAYMENTS_UNREAD)
            | differences
            | dict.fromkeys(vanished, Difference.MISSING_THERE),
        )

    def _due_payments(
        self, stored: Mapping[int, ListedRecord], listed: Mapping[int, ListedRecord]
    ) -> frozenset[int]:
        """Return the invoices whose payments are read again this night: each has its own in a
        month, by its id."""
        tonight = self._clock.now().toordinal()
        return frozenset(
            i
            for i, each in listed.items()
            if each.has_payments
            and (i + tonight) % NIGHTS_BETWEEN_READINGS == 0
            and i in stored
            and not stored[i].lacks_payments
        )

    def _list_by_id(self, psa: Psa, run: Run, source_ids: Set[int]) -> dict[int, ListedRecord]:
        """List by id the records that the filters left out of the page."""
        ids = sorted(source_ids)
        listed: dict[int, ListedRecord] = {}
        for start in range(0, len(ids), LIST_BY_ID_BATCH):
            batch = ids[start : start + LIST_BY_ID_BATCH]
            listed.update(psa.list_records_by_id(run.step.record_kind, batch))
        return listed

    def _with_mirrored_records(
        self, connection: Connection, run: Run, page: ListedPage
    ) -> tuple[ListedPage, tuple[ListedRecord, ...]]:
        """Return the page, cut after MAX_STORED mirrored records, and those records."""
        if page.last_id == run.cursor_id and not page.is_last:
            return page, ()
        stored = self._records.list_mirrored(
            connection.partner_id,
            connection.connection_id,
            run.step.record_kind,
            after_id=run.cursor_id,
            through_id=None if page.is_last else page.last_id,
            limit=MAX_STORED,
        )
        if len(stored) < MAX_STORED:
            return page, stored
        return _cut_page(page, stored[-1].source_id), stored


def _cut_page(page: ListedPage, last_id: int) -> ListedPage:
    """Return the part of a page up to an id, with more pages to follow."""
    return replace(
        page,
        records=tuple(each for each in page.records if each.source_id <= last_id),
        broken_ids=tuple(i for i in page.broken_ids if i <= last_id),
        last_id=last_id,
        is_last=False,
    )


def _difference(stored: ListedRecord | None, listed: ListedRecord) -> Difference:
    if stored is None:
        return Difference.MISSING_HERE
    return difference_between(stored.change_fingerprint, listed.change_fingerprint)


def _choice(page: ListedPage, source_ids: Set[int]) -> Choice:
    return Choice(
        source_ids=tuple(sorted(source_ids - set(page.broken_ids))),
        listed_ids=tuple(each.source_id for each in page.records),
        last_id=page.last_id,
        is_last=page.is_last,
        server_time=page.server_time,
        broken_ids=page.broken_ids,
        unreadable_rows=page.unreadable_rows,
        managed_size=page.managed_size,
        heads=page.heads,
        is_gapless=page.is_gapless and len(source_ids) == len(page.records),
    )


def _next_vanished(run: Run) -> Choice:
    ids = sorted(i for i in run.vanished(run.step.record_kind) if i > run.cursor_id)
    batch = tuple(ids[:VANISHED_PAGE_SIZE])
    return Choice(
        source_ids=batch,
        listed_ids=(),
        last_id=batch[-1] if batch else run.cursor_id,
        is_last=len(batch) == len(ids),
    )


def _is_in_page(source_id: int, run: Run, page: ListedPage) -> bool:
    return run.cursor_id < source_id and (page.is_last or source_id <= page.last_id)
