"""The mirror of chosen records is made equal to ConnectWise here: the one way records get in.

Callbacks, runs and sweeps differ only in how they choose ids. For the chosen ids the stored
versions are read first, then ConnectWise is asked, then each record is written if its version is
still the one read. A write that meets a moved version is given back to the caller, because its
content may be older than the stored one. Versions alone decide: clocks and ``lastUpdated`` are
ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.domain.connection import Connection
from bridge.domain.customer import Archive, ArchiveReason, Customer
from bridge.domain.errors import ConflictError, MalformedRecordError
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import (
    CUSTOMERS,
    MirroredKind,
    MirroredRecord,
    R,
    mirrored_kind,
)
from bridge.domain.problem import RECORD_PROBLEMS, Problem, ProblemCode, record_subject
from bridge.domain.run import Counters
from bridge.ports import Clock, Fetched, ProblemStore, Psa, RecordStore, Stored

# A change of an invoice's content ends the problem with the PDF of its old content.
_PDF_PROBLEMS = (ProblemCode.PDF_UNAVAILABLE,)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The outcome of a refresh."""

    counters: Counters
    contested: tuple[int, ...] = ()
    """Ids whose stored version moved meanwhile; these records are left unwritten."""
    changed: tuple[MirroredRecord, ...] = ()
    """Records created or updated, as stored now."""

    def __add__(self, other: Refreshed) -> Refreshed:
        return Refreshed(
            self.counters + other.counters,
            self.contested + other.contested,
            self.changed + other.changed,
        )


class Refresher:
    """The refresher applies ConnectWise's present state of given records to the mirror."""

    def __init__(self, records: RecordStore, problems: ProblemStore, clock: Clock) -> None:
        self._records = records
        self._problems = problems
        self._clock = clock

    def refresh(
        self,
        connection: Connection,
        psa: Psa,
        kind: RecordKind,
        source_ids: Sequence[int],
        *,
        may_archive: bool = True,
    ) -> Refreshed:
        """Refresh up to a few hundred records of one kind.

        With ``may_archive`` a record that is proven deleted is archived, else it stays as it is.
        A single unreadable record becomes a problem and the rest goes on. Raises the errors of
        ``psa`` and the stores for the whole batch.
        """
        batch = _Batch(
            connection=connection,
            psa=psa,
            records=self._records,
            problems=self._problems,
            now=self._clock.now(),
            may_archive=may_archive,
        )
        return batch.refresh(mirrored_kind(kind), source_ids)


class _Batch:
    """A batch is one refresh of one connection; it holds the values that its steps share."""

    def __init__(
        self,
        *,
        connection: Connection,
        psa: Psa,
        records: RecordStore,
        problems: ProblemStore,
        now: datetime,
        may_archive: bool,
    ) -> None:
        self._connection = connection
        self._psa = psa
        self._records = records
        self._problems = problems
        self._now = now
        self._may_archive = may_archive
        self._open_problems: Mapping[str, Problem] | None = None

    def refresh(self, kind: MirroredKind[R], source_ids: Sequence[int]) -> Refreshed:
        stored = self._records.get_mirrored(kind, *self._scope, source_ids)
        fetched = self._psa.fetch(
            kind, source_ids, with_payments_of=_ids_with_payments(kind, stored)
        )
        payers = self._mirrored_payers(kind, fetched)
        total = Refreshed(Counters())
        for source_id in source_ids:
            record = fetched.found.get(source_id)
            if record is None:
                total += self._apply_absence(kind, source_id, stored[source_id], fetched.broken)
                continue
            has_payer = kind.payer_id_of is None or kind.payer_id_of(record) in payers
            is_wanted = has_payer and kind.accepts(self._connection.filters, record)
            fingerprint = fetched.change_fingerprints.get(source_id, "")
            total += self._apply(
                kind, source_id, stored[source_id], record, fingerprint, is_wanted=is_wanted
            )
        return total

    def _mirrored_payers(self, kind: MirroredKind[R], fetched: Fetched[R]) -> frozenset[int]:
        """Return the mirrored payers of fetched invoices; missing ones are fetched first.

        An invoice may arrive before its customer's hourly sync. A payer that was archived for
        leaving the filter, and still fails it, is left out.
        """
        if kind.payer_id_of is None:
            return frozenset()
        wanted = sorted(set(filter(None, map(kind.payer_id_of, fetched.found.values()))))
        stored = self._records.get_mirrored(CUSTOMERS, *self._scope, wanted)
        unmirrored = [source_id for source_id in wanted if stored[source_id].value is None]
        if unmirrored:
            self.refresh(CUSTOMERS, unmirrored)
            stored = self._records.get_mirrored(CUSTOMERS, *self._scope, wanted)
        return frozenset(
            source_id
            for source_id, item in stored.items()
            if item.value and not self._is_still_outside_filter(item.value)
        )

    def _is_still_outside_filter(self, payer: Customer) -> bool:
        has_left = payer.archive is not None and payer.archive.reason is ArchiveReason.LEFT_FILTER
        return has_left and not CUSTOMERS.accepts(self._connection.filters, payer)

    def _apply(
        self,
        kind: MirroredKind[R],
        source_id: int,
        stored: Stored[R],
        record: R,
        change_fingerprint: str,
        *,
        is_wanted: bool,
    ) -> Refreshed:
        if stored.value is None and not is_wanted:
            self._resolve(kind, source_id)
            return Refreshed(Counters(skipped=1))
        before = stored.value.archive if stored.value else None
        if record.archive is None:
            record = replace(record, archive=_kept_archive(before, is_wanted=is_wanted))
        elif before is not None:
            # A merged company has no date of deletion: the first archive mark stays.
            record = replace(record, archive=before)
        written = self._write(kind, source_id, stored, record, change_fingerprint)
        if written.counters.created or written.counters.updated:
            return replace(written, changed=(record,))
        return written

    def _apply_absence(
        self,
        kind: MirroredKind[R],
        source_id: int,
        stored: Stored[R],
        broken: Mapping[int, str],
    ) -> Refreshed:
        """Settle a missing record: report an unreadable, archive a deleted, skip a hidden one."""
        if source_id in broken:
            self._report(kind, source_id, broken[source_id])
            return Refreshed(Counters(failed=1))
        if not self._may_archive or self._psa.exists(kind.record_kind, source_id):
            return Refreshed(Counters(skipped=1))
        self._resolve(kind, source_id, *_PDF_PROBLEMS)
        if stored.value is None:
            self._records.save_tombstone(*self._scope, kind.record_kind, source_id)
            return Refreshed(Counters(skipped=1))
        if stored.value.archive:
            return Refreshed(Counters(unchanged=1))
        archived_now = stored.value.archived(ArchiveReason.DELETED_IN_CONNECTWISE, self._now)
        return self._write(kind, source_id, stored, archived_now, "")

    def _write(
        self,
        kind: MirroredKind[R],
        source_id: int,
        stored: Stored[R],
        value: R,
        change_fingerprint: str,
    ) -> Refreshed:
        if value == stored.value and change_fingerprint == stored.change_fingerprint:
            self._resolve(kind, source_id)
            return Refreshed(Counters(unchanged=1))
        try:
            self._records.save(
                value,
                expected_version=stored.version,
                change_fingerprint=change_fingerprint,
            )
        except ConflictError:
            return Refreshed(Counters(), contested=(source_id,))
        except MalformedRecordError as error:
            self._report(kind, source_id, error.reason)
            return Refreshed(Counters(failed=1))
        self._resolve(kind, source_id, *(_PDF_PROBLEMS if value != stored.value else ()))
        return Refreshed(_count(stored.value, value))

    def _report(self, kind: MirroredKind[Any], source_id: int, reason: str) -> None:
        subject = record_subject(kind.record_kind, source_id)
        report = self._connection.report(ProblemCode.RECORD_MALFORMED, subject, reason)
        self._problems.report(report, self._now)

    def _resolve(self, kind: MirroredKind[Any], source_id: int, *more_codes: ProblemCode) -> None:
        """Close the problems of a record that was just read successfully."""
        if self._open_problems is None:
            self._open_problems = self._problems.open_of_connection(*self._scope)
        subject = record_subject(kind.record_kind, source_id)
        for code in (*RECORD_PROBLEMS, *more_codes):
            problem_id = self._connection.report(code, subject).problem_id
            if problem_id in self._open_problems:
                self._problems.resolve(self._connection.partner_id, problem_id, self._now)

    @property
    def _scope(self) -> tuple[str, str]:
        return self._connection.partner_id, self._connection.connection_id


def _ids_with_payments(kind: MirroredKind[R], stored: Mapping[int, Stored[R]]) -> frozenset[int]:
    """Return the ids with stored payments: theirs are read even if the invoice looks unpaid."""
    payments_of = kind.payments_of
    if payments_of is None:
        return frozenset()
    return frozenset(
        source_id for source_id, item in stored.items() if item.value and payments_of(item.value)
    )


def _kept_archive(before: Archive | None, *, is_wanted: bool) -> Archive | None:
    """Return the archive mark that a record keeps when ConnectWise delivers it.

    A person's mark stays. A record archived as deleted, or for leaving a filter that it
    passes now, comes back.
    """
    if before is None or before.reason is ArchiveReason.DELETED_IN_CONNECTWISE:
        return None
    if before.reason is ArchiveReason.LEFT_FILTER and is_wanted:
        return None
    return before


def _count(before: R | None, after: R) -> Counters:
    if before is None:
        return Counters(created=1)
    if before == after:
        return Counters(unchanged=1)
    if after.archive and not before.archive:
        return Counters(archived=1)
    return Counters(updated=1)
