"""Make the mirror of some records equal to ConnectWise: the one way records get in.

Callbacks, runs and sweeps differ only in how they choose ids. For the chosen ids the stored
versions are read first, then ConnectWise is asked, then each record is written if its version is
still the one read. A write that meets a moved version is given back to the caller, because what
it holds may be older than what is stored. No clock and no ``lastUpdated`` decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.domain.connection import Connection
from bridge.domain.customer import Archive, ArchiveReason, Customer
from bridge.domain.errors import ConflictError, MalformedRecordError
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.problem import (
    RECORD_TROUBLES,
    Problem,
    ProblemCode,
    Trouble,
    record_subject,
)
from bridge.domain.run import Counters
from bridge.ports import Clock, Fetched, ProblemStore, Psa, RecordStore, Stored

# What was wrong with the printing of an invoice is over with its content.
_PRINTING = (ProblemCode.PDF_UNAVAILABLE,)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of the records. ``contested`` ids met a moved version and were not written.

    ``changed_invoices`` are those created or updated, as stored now.
    """

    counters: Counters
    contested: tuple[int, ...] = ()
    changed_invoices: tuple[Invoice, ...] = ()

    def __add__(self, other: Refreshed) -> Refreshed:
        return Refreshed(
            self.counters + other.counters,
            self.contested + other.contested,
            self.changed_invoices + other.changed_invoices,
        )


class Refresher:
    """Applies ConnectWise's present state of given records to the mirror."""

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

        With ``may_archive`` a record that is proven gone is archived, without it left alone.
        Raises whatever ``psa`` and the stores raise for the whole batch; a single record that
        cannot be read becomes a problem and the rest goes on.
        """
        batch = _Batch(
            connection=connection,
            psa=psa,
            records=self._records,
            problems=self._problems,
            now=self._clock.now(),
            may_archive=may_archive,
        )
        if kind is RecordKind.CUSTOMER:
            return batch.refresh_customers(source_ids)
        return batch.refresh_invoices(source_ids)


class _Batch:
    """One refresh of one connection; holds what its steps share."""

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

    def refresh_customers(self, source_ids: Sequence[int]) -> Refreshed:
        stored = self._records.get_customers(*self._scope, source_ids)
        fetched = self._psa.fetch_customers(source_ids)
        total = Refreshed(Counters())
        for source_id in source_ids:
            total += self._apply_customer(source_id, stored[source_id], fetched)
        return total

    def refresh_invoices(self, source_ids: Sequence[int]) -> Refreshed:
        stored = self._records.get_invoices(*self._scope, source_ids)
        with_payments = frozenset(
            source_id for source_id, item in stored.items() if item.value and item.value.payments
        )
        fetched = self._psa.fetch_invoices(source_ids, with_payments_of=with_payments)
        known = self._known_customers(fetched)
        total = Refreshed(Counters())
        for source_id in source_ids:
            total += self._apply_invoice(source_id, stored[source_id], fetched, known)
        return total

    def _known_customers(self, fetched: Fetched[Invoice]) -> frozenset[int]:
        """Return the payers that are mirrored; those never seen are fetched now.

        An invoice may arrive before its customer's hourly turn. A payer that was archived for
        leaving the filter takes its invoices along.
        """
        wanted = sorted(
            {i.customer_source_id for i in fetched.found.values() if i.customer_source_id}
        )
        stored = self._records.get_customers(*self._scope, wanted)
        unseen = [source_id for source_id in wanted if stored[source_id].value is None]
        if unseen:
            self.refresh_customers(unseen)
            stored = self._records.get_customers(*self._scope, wanted)
        return frozenset(
            source_id
            for source_id, item in stored.items()
            if item.value and not self._is_left_outside(item.value)
        )

    def _is_left_outside(self, payer: Customer) -> bool:
        has_left = payer.archive is not None and payer.archive.reason is ArchiveReason.LEFT_FILTER
        return has_left and not self._connection.filters.customer.accepts(payer)

    def _apply_customer(
        self, source_id: int, stored: Stored[Customer], fetched: Fetched[Customer]
    ) -> Refreshed:
        customer = fetched.found.get(source_id)
        if customer is None:
            return self._apply_absence(RecordKind.CUSTOMER, source_id, stored, fetched.broken)
        if stored.value is None and not self._connection.filters.customer.accepts(customer):
            return self._skipped(RecordKind.CUSTOMER, source_id)
        before = stored.value.archive if stored.value else None
        is_wanted = self._connection.filters.customer.accepts(customer)
        if customer.archive is None:
            customer = replace(customer, archive=_kept_archive(before, is_wanted=is_wanted))
        elif before is not None:
            # A merged company tells no date of its deletion: the first time seen stands.
            customer = replace(customer, archive=before)
        marks = fetched.marks.get(source_id, "")
        return self._write(RecordKind.CUSTOMER, source_id, stored, customer, marks)

    def _apply_invoice(
        self,
        source_id: int,
        stored: Stored[Invoice],
        fetched: Fetched[Invoice],
        known_customers: frozenset[int],
    ) -> Refreshed:
        invoice = fetched.found.get(source_id)
        if invoice is None:
            return self._apply_absence(RecordKind.INVOICE, source_id, stored, fetched.broken)
        is_wanted = (
            invoice.customer_source_id in known_customers
            and self._connection.filters.invoice.accepts(invoice)
        )
        if stored.value is None and not is_wanted:
            return self._skipped(RecordKind.INVOICE, source_id)
        before = stored.value.archive if stored.value else None
        invoice = replace(invoice, archive=_kept_archive(before, is_wanted=is_wanted))
        marks = fetched.marks.get(source_id, "")
        written = self._write(RecordKind.INVOICE, source_id, stored, invoice, marks)
        if written.counters.created or written.counters.updated:
            return replace(written, changed_invoices=(invoice,))
        return written

    def _apply_absence(
        self,
        kind: RecordKind,
        source_id: int,
        stored: Stored[Customer] | Stored[Invoice],
        broken: Mapping[int, str],
    ) -> Refreshed:
        """Decide about a record that did not come back: broken, proven gone, or just hidden."""
        if source_id in broken:
            self._report(kind, source_id, broken[source_id])
            return Refreshed(Counters(failed=1))
        if not self._may_archive or self._psa.exists(kind, source_id):
            return Refreshed(Counters(skipped=1))
        self._resolve(kind, source_id, *_PRINTING)
        if stored.value is None:
            self._records.save_tombstone(*self._scope, kind, source_id)
            return Refreshed(Counters(skipped=1))
        if stored.value.archive:
            return Refreshed(Counters(unchanged=1))
        gone = stored.value.archived(ArchiveReason.DELETED_IN_CONNECTWISE, self._now)
        return self._write(kind, source_id, stored, gone, "")

    def _write(
        self,
        kind: RecordKind,
        source_id: int,
        stored: Stored[Customer] | Stored[Invoice],
        value: Customer | Invoice,
        marks: str,
    ) -> Refreshed:
        if value == stored.value and marks == stored.marks:
            self._resolve(kind, source_id)
            return Refreshed(Counters(unchanged=1))
        try:
            if isinstance(value, Invoice):
                self._records.save_invoice(value, expected_version=stored.version, marks=marks)
            else:
                self._records.save_customer(value, expected_version=stored.version, marks=marks)
        except ConflictError:
            return Refreshed(Counters(), contested=(source_id,))
        except MalformedRecordError as error:
            self._report(kind, source_id, error.reason)
            return Refreshed(Counters(failed=1))
        self._resolve(kind, source_id, *(_PRINTING if value != stored.value else ()))
        return Refreshed(_count(stored.value, value))

    def _skipped(self, kind: RecordKind, source_id: int) -> Refreshed:
        self._resolve(kind, source_id)
        return Refreshed(Counters(skipped=1))

    def _report(self, kind: RecordKind, source_id: int, reason: str) -> None:
        self._problems.report(self._trouble(kind, source_id, reason), self._now)

    def _resolve(self, kind: RecordKind, source_id: int, *more_codes: ProblemCode) -> None:
        """Close what was wrong with a record that has just been read well."""
        if self._open_problems is None:
            self._open_problems = self._problems.open_of_connection(*self._scope)
        for code in (*RECORD_TROUBLES, *more_codes):
            problem_id = self._trouble(kind, source_id, "", code).problem_id
            if problem_id in self._open_problems:
                self._problems.resolve(self._connection.partner_id, problem_id, self._now)

    def _trouble(
        self,
        kind: RecordKind,
        source_id: int,
        reason: str,
        code: ProblemCode = ProblemCode.RECORD_MALFORMED,
    ) -> Trouble:
        return Trouble(*self._scope, code, record_subject(kind, source_id), reason)

    @property
    def _scope(self) -> tuple[str, str]:
        return self._connection.partner_id, self._connection.connection_id


def _kept_archive(before: Archive | None, *, is_wanted: bool) -> Archive | None:
    """Return the archive mark that survives when ConnectWise has the record again.

    What a person archived stays so. What was archived as deleted, or for leaving a filter that
    it passes now, comes back.
    """
    if before is None or before.reason is ArchiveReason.DELETED_IN_CONNECTWISE:
        return None
    if before.reason is ArchiveReason.LEFT_FILTER and is_wanted:
        return None
    return before


def _count(before: Customer | Invoice | None, after: Customer | Invoice) -> Counters:
    if before is None:
        return Counters(created=1)
    if before == after:
        return Counters(unchanged=1)
    if after.archive and not before.archive:
        return Counters(archived=1)
    return Counters(updated=1)
