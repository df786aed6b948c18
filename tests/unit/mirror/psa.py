"""A ConnectWise for unit tests: records in dictionaries, and failures where a test wants them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.connection import Connection, Credentials, PsaAddress
from bridge.domain.customer import Customer, NamedRef
from bridge.domain.errors import NotFoundError, TooHeavyError
from bridge.domain.filter_choices import ChoiceKind
from bridge.domain.filters import ImportFilters
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import BillingStatus, Invoice
from bridge.domain.mirrored_kinds import MirroredKind, R, mirrored_kind
from bridge.domain.permissions import Restriction, RightFinding
from bridge.domain.run import MAX_PAGE_SIZE
from bridge.ports import (
    Clock,
    Fetched,
    Head,
    ListedPage,
    ListedRecord,
    PsaPayments,
    ReadingPlan,
    SystemInfo,
)
from bridge.ports.psa import MAX_FOUND, ONE_BY_ONE
from tests.builders.operations import ADDRESS

Key = tuple[RecordKind, int]
PDF = b"%PDF-1.7 test"


class FakePsa:
    """Implements ``ports.Psa``.

    ``hidden`` records exist but are neither listed nor fetched; ``broken`` ones come back with a
    reason instead of a value, ``unlistable`` ones break the page they are on. So many
    ``unreadable_rows`` stand on a list's last page. ``fail`` and ``meanwhile`` make something
    happen at the next call of a method.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.records: dict[Key, Customer | Invoice] = {}
        self.changed_at: dict[Key, datetime] = {}
        self.hidden: set[Key] = set()
        self.broken: dict[Key, str] = {}
        self.unlistable: set[Key] = set()
        self.unreadable_rows: dict[RecordKind, int] = {}
        self.payer_names: dict[int, str] = {}
        self.incomplete: dict[int, str] = {}
        self.pdfs: dict[int, bytes | Exception] = {}
        self.contacts_changed_at: dict[int, datetime] = {}
        self.heavy_above = MAX_PAGE_SIZE
        """A page of more records is too heavy."""
        self.limits: list[int] = []
        self.clock_ahead = timedelta()
        self.extra_counts: deque[int] = deque()
        """Each call counts so many records more than there are."""
        self.calls: list[str] = []
        self.fetched_ids: list[tuple[int, ...]] = []
        self.read_from_heads: list[tuple[int, ...]] = []
        self.with_payments_of: list[frozenset[int]] = []
        self.callback_urls: list[str] = []
        self._errors: dict[str, deque[Exception]] = defaultdict(deque)
        self._meanwhile: dict[str, deque[Callable[[], object]]] = defaultdict(deque)

    # --- what a test arranges --------------------------------------------------------------------

    def put(self, *records: Customer | Invoice) -> None:
        """Enter records, or change them: their marks differ from now on."""
        for record in records:
            kind = RecordKind.CUSTOMER if isinstance(record, Customer) else RecordKind.INVOICE
            self.records[kind, record.source_id or 0] = record
            self.changed_at[kind, record.source_id or 0] = self._clock.now()

    def put_silently(self, record: Customer | Invoice) -> None:
        """Change a record without ConnectWise noticing: its marks stay as they were."""
        kind = RecordKind.CUSTOMER if isinstance(record, Customer) else RecordKind.INVOICE
        self.records[kind, record.source_id or 0] = record

    def delete(self, kind: RecordKind, *source_ids: int) -> None:
        for source_id in source_ids:
            del self.records[kind, source_id]

    def fail(self, method: str, error: Exception, *, times: int = 1) -> None:
        self._errors[method].extend([error] * times)

    def meanwhile(self, method: str, action: Callable[[], object]) -> None:
        """Let something happen after the method's next call has read and before it returns."""
        self._meanwhile[method].append(action)

    def marks_of(self, kind: RecordKind, source_id: int) -> str:
        return f"changed {self.changed_at[kind, source_id].isoformat()}"

    # --- ports.Psa -------------------------------------------------------------------------------

    def read_system_info(self) -> SystemInfo:
        self._begin("read_system_info")
        return SystemInfo("v2025.1", is_cloud=True, server_time=self._clock.now())

    def list_records(
        self,
        kind: RecordKind,
        *,
        after_id: int,
        limit: int,
        changed_since: datetime | None = None,
        filters: ImportFilters | None = None,
        with_heads: bool = False,
    ) -> ListedPage:
        self._begin("list_records")
        self.limits.append(limit)
        if limit > self.heavy_above:
            raise TooHeavyError("too many")
        listed = [
            source_id
            for source_id in self._visible(kind)
            if source_id > after_id
            and (changed_since is None or self.changed_at[kind, source_id] >= changed_since)
            and _accepts(filters, self.records[kind, source_id])
            and not _is_deleted(self.records[kind, source_id])
        ]
        page = listed[:limit]
        answer = ListedPage(
            records=tuple(self._listed(kind, i) for i in page if (kind, i) not in self.unlistable),
            last_id=page[-1] if page else after_id,
            is_last=len(listed) <= limit,
            server_time=self._clock.now() + self.clock_ahead,
            broken_ids=tuple(i for i in page if (kind, i) in self.unlistable),
            unreadable_rows=self.unreadable_rows.get(kind, 0) if len(listed) <= limit else 0,
            heads={i: self._head(kind, i) for i in page} if with_heads else {},
        )
        self._end("list_records")
        return answer

    def list_records_by_id(
        self, kind: RecordKind, source_ids: Sequence[int]
    ) -> Mapping[int, ListedRecord]:
        self._begin("list_records_by_id")
        visible = set(self._visible(kind))
        return {
            i: self._listed(kind, i)
            for i in source_ids
            if i in visible and not _is_deleted(self.records[kind, i])
        }

    def find(self, kind: RecordKind, label: str) -> tuple[int, ...]:
        self._begin("find")
        entry = mirrored_kind(kind)
        labels = {
            source_id: record.identifier if isinstance(record, Customer) else record.number
            for (of_kind, source_id), record in self.records.items()
            if of_kind is entry.record_kind and (of_kind, source_id) not in self.hidden
        }
        return tuple(sorted(i for i, each in labels.items() if each == label))[:MAX_FOUND]

    def count(self, kind: RecordKind, *, filters: ImportFilters | None = None) -> int:
        self._begin("count")
        extra = self.extra_counts.popleft() if self.extra_counts else 0
        return (
            extra
            + self.unreadable_rows.get(kind, 0)
            + sum(
                _accepts(filters, self.records[kind, i]) and not _is_deleted(self.records[kind, i])
                for i in self._visible(kind)
            )
        )

    def list_customers_with_changed_contacts(self, changed_since: datetime) -> frozenset[int]:
        self._begin("list_customers_with_changed_contacts")
        return frozenset(i for i, at in self.contacts_changed_at.items() if at >= changed_since)

    def fetch(
        self,
        kind: MirroredKind[R],
        source_ids: Sequence[int],
        *,
        with_payments_of: frozenset[int] = frozenset(),
        plan: ReadingPlan = ONE_BY_ONE,
    ) -> Fetched[R]:
        self._begin(f"fetch_{kind.plural}")
        if kind.payments_of:
            self.with_payments_of.append(with_payments_of)
        fetched: Fetched[Any] = self._fetch(kind.record_kind, source_ids, plan.heads)
        if plan.settled_later:
            fetched = _without_settled_payments(fetched)
        self._end(f"fetch_{kind.plural}")
        return fetched

    def find_absent(self, kind: RecordKind, source_ids: Sequence[int]) -> frozenset[int]:
        self._begin("find_absent")
        absent = frozenset(each for each in source_ids if (kind, each) not in self.records)
        self._end("find_absent")
        return absent

    def exists(self, kind: RecordKind, source_id: int) -> bool:
        self._begin("exists")
        is_there = (kind, source_id) in self.records
        self._end("exists")
        return is_there

    def fetch_invoice_pdf(self, source_id: int) -> bytes:
        self._begin("fetch_invoice_pdf")
        if (RecordKind.INVOICE, source_id) not in self.records:
            raise NotFoundError("no such invoice")
        content = self.pdfs.get(source_id, PDF)
        if isinstance(content, Exception):
            raise content
        return content

    def check_rights(self) -> tuple[RightFinding, ...]:
        self._begin("check_rights")
        return ()

    def read_restrictions(self, member: str) -> tuple[Restriction, ...]:
        self._begin("read_restrictions")
        return ()

    def list_choices(self, kind: ChoiceKind) -> tuple[NamedRef, ...]:
        self._begin("list_choices")
        return ()

    def list_billing_statuses(self) -> tuple[BillingStatus, ...]:
        self._begin("list_billing_statuses")
        return ()

    def ensure_callbacks(self, url: str) -> str:
        self._begin("ensure_callbacks")
        self.callback_urls.append(url)
        return "BridgeApi"

    def remove_callbacks(self, url_prefix: str) -> None:
        self._begin("remove_callbacks")

    def list_callback_urls(self) -> tuple[str, ...]:
        self._begin("list_callback_urls")
        return tuple(self.callback_urls)

    # --- steps -----------------------------------------------------------------------------------

    def _begin(self, method: str) -> None:
        self.calls.append(method)
        if self._errors[method]:
            raise self._errors[method].popleft()

    def _end(self, method: str) -> None:
        if self._meanwhile[method]:
            self._meanwhile[method].popleft()()

    def _visible(self, kind: RecordKind) -> list[int]:
        return sorted(i for k, i in self.records if k is kind and (k, i) not in self.hidden)

    def _listed(self, kind: RecordKind, source_id: int) -> ListedRecord:
        record = self.records[kind, source_id]
        has_balance = isinstance(record, Invoice) and record.balance_minor != 0
        return ListedRecord(
            source_id,
            self.marks_of(kind, source_id),
            has_balance=has_balance,
            has_payments=isinstance(record, Invoice) and bool(record.payments),
        )

    def _head(self, kind: RecordKind, source_id: int) -> Head:
        return {"record": self.records[kind, source_id], "marks": self.marks_of(kind, source_id)}

    def _fetch(
        self, kind: RecordKind, source_ids: Sequence[int], heads: Mapping[int, Head]
    ) -> Fetched[Customer | Invoice]:
        self.fetched_ids.append(tuple(source_ids))
        self.read_from_heads.append(tuple(heads))
        visible = set(self._visible(kind))
        broken = {i: self.broken[kind, i] for i in source_ids if (kind, i) in self.broken}
        known: dict[int, Any] = {i: self._head(kind, i) for i in source_ids if i in visible}
        known |= {i: head for i, head in heads.items() if i in source_ids}
        found = {i: head["record"] for i, head in known.items() if i not in broken}
        marks = {i: known[i]["marks"] for i in found}
        incomplete = {i: why for i, why in self.incomplete.items() if i in found}
        return Fetched(found, broken, marks, incomplete=incomplete, payer_names=self.payer_names)


def _without_settled_payments(fetched: Fetched[Any]) -> Fetched[Any]:
    later = {
        i: replace(each, payments=())
        for i, each in fetched.found.items()
        if isinstance(each, Invoice) and each.payments and not each.balance_minor
    }
    found = {**fetched.found, **later}
    return replace(fetched, found=found, awaiting_payments=frozenset(later))


class FakeGateway:
    """Opens the same ``FakePsa`` for every connection, or one of its own for some."""

    def __init__(self, psa: FakePsa) -> None:
        self.psa = psa
        self.others: dict[str, FakePsa] = {}

    def open(self, connection: Connection) -> FakePsa:
        return self.others.get(connection.connection_id, self.psa)

    def open_for_look(self, connection: Connection, seconds: float) -> FakePsa:
        return self.open(connection)

    def open_payments(self, connection: Connection) -> PsaPayments:
        raise NotImplementedError("payments are written in tests of their own")

    def try_out(self, connection: Connection, credentials: Credentials) -> FakePsa:
        return self.open(connection)

    def discover(self, company_id: str, site_url: str | None) -> PsaAddress:
        return ADDRESS


def _accepts(filters: ImportFilters | None, record: Customer | Invoice) -> bool:
    if filters is None:
        return True
    if isinstance(record, Customer):
        return filters.customer.accepts(record)
    return filters.invoice.accepts(record)


def _is_deleted(record: Customer | Invoice) -> bool:
    """ConnectWise marks companies deleted, and then does not list them."""
    return isinstance(record, Customer) and record.archive is not None
