"""One connection's ConnectWise, as the use cases see it through ``ports.Psa``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.call_limits import GREETING, RECORD
from bridge.connectwise.choices import list_choices
from bridge.connectwise.client import SYSTEM_INFO, ConnectWiseClient, Query
from bridge.connectwise.conditions import Conditions, text_condition
from bridge.connectwise.customers import CustomerReader
from bridge.connectwise.failures import EndpointMissingError, TooSlowError
from bridge.connectwise.fingerprints import fingerprint, paths_of
from bridge.connectwise.invoice_information import InformationReader
from bridge.connectwise.invoices import InvoiceReader
from bridge.connectwise.kinds import PSA_KINDS
from bridge.connectwise.listed_rows import Json, row_id
from bridge.connectwise.mapping import Owner
from bridge.connectwise.reach import silent
from bridge.connectwise.registrations import Registrations
from bridge.connectwise.restrictions import read_restrictions
from bridge.connectwise.rights import check_rights
from bridge.connectwise.wire_values import text_of
from bridge.domain.customer import NamedRef
from bridge.domain.errors import NotFoundError, UnavailableError
from bridge.domain.filter_choices import ChoiceKind
from bridge.domain.filters import ImportFilters
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import BillingStatus
from bridge.domain.mirrored_kinds import MirroredKind, R
from bridge.domain.money import DOUBLE_NOISE
from bridge.domain.permissions import Restriction, RightFinding
from bridge.domain.run import MAX_PAGE_SIZE
from bridge.ports import Clock, Fetched, ListedPage, ListedRecord, ReadingPlan, SystemInfo
from bridge.ports.psa import MAX_FOUND, ONE_BY_ONE

BILLING_STATUSES = "/finance/billingStatuses"
MAX_EXISTENCE_CHECKS = 2
_PAID = ("payments", "credits")


class ConnectWisePsa:
    """Implements ``ports.Psa`` over one client, with ``information`` for single invoices."""

    def __init__(
        self,
        client: ConnectWiseClient,
        owner: Owner,
        clock: Clock,
        information: InformationReader | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._reader = BulkReader(client)
        self._invoices = InvoiceReader(client, self._reader, owner)
        self._customers = CustomerReader(self._reader, owner, clock)
        self._readers = {
            kind: entry.open_reader(client, self._reader, owner, clock, information)
            for kind, entry in PSA_KINDS.items()
        }

    @property
    def calls(self) -> Mapping[str, int]:
        """How many requests went out, by method and route template."""
        return self._client.calls

    def read_system_info(self) -> SystemInfo:
        """Read the one path that is open to every member; rejected keys and failures raise.

        It is a greeting, so a server that takes longer than GREETING allows counts as silent.
        """
        try:
            answer = self._client.read(SYSTEM_INFO, limits=GREETING, is_divisible=True)
        except TooSlowError as error:
            raise silent(self._client.address.api_origin) from error
        info = answer.value if isinstance(answer.value, Mapping) else {}
        return SystemInfo(
            version=text_of(info.get("version")),
            is_cloud=info.get("isCloud") is True,
            server_time=answer.server_time or self._clock.now(),
        )

    # --- lists ---------------------------------------------------------------------------------

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
        if not 0 < limit <= MAX_PAGE_SIZE:
            raise ValueError(f"a page holds 1 to {MAX_PAGE_SIZE} records")
        fields = PSA_KINDS[kind].head_fields if with_heads else _listed_fields(kind)
        query: Query = {"fields": fields}
        page = self._reader.forward(
            PSA_KINDS[kind].route,
            self._restricted(kind, query, changed_since, filters),
            after_id=after_id,
            limit=limit,
        )
        return ListedPage(
            records=tuple(_listed(kind, page.rows)),
            last_id=page.last_id,
            is_last=page.is_last,
            server_time=page.server_time or self._clock.now(),
            broken_ids=page.broken_ids,
            unreadable_rows=page.unreadable_rows,
            managed_size=page.managed_size,
            heads=_by_id(page.rows) if with_heads else {},
            is_gapless=filters in (None, ImportFilters()) and changed_since is None,
        )

    def list_records_by_id(
        self, kind: RecordKind, source_ids: Sequence[int]
    ) -> Mapping[int, ListedRecord]:
        sifted = self._reader.by_ids(
            PSA_KINDS[kind].route, {"fields": _listed_fields(kind)}, source_ids
        )
        listed = [row for row in sifted.rows if row.get("deletedFlag") is not True]
        return {each.source_id: each for each in _listed(kind, listed)}

    def find(self, kind: RecordKind, label: str) -> tuple[int, ...]:
        condition = text_condition(PSA_KINDS[kind].label_field, label)
        if condition is None:
            return ()
        page = self._reader.forward(
            PSA_KINDS[kind].route,
            {"fields": "id", "conditions": condition},
            after_id=0,
            limit=MAX_FOUND,
        )
        return tuple(filter(None, map(row_id, page.rows)))

    def count(self, kind: RecordKind, *, filters: ImportFilters | None = None) -> int:
        return self._reader.count(PSA_KINDS[kind].route, self._restricted(kind, {}, None, filters))

    def list_customers_with_changed_contacts(self, changed_since: datetime) -> frozenset[int]:
        return self._customers.list_with_changed_contacts(changed_since)

    def _restricted(
        self,
        kind: RecordKind,
        query: Query,
        changed_since: datetime | None,
        filters: ImportFilters | None,
    ) -> Query:
        """Return the query with the conditions for the filters, as far as they fit."""
        paged = {**query, "pageId": 10**10, "pageSize": MAX_PAGE_SIZE}
        room = self._client.room(
            f"{PSA_KINDS[kind].route}/count", {**paged, "conditions": "", "childConditions": ""}
        )
        conditions = PSA_KINDS[kind].conditions(filters, changed_since, room)
        return {**query, **_parameters(conditions)}

    # --- records -------------------------------------------------------------------------------

    def fetch(
        self,
        kind: MirroredKind[R],
        source_ids: Sequence[int],
        *,
        with_payments_of: frozenset[int] = frozenset(),
        plan: ReadingPlan = ONE_BY_ONE,
    ) -> Fetched[R]:
        return self._readers[kind.record_kind].fetch(source_ids, with_payments_of, plan=plan)

    def fetch_invoice_pdf(self, source_id: int) -> bytes:
        return self._invoices.fetch_pdf(source_id)

    def exists(self, kind: RecordKind, source_id: int) -> bool:
        return source_id not in self.find_absent(kind, [source_id])

    def find_absent(self, kind: RecordKind, source_ids: Sequence[int]) -> frozenset[int]:
        """See ``Psa.find_absent``. A 404 counts only if it was ConnectWise's own word on the
        record, and only if keys and codebase stayed the same until the greeting after all."""
        for _ in range(MAX_EXISTENCE_CHECKS):
            absent, accesses = [], []
            for source_id in source_ids:
                if not self._answers_for(kind, source_id):
                    absent.append(source_id)
                    accesses.append(self._client.access)
            if not absent:
                return frozenset()
            self.read_system_info()
            if all(access == self._client.access for access in accesses):
                return frozenset(absent)
        raise UnavailableError("ConnectWise moved while it was asked")

    def _answers_for(self, kind: RecordKind, source_id: int) -> bool:
        """Tell whether ConnectWise answers for a record, or with a 404 about it."""
        try:
            self._client.read(
                f"{PSA_KINDS[kind].route}/{{id}}",
                ids={"id": source_id},
                query={"fields": "id"},
                limits=RECORD,
            )
        except EndpointMissingError as error:
            raise UnavailableError("the 404 is not about the record") from error
        except NotFoundError:
            return False
        return True

    # --- setting up ----------------------------------------------------------------------------

    def check_rights(self) -> tuple[RightFinding, ...]:
        return check_rights(self._client)

    def read_restrictions(self, member: str) -> tuple[Restriction, ...]:
        return read_restrictions(self._client, member)

    def list_choices(self, kind: ChoiceKind) -> tuple[NamedRef, ...]:
        return list_choices(self._reader, kind)

    def list_billing_statuses(self) -> tuple[BillingStatus, ...]:
        """See ``Psa.list_billing_statuses``. Rows that lack a usable id are left out.

        Source: ConnectWise public interface 2025.1, billing statuses: ``closedFlag`` locks an
        invoice, ``inactiveFlag`` takes a status out of use.
        """
        fields = "id,name,closedFlag,inactiveFlag"
        rows = self._reader.all(BILLING_STATUSES, {"fields": fields})
        in_use = [row for row in rows if row.get("inactiveFlag") is not True]
        return tuple(filter(None, map(_billing_status, in_use)))

    def ensure_callbacks(self, url: str) -> str:
        return Registrations(self._client, self._reader).ensure(url)

    def remove_callbacks(self, url_prefix: str) -> None:
        Registrations(self._client, self._reader).remove(url_prefix)

    def list_callback_urls(self) -> tuple[str, ...]:
        return Registrations(self._client, self._reader).list_urls()


def _listed_fields(kind: RecordKind) -> str:
    return ",".join(("id", *paths_of(PSA_KINDS[kind].fingerprint_fields)))


def _listed(kind: RecordKind, rows: Sequence[Json]) -> list[ListedRecord]:
    listed = []
    for row in rows:
        source_id = row_id(row)
        if source_id is not None:
            change_fingerprint = fingerprint(row, PSA_KINDS[kind].fingerprint_fields)
            has_balance = _has_balance(row.get("balance"))
            listed.append(
                ListedRecord(
                    source_id,
                    change_fingerprint,
                    has_balance=has_balance,
                    has_payments=any(_has_balance(row.get(name) or 0) for name in _PAID),
                )
            )
    return listed


def _by_id(rows: Sequence[Json]) -> dict[int, Json]:
    return {source_id: row for row in rows if (source_id := row_id(row)) is not None}


def _billing_status(row: Json) -> BillingStatus | None:
    source_id = row_id(row)
    if source_id is None:
        return None
    name = text_of(row.get("name")) or f"Status {source_id}"
    return BillingStatus(source_id, name, is_closed=row.get("closedFlag") is True)


def _has_balance(balance: object) -> bool:
    """Tell whether money may be owed; an unreadable balance counts as owed."""
    if not isinstance(balance, int | Decimal):
        return True
    amount = Decimal(balance)
    return not amount.is_finite() or abs(amount) > DOUBLE_NOISE


def _parameters(conditions: Conditions) -> Query:
    parameters = {"conditions": conditions.text, "childConditions": conditions.child_text}
    return {name: text for name, text in parameters.items() if text}
