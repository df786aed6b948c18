"""Choose which records of a run's page are worth refreshing."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.domain.connection import Connection
from bridge.domain.identity import RecordKind
from bridge.domain.run import Run, Selection
from bridge.ports import Head, HeadPage, Psa, RecordStore

PAGE_SIZE = 1000
VANISHED_PAGE_SIZE = 50
FETCH_HEADS_BATCH = 200
MAX_STORED_HEADS = 5_000
"""Filters may hide many records from ConnectWise's list that the mirror has. A page takes so many
of the mirror's at most, and ends at the last of them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One page's worth of work.

    ``listed_ids`` are what ConnectWise listed, chosen or not. ``vanished_ids`` are in the mirror
    but not listed any more; nothing is proven about them yet.
    """

    source_ids: tuple[int, ...]
    listed_ids: tuple[int, ...]
    last_id: int
    is_last: bool
    server_time: datetime | None = None
    broken_ids: tuple[int, ...] = ()
    vanished_ids: tuple[int, ...] = ()

    def through(self, last_id: int) -> Choice:
        """Return the part of this choice up to an id, as a page that is not the last."""
        return replace(
            self,
            source_ids=tuple(i for i in self.source_ids if i <= last_id),
            listed_ids=tuple(i for i in self.listed_ids if i <= last_id),
            broken_ids=tuple(i for i in self.broken_ids if i <= last_id),
            vanished_ids=tuple(i for i in self.vanished_ids if i <= last_id),
            last_id=last_id,
            is_last=False,
        )


class Selector:
    """Reads a page of heads and picks by the step's selection."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def count_mirrored(self, connection: Connection, kind: RecordKind) -> int:
        return self._records.count_mirrored(connection.partner_id, connection.connection_id, kind)

    def choose(self, connection: Connection, psa: Psa, run: Run) -> Choice:
        step = run.step
        if step.selection is Selection.VANISHED:
            return _next_vanished(run)
        page = psa.list_heads(
            step.record_kind,
            after_id=run.cursor_id,
            limit=PAGE_SIZE,
            changed_since=run.since if step.selection is Selection.CHANGED else None,
            filters=connection.filters,
        )
        if step.selection is Selection.UNPAID:
            return self._unpaid(connection, psa, run, page)
        if step.selection is Selection.DIFFERING:
            return self._differing(connection, psa, run, page)
        source_ids = {head.source_id for head in page.heads}
        if step.record_kind is RecordKind.CUSTOMER and run.since:
            # A contact's new address is no change of its company.
            with_contacts = psa.list_customers_with_changed_contacts(run.since)
            source_ids |= {i for i in with_contacts if _is_in_page(i, run, page)}
        return _choice(page, source_ids)

    def _unpaid(self, connection: Connection, psa: Psa, run: Run, page: HeadPage) -> Choice:
        """Those unpaid on either side: what is open only in the mirror was paid elsewhere.

        What vanished is none of this run's business; the sweep sees to it.
        """
        page, heads = self._beside_stored(connection, run, page)
        stored = {head.source_id for head in heads if head.has_balance}
        listed = {head.source_id: head for head in page.heads}
        listed.update(self._unlisted_heads(psa, run, stored - listed.keys()))
        return _choice(page, {i for i, head in listed.items() if head.has_balance or i in stored})

    def _differing(self, connection: Connection, psa: Psa, run: Run, page: HeadPage) -> Choice:
        """Compare both sides' heads; what the filter hides is asked for by id."""
        page, heads = self._beside_stored(connection, run, page)
        stored = {head.source_id: head for head in heads}
        listed = {head.source_id: head for head in page.heads}
        unlisted = {i for i, h in stored.items() if i not in listed and not h.is_archived}
        hidden = self._unlisted_heads(psa, run, unlisted)
        listed.update(hidden)
        differing = {i for i, h in listed.items() if i not in stored or stored[i].marks != h.marks}
        vanished = unlisted - hidden.keys() - set(page.broken_ids)
        return replace(_choice(page, differing), vanished_ids=tuple(sorted(vanished)))

    def _unlisted_heads(self, psa: Psa, run: Run, source_ids: Set[int]) -> dict[int, Head]:
        """Ask by id for heads that the filters left out of the list."""
        ids = sorted(source_ids)
        heads: dict[int, Head] = {}
        for start in range(0, len(ids), FETCH_HEADS_BATCH):
            batch = ids[start : start + FETCH_HEADS_BATCH]
            heads.update(psa.fetch_heads(run.step.record_kind, batch))
        return heads

    def _beside_stored(
        self, connection: Connection, run: Run, page: HeadPage
    ) -> tuple[HeadPage, tuple[Head, ...]]:
        """Return the part of a page that is compared at once, and the mirror's heads of it."""
        stored = self._records.list_heads(
            connection.partner_id,
            connection.connection_id,
            run.step.record_kind,
            after_id=run.cursor_id,
            through_id=None if page.is_last else page.last_id,
            limit=MAX_STORED_HEADS,
        )
        if len(stored) < MAX_STORED_HEADS:
            return page, stored
        return _page_through(page, stored[-1].source_id), stored


def _page_through(page: HeadPage, last_id: int) -> HeadPage:
    """Return the part of a page up to an id, as a page that is not the last."""
    return replace(
        page,
        heads=tuple(head for head in page.heads if head.source_id <= last_id),
        broken_ids=tuple(i for i in page.broken_ids if i <= last_id),
        last_id=last_id,
        is_last=False,
    )


def _choice(page: HeadPage, source_ids: set[int]) -> Choice:
    return Choice(
        source_ids=tuple(sorted(source_ids)),
        listed_ids=tuple(head.source_id for head in page.heads),
        last_id=page.last_id,
        is_last=page.is_last,
        server_time=page.server_time,
        broken_ids=page.broken_ids,
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


def _is_in_page(source_id: int, run: Run, page: HeadPage) -> bool:
    return run.cursor_id < source_id and (page.is_last or source_id <= page.last_id)
