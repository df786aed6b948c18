"""The mirror of chosen records is made equal to ConnectWise here: the one way records get in.

Callbacks, runs and sweeps differ only in how they choose ids. For the chosen ids the stored
versions are read first, then ConnectWise is asked, then each record is written if its version is
still the one read. A write that meets a moved version is given back to the caller, because its
content may be older than the stored one. Versions alone decide: clocks and ``lastUpdated`` are
ignored.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.domain.comparison import is_earlier
from bridge.domain.connection import Connection
from bridge.domain.customer import Archive, ArchiveReason
from bridge.domain.errors import ConflictError, MalformedRecordError
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import (
    CUSTOMERS,
    MirroredKind,
    R,
    mirrored_kind,
)
from bridge.domain.problem import (
    CONNECTION_SUBJECT,
    MAX_OPEN_PROBLEMS,
    RECORD_PROBLEMS,
    Problem,
    ProblemCode,
    record_subject,
)
from bridge.domain.run import Counters
from bridge.lanes import side_by_side
from bridge.mirror.payers import PayerReader, Payers
from bridge.mirror.refreshed import Refreshed
from bridge.ports import Clock, Fetched, ProblemStore, Psa, ReadingPlan, RecordStore, Stored
from bridge.ports.psa import ONE_BY_ONE

# A change of an invoice ends the problem with the PDF of its old content.
_PDF_PROBLEMS = (ProblemCode.PDF_UNAVAILABLE,)
# A whole reading of a record ends what was said of its parts.
_READ_PROBLEMS = (ProblemCode.PAYER_UNREADABLE, ProblemCode.RECORD_INCOMPLETE)
_ALL_PROBLEMS = frozenset({*RECORD_PROBLEMS, *_PDF_PROBLEMS, *_READ_PROBLEMS})


class Refresher:
    """The refresher applies ConnectWise's present state of given records to the mirror."""

    def __init__(
        self,
        records: RecordStore,
        problems: ProblemStore,
        payers: PayerReader,
        clock: Clock,
        *,
        store_lanes: int,
    ) -> None:
        self._records = records
        self._problems = problems
        self._payers = payers
        self._clock = clock
        self._store_lanes = store_lanes

    def refresh(
        self,
        connection: Connection,
        psa: Psa,
        kind: RecordKind,
        source_ids: Sequence[int],
        *,
        may_archive: bool = True,
        plan: ReadingPlan = ONE_BY_ONE,
    ) -> Refreshed:
        """Refresh up to a thousand records of one kind.

        With ``may_archive`` a record that is proven deleted, or marked so, is archived, else it
        stays as it is. ``plan`` may hold the heads of all records. Payments that it leaves for
        later stay as they are stored.
        A single unreadable record becomes a problem and the rest goes on. Raises the errors of
        ``psa`` and the stores for the whole batch.
        """
        batch = _Batch(
            connection=connection,
            psa=psa,
            records=self._records,
            problems=self._problems,
            payers=self._payers,
            now=self._clock.now(),
            may_archive=may_archive,
            store_lanes=self._store_lanes,
        )
        return batch.refresh(mirrored_kind(kind), source_ids, plan)


class _Batch:
    """A batch is one refresh of one connection; it holds the values that its steps share."""

    def __init__(
        self,
        *,
        connection: Connection,
        psa: Psa,
        records: RecordStore,
        problems: ProblemStore,
        payers: PayerReader,
        now: datetime,
        may_archive: bool,
        store_lanes: int,
    ) -> None:
        self._connection = connection
        self._psa = psa
        self._records = records
        self._problems = problems
        self._now = now
        self._may_archive = may_archive
        self._payer_reader = payers
        self._store_lanes = store_lanes
        self._first_look = threading.Lock()
        self._open_problems: Mapping[str, Problem] | None = None
        self._incomplete: dict[tuple[RecordKind, int], str] = {}

    def refresh(
        self,
        kind: MirroredKind[R],
        source_ids: Sequence[int],
        plan: ReadingPlan = ONE_BY_ONE,
    ) -> Refreshed:
        stored = self._records.get_mirrored(kind, *self._scope, source_ids)
        # A head is older than this look at the store: only what was never stored is not newer.
        fetched = self._psa.fetch(
            kind,
            source_ids,
            with_payments_of=_ids_with_payments(kind, stored),
            plan=plan.for_unstored(stored),
        )
        self._incomplete |= {(kind.record_kind, i): why for i, why in fetched.incomplete.items()}
        gone = self._proven_gone(kind, source_ids, stored, fetched)
        payers = self._payers(kind, fetched)

        def settle(source_id: int) -> Refreshed:
            before = stored[source_id]
            if source_id in fetched.broken:
                return self._fail(kind, source_id, fetched.broken[source_id])
            if _is_outdated(source_id, before, fetched):
                return Refreshed(contested=(source_id,))
            if source_id not in fetched.found:
                return self._apply_absence(kind, source_id, before, is_gone=source_id in gone)
            return self._apply_presence(kind, source_id, before, fetched, payers)

        outcomes = side_by_side(self._store_lanes, settle, source_ids)
        return sum(outcomes, start=Refreshed())

    def _apply_presence(
        self,
        kind: MirroredKind[R],
        source_id: int,
        stored: Stored[R],
        fetched: Fetched[R],
        payers: Payers,
    ) -> Refreshed:
        record = fetched.found[source_id]
        fingerprint = fetched.change_fingerprints.get(source_id, "")
        if kind.awaiting_payments and source_id in fetched.awaiting_payments:
            has_same_head = fingerprint != "" and fingerprint == stored.change_fingerprint
            record = kind.awaiting_payments(record, stored.value, has_same_head)
        payer_id = kind.payer_id(record)
        if payer_id in payers.unjudged and stored.value is None:
            self._resolve(kind, source_id)
            return Refreshed(Counters(failed=1), reported=(source_id,))
        has_payer = kind.payer_id_of is None or payer_id in payers.mirrored
        is_wanted = has_payer and kind.accepts(self._connection.filters, record)
        return self._apply(kind, source_id, stored, record, fingerprint, is_wanted=is_wanted)

    def _payers(self, kind: MirroredKind[R], fetched: Fetched[R]) -> Payers:
        if kind.payer_id_of is None:
            return Payers()
        wanted = filter(None, map(kind.payer_id_of, fetched.found.values()))
        return self._payer_reader.read(
            self._connection,
            self._psa,
            {source_id: fetched.payer_names.get(source_id, "") for source_id in wanted},
            refresh=lambda source_ids: self.refresh(CUSTOMERS, source_ids),
            now=self._now,
        )

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
            self._resolve(kind, source_id, *_READ_PROBLEMS)
            return Refreshed(Counters(skipped=1), left_out=(source_id,))
        before = stored.value.archive if stored.value else None
        if record.archive is None:
            record = replace(record, archive=_kept_archive(before, is_wanted=is_wanted))
        elif stored.value and before is None and not self._may_archive:
            # The sweep archives it: its brake counts how many go at once.
            return Refreshed(Counters(skipped=1))
        elif before is not None:
            # A merged company has no date of deletion: the first archive mark stays.
            record = replace(record, archive=before)
        written = self._write(kind, source_id, stored, record, change_fingerprint)
        lacking = self._incomplete.get((kind.record_kind, source_id))
        if lacking and not written.contested:
            self._report(kind, source_id, ProblemCode.RECORD_INCOMPLETE, lacking)
        if not kind.is_settled(record):
            written = replace(written, unsettled=(source_id,))
        if written.counters.created or written.counters.updated:
            return replace(written, changed=(record,))
        return written

    def _proven_gone(
        self,
        kind: MirroredKind[R],
        source_ids: Sequence[int],
        stored: Mapping[int, Stored[R]],
        fetched: Fetched[R],
    ) -> frozenset[int]:
        """Return the missing records that ConnectWise is proven to lack, where it matters.

        It matters for records of the mirror, and for those that a problem tells of.
        """
        if not self._may_archive:
            return frozenset()
        missing = [i for i in source_ids if i not in fetched.found and i not in fetched.broken]
        asked = [i for i in missing if _is_shown(stored[i]) or self._has_problem(kind, i)]
        return self._psa.find_absent(kind.record_kind, asked) if asked else frozenset()

    def _apply_absence(
        self, kind: MirroredKind[R], source_id: int, stored: Stored[R], *, is_gone: bool
    ) -> Refreshed:
        """Settle a missing record: archive a deleted one, and skip a hidden one.

        For a record that the mirror lacks, a tombstone needs less than a proof: the record is
        stored over it as soon as it shows.
        """
        if is_gone:
            self._resolve(kind, source_id, *_PDF_PROBLEMS)
        if stored.value is None:
            if self._may_archive and stored.version == 0:
                self._records.save_tombstone(*self._scope, kind.record_kind, source_id)
            return Refreshed(Counters(skipped=1))
        if stored.value.archive:
            return Refreshed(Counters(unchanged=1))
        if not is_gone:
            return Refreshed(Counters(skipped=1))
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
            self._resolve(kind, source_id, *_READ_PROBLEMS)
            return Refreshed(Counters(unchanged=1))
        try:
            self._records.save(
                value,
                expected_version=stored.version,
                change_fingerprint=change_fingerprint,
            )
        except ConflictError:
            return Refreshed(contested=(source_id,))
        except MalformedRecordError as error:
            # A customer goes by its id: its name may be a person's.
            name = kind.label_of(value) if kind.payer_id_of else f"with id {source_id}"
            what = f"The {kind.record_kind.value} {name} cannot be stored"
            return self._fail(kind, source_id, f"{what}: {error.reason}.")
        self._resolve(kind, source_id, *_READ_PROBLEMS, *_PDF_PROBLEMS)
        return Refreshed(_count(stored.value, value))

    def _fail(self, kind: MirroredKind[Any], source_id: int, reason: str) -> Refreshed:
        self._report(kind, source_id, ProblemCode.RECORD_MALFORMED, reason)
        return Refreshed(Counters(failed=1), reported=(source_id,))

    def _report(
        self, kind: MirroredKind[Any], source_id: int, code: ProblemCode, detail: str
    ) -> None:
        subject = record_subject(kind.record_kind, source_id)
        self._problems.report(self._connection.report(code, subject, detail), self._now)

    def _resolve(self, kind: MirroredKind[Any], source_id: int, *more_codes: ProblemCode) -> None:
        """Close the problems of a record that was just read successfully."""
        codes = {*RECORD_PROBLEMS, *more_codes}
        if (kind.record_kind, source_id) in self._incomplete:
            codes.discard(ProblemCode.RECORD_INCOMPLETE)
        for problem_id in self._possible_problems(kind, source_id, codes):
            self._problems.resolve(self._connection.partner_id, problem_id, self._now)

    def _has_problem(self, kind: MirroredKind[Any], source_id: int) -> bool:
        """Tell whether a problem about a record may be open."""
        return bool(self._possible_problems(kind, source_id, _ALL_PROBLEMS))

    def _possible_problems(
        self, kind: MirroredKind[Any], source_id: int, codes: Iterable[ProblemCode]
    ) -> list[str]:
        """Return the ids of a record's problems that are open, or may be beyond those listed."""
        with self._first_look:
            if self._open_problems is None:
                self._open_problems = self._problems.open_of_connection(*self._scope)
                self._end_outage(self._open_problems)
        subject = record_subject(kind.record_kind, source_id)
        known, has_more = self._open_problems, len(self._open_problems) >= MAX_OPEN_PROBLEMS
        named = (self._connection.report(code, subject).problem_id for code in codes)
        return [each for each in named if each in known or has_more]

    def _end_outage(self, known: Mapping[str, Problem]) -> None:
        """ConnectWise answered: the one problem of an outage is over."""
        outage = self._connection.report(ProblemCode.CONNECTWISE_UNREACHABLE, CONNECTION_SUBJECT)
        if outage.problem_id in known:
            self._problems.resolve(self._connection.partner_id, outage.problem_id, self._now)

    @property
    def _scope(self) -> tuple[str, str]:
        return self._connection.partner_id, self._connection.connection_id


def _is_outdated(source_id: int, stored: Stored[Any], fetched: Fetched[Any]) -> bool:
    """Tell whether a list shows an earlier state than the stored one, which one record's fetch
    brought. Such a fetch settles which of them is true."""
    shown = fetched.change_fingerprints.get(source_id, "")
    return source_id in fetched.from_lists and is_earlier(shown, stored.change_fingerprint)


def _is_shown(stored: Stored[Any]) -> bool:
    return stored.value is not None and stored.value.archive is None


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
