"""Choose which records of a run's page are worth refreshing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.connection import Connection
from bridge.domain.identity import RecordKind
from bridge.domain.run import Run, Selection
from bridge.ports import Head, HeadPage, Psa, RecordStore

PAGE_SIZE = 1000
VANISHED_PAGE_SIZE = 50
FETCH_HEADS_BATCH = 200
MAX_STORED_HEADS = 20_000


@dataclass(frozen=True, slots=True)
class Choice:
    """One page's worth of work.

    ``seen`` counts the records that ConnectWise listed. ``vanished_ids`` are in the mirror but
    not listed any more; nothing is proven about them yet.
    """

    source_ids: tuple[int, ...]
    seen: int
    last_id: int
    is_last: bool
    server_time: datetime | None = None
    broken_ids: tuple[int, ...] = ()
    vanished_ids: tuple[int, ...] = ()


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
            return self._unpaid(connection, run, page)
        if step.selection is Selection.DIFFERING:
            return self._differing(connection, psa, run, page)
        source_ids = {head.source_id for head in page.heads}
        is_first_page = run.cursor_id == 0
        if step.record_kind is RecordKind.CUSTOMER and is_first_page and run.since:
            # A contact's new address is no change of its company.
            source_ids |= psa.list_customers_with_changed_contacts(run.since)
        return _choice(page, source_ids)

    def _unpaid(self, connection: Connection, run: Run, page: HeadPage) -> Choice:
        """Those unpaid on either side: what is open only in the mirror was paid elsewhere."""
        stored = self._stored_heads(connection, run, page)
        unpaid = {head.source_id for head in (*page.heads, *stored) if head.has_balance}
        return _choice(page, unpaid)

    def _differing(self, connection: Connection, psa: Psa, run: Run, page: HeadPage) -> Choice:
        """Compare both sides' heads; what the filter hides is asked for by id."""
        kind = run.step.record_kind
        stored = {head.source_id: head for head in self._stored_heads(connection, run, page)}
        listed = {head.source_id: head for head in page.heads}
        unlisted = sorted(i for i, h in stored.items() if i not in listed and not h.is_archived)
        vanished: list[int] = []
        for start in range(0, len(unlisted), FETCH_HEADS_BATCH):
            batch = unlisted[start : start + FETCH_HEADS_BATCH]
            heads = psa.fetch_heads(kind, batch)
            listed.update(heads)
            vanished.extend(i for i in batch if i not in heads)
        differing = {
            source_id
            for source_id, head in listed.items()
            if source_id not in stored or stored[source_id].marks != head.marks
        }
        choice = _choice(page, differing)
        return Choice(
            choice.source_ids,
            choice.seen,
            choice.last_id,
            choice.is_last,
            choice.server_time,
            choice.broken_ids,
            tuple(i for i in vanished if i not in page.broken_ids),
        )

    def _stored_heads(self, connection: Connection, run: Run, page: HeadPage) -> tuple[Head, ...]:
        return self._records.list_heads(
            connection.partner_id,
            connection.connection_id,
            run.step.record_kind,
            after_id=run.cursor_id,
            through_id=None if page.is_last else page.last_id,
            limit=MAX_STORED_HEADS,
        )


def _choice(page: HeadPage, source_ids: set[int]) -> Choice:
    return Choice(
        source_ids=tuple(sorted(source_ids)),
        seen=len(page.heads),
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
        seen=0,
        last_id=batch[-1] if batch else run.cursor_id,
        is_last=len(batch) == len(ids),
    )
