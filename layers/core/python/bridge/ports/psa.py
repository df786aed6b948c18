"""The bridge reads from ConnectWise through these ports, within its rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from bridge.domain.callback_endpoint import CallbackEndpoint
from bridge.domain.connection import Connection, Credentials, PsaAddress
from bridge.domain.customer import NamedRef
from bridge.domain.filter_choices import ChoiceKind
from bridge.domain.filters import ImportFilters
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import BillingStatus
from bridge.domain.mirrored_kinds import MirroredKind, R
from bridge.domain.permissions import Restriction, RightFinding
from bridge.domain.run import MAX_PAGE_SIZE
from bridge.ports.psa_payments import PsaPayments
from bridge.ports.stored import Stored

T = TypeVar("T")
Head: TypeAlias = Mapping[str, object]
"""A record as ConnectWise lists it, which the Psa that listed it can read."""

IDS_OF_A_LIST: Final = 190
"""So many ids of seven digits fit into one URL, beside the fields of an invoice."""
MAX_FOUND = 10
"""Several invoices may have one number; a search finds so many."""


@dataclass(frozen=True, slots=True)
class ListedRecord:
    """The few properties of a record by which a page is chosen and compared."""

    source_id: int
    change_fingerprint: str
    """The properties that a sweep compares, as a JSON object by kind of ``Difference``. Equal
    fingerprints on both sides mean that the mirror agrees."""
    has_balance: bool = False
    """It applies to invoices."""
    is_archived: bool = False
    """It applies to stored records."""
    lacks_payments: bool = False
    """It applies to stored invoices."""
    has_payments: bool = False
    """It applies to listed invoices: their head shows payments or credits."""


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Listed records in the order of their ids."""

    records: tuple[ListedRecord, ...]
    last_id: int
    is_last: bool
    server_time: datetime
    """ConnectWise's own clock, from the ``Date`` header of the answer (UTC)."""
    broken_ids: tuple[int, ...] = ()
    """Ids of rows that ConnectWise fails to deliver."""
    unreadable_rows: int = 0
    """Rows whose very id is unreadable, so that nobody can tell which records they are."""
    managed_size: int = MAX_PAGE_SIZE
    """The records that ConnectWise manages to list at once, as far as it was asked."""
    heads: Mapping[int, Head] = field(default_factory=dict)
    """The records' heads by id, where they were asked for."""
    is_gapless: bool = False
    """These are all records that ConnectWise has in their range of ids."""

    @property
    def row_count(self) -> int:
        """Return how many rows the page has, readable or not."""
        return len(self.records) + len(self.broken_ids) + self.unreadable_rows


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """The records that a fetch by ids brought. An id that is missing from both mappings was left
    out of the answer; its record may still exist."""

    found: Mapping[int, T]
    broken: Mapping[int, str]
    """Unreadable records with the reason."""
    change_fingerprints: Mapping[int, str]
    """The fingerprints with which found records would be listed."""
    incomplete: Mapping[int, str] = field(default_factory=dict)
    """Found records that lack a part which only explains, with the reason."""
    payer_names: Mapping[int, str] = field(default_factory=dict)
    """The names that found invoices give their customers, by the customers' ids."""
    awaiting_payments: frozenset[int] = frozenset()
    """Found records whose payments were left for later."""
    from_lists: frozenset[int] = frozenset()
    """Found records that lists gave, which may lag, where a fetch of one record shows its present
    state."""


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """A plan spares calls, and time, when many records are fetched at once."""

    heads: Mapping[int, Head] = field(default_factory=dict)
    """Heads of a list stand for another reading of them. They are older than what the fetch reads,
    so they may only be given for records that were found unstored after they were listed."""
    is_gapless: bool = False
    """ConnectWise has no record between these, whose parts can then be asked for by a range."""
    settled_later: bool = False
    """Payments of invoices without a balance are left out, and ``Fetched.awaiting_payments`` names
    these invoices."""
    in_flight: int = 1
    """So many calls may be made at the same time."""

    def for_unstored(self, stored: Mapping[int, Stored[Any]]) -> ReadingPlan:
        """Return the plan with the heads of those records alone that were never stored."""
        unstored = {i: h for i, h in self.heads.items() if i in stored and not stored[i].version}
        return replace(self, heads=unstored)


ONE_BY_ONE: Final = ReadingPlan()
"""Records are fetched whole, by one call after the other."""


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """ConnectWise's answer to ``/system/info``."""

    version: str
    is_cloud: bool
    server_time: datetime
    """From the ``Date`` header of the answer (UTC)."""


class Psa(Protocol):
    """One connection's ConnectWise, which reads leave unchanged.

    Any method may raise ThrottledError, UnavailableError, OutOfTimeError,
    CredentialsRejectedError, PermissionMissingError or WrongCompanyError.
    """

    def read_system_info(self) -> SystemInfo: ...

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
        """Return up to ``limit`` records with ids above ``after_id``, lowest first (limit <= 1000).

        Customers that are marked deleted in ConnectWise are left out. Where ConnectWise does not
        manage so many, the page is shorter and tells so by ``managed_size``; it may be empty and
        still not the last. Raises UntrueListError for a list that repeats records, goes backwards
        or gives more than it was asked for.
        """
        ...

    def list_records_by_id(
        self, kind: RecordKind, source_ids: Sequence[int]
    ) -> Mapping[int, ListedRecord]:
        """Return those of the ids that ConnectWise lists, regardless of filters.

        A company marked deleted is left out.
        """
        ...

    def find(self, kind: RecordKind, label: str) -> tuple[int, ...]:
        """Return ids of records with this number (of an invoice) or identifier (of a company).

        There are MAX_FOUND at most; a text that cannot be asked for finds nothing.
        """
        ...

    def count(self, kind: RecordKind, *, filters: ImportFilters | None = None) -> int: ...

    def list_customers_with_changed_contacts(self, changed_since: datetime) -> frozenset[int]:
        """Return ids of customers one of whose contacts changed since then."""
        ...

    def fetch(
        self,
        kind: MirroredKind[R],
        source_ids: Sequence[int],
        *,
        with_payments_of: frozenset[int] = frozenset(),
        plan: ReadingPlan = ONE_BY_ONE,
    ) -> Fetched[R]:
        """Return whole records: invoices with lines and payments, customers with their e-mail.

        A customer marked deleted comes back archived. Payments cost one call an invoice, so they
        are read for invoices whose header shows payments or credits, and for the ids in
        ``with_payments_of``.
        """
        ...

    def exists(self, kind: RecordKind, source_id: int) -> bool:
        """Tell whether ConnectWise has the record; False only after proof.

        Proof is a 404 for the record while ``/system/info`` answers with the same credentials
        and codebase. Raises UnavailableError when existence and absence both stay unproven.
        """
        ...

    def find_absent(self, kind: RecordKind, source_ids: Sequence[int]) -> frozenset[int]:
        """Return those of the records that ConnectWise lacks, by the same proof as ``exists``.

        It costs one call a record and one for all. Raises as ``exists`` does.
        """
        ...

    def fetch_invoice_pdf(self, source_id: int) -> bytes:
        """Return the PDF. Raises MalformedRecordError for anything else, NotFoundError on 404."""
        ...

    def check_rights(self) -> tuple[RightFinding, ...]:
        """Probe every right that a harmless read can show."""
        ...

    def read_restrictions(self, member: str) -> tuple[Restriction, ...]:
        """Return the limits of the sight of the API member with this identifier.

        Whatever this ConnectWise keeps to itself is left out, so an empty answer is no proof.
        """
        ...

    def list_choices(self, kind: ChoiceKind) -> tuple[NamedRef, ...]:
        """Return a list of the tenant's setup, by id, with rows that are out of use."""
        ...

    def list_billing_statuses(self) -> tuple[BillingStatus, ...]:
        """Return the tenant's own billing statuses that are in use, by id."""
        ...

    def ensure_callbacks(self, url: str) -> str:
        """Make the registrations exactly one each for invoices and companies, at ``url``.

        Returns the identifier of the API member they belong to. Registrations of other URLs on
        our own path prefix (an older secret) are removed; those of others stay.
        """
        ...

    def remove_callbacks(self, url_prefix: str) -> None: ...

    def list_callback_urls(self) -> tuple[str, ...]:
        """Return the URL of every registration, whoever made it."""
        ...


class PsaGateway(Protocol):
    """Opens connections to ConnectWise."""

    def open(self, connection: Connection) -> Psa:
        """Return the connection's ConnectWise; credentials are read when first needed."""
        ...

    def open_for_look(self, connection: Connection, seconds: float) -> Psa:
        """Return the connection's ConnectWise for a call or two, which are over within so many
        seconds or end with OutOfTimeError or UnavailableError."""
        ...

    def open_payments(self, connection: Connection) -> PsaPayments:
        """Return the side of the connection's ConnectWise that payments are written to."""
        ...

    def try_out(self, connection: Connection, credentials: Credentials) -> Psa:
        """Return the connection's ConnectWise with credentials that are yet to be verified."""
        ...

    def discover(self, company_id: str, site_url: str | None) -> PsaAddress:
        """Find where the company answers; None asks the cloud regions in turn.

        Raises WrongCompanyError, UnsafeAddressError, UnavailableError.
        """
        ...


class CallPurpose(StrEnum):
    """A call to ConnectWise has a purpose."""

    MIRROR = "mirror"
    """It takes from the tenant's common share."""
    WRITE_BACK = "write_back"
    """It has a reserved share, and takes from the common one where that is used up."""
    LOOK = "look"
    """It is one of two calls at most, once in a quarter of an hour, and takes a turn only while
    others call."""


class CallSchedules(Protocol):
    """The schedules of all tenants' calls, kept for all workers together."""

    def take(self, connection_id: str, purpose: CallPurpose, *, count: int) -> tuple[datetime, ...]:
        """Take up to so many turns, at least one: each is the time from which a call may be made.

        Those are given that come due within a turn's life. Raises ThrottledError with the wait
        when that for the first would be too long; the schedules stay as they are.
        """
        ...

    def are_idle(self, connection_id: str) -> bool:
        """Tell whether all turns of the connection are over, and any pause as well."""
        ...

    def pause(self, connection_id: str, *, seconds: float) -> None:
        """Hold further turns of the connection back for that long, as ConnectWise asked for."""
        ...


class RateLimiter(Protocol):
    """A tenant's share of calls, as one worker asks for it."""

    def acquire(self, connection_id: str, purpose: CallPurpose = CallPurpose.MIRROR) -> float:
        """Take a call from the share and return the seconds to wait before making it.

        Raises ThrottledError with the wait when it would be too long; the share stays as it is.
        """
        ...

    def pause(self, connection_id: str, *, seconds: float) -> None:
        """Hold all calls back for that long, because ConnectWise asked for it."""
        ...


class SigningKeySource(Protocol):
    def fetch(self, endpoint: CallbackEndpoint, key_url: str) -> str:
        """Return the key that signs a callback, from its ``key_url``.

        Raises UnsafeAddressError unless the URL is exactly where this connection's own
        ConnectWise keeps its keys, KeyWithheldError where it is served to others than this source,
        and UnavailableError unless a key comes in time.
        """
        ...
