"""What the use cases need from the world, as protocols that the adapters fulfil.

Every adapter, and every fake in the tests, passes the same contract suite. Unless a method says
otherwise it may raise RetryableError when the other side is out of reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar

from bridge.domain.callback_endpoint import CallbackEndpoint
from bridge.domain.connection import Connection, Credentials, PsaAddress
from bridge.domain.customer import Customer
from bridge.domain.events import DomainEvent
from bridge.domain.filters import ImportFilters
from bridge.domain.hint import Hint
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice, InvoiceState
from bridge.domain.payment import Payment
from bridge.domain.permissions import RightFinding
from bridge.domain.problem import Problem, ProblemState, Trouble
from bridge.domain.run import Run
from bridge.domain.window import Window
from bridge.domain.work_messages import PdfRequest

T = TypeVar("T")


# --- values that cross the ports ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A stored record and its version, which grows by one with every write.

    ``marks`` are those of its head when it was last written (see :class:`Head`).

    ``value`` is None at version 0 (nothing is stored) and on a tombstone (ConnectWise was seen
    not to have a record that we never had).
    """

    value: T | None
    version: int
    marks: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; ``next_cursor`` is opaque and None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The few properties of a ConnectWise record by which a page is chosen and compared.

    ``marks`` holds the properties that a sweep compares, as ConnectWise's own JSON texts; equal
    marks on both sides mean nothing that matters differs. ``has_balance`` is meaningful on
    invoices, ``is_archived`` on stored records.
    """

    source_id: int
    marks: str
    has_balance: bool = False
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class HeadPage:
    """Heads in the order of their ids. ``broken_ids`` could not be read at all.

    ``server_time`` is ConnectWise's own clock, from the ``Date`` header of the answer (UTC).
    """

    heads: tuple[Head, ...]
    last_id: int
    is_last: bool
    server_time: datetime
    broken_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """What a fetch by ids brought: records, and unreadable ones with the reason.

    An id that is in neither was not returned; that alone proves nothing. ``marks`` are those
    that a head of the found record would carry.
    """

    found: Mapping[int, T]
    broken: Mapping[int, str]
    marks: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """ConnectWise's answer to ``/system/info``; ``server_time`` is its ``Date`` header (UTC)."""

    version: str
    is_cloud: bool
    server_time: datetime


# --- ConnectWise -------------------------------------------------------------------------------


class Psa(Protocol):
    """One connection's ConnectWise. Reads never change anything there.

    Any method may raise ThrottledError, UnavailableError, OutOfTimeError,
    CredentialsRejectedError, PermissionMissingError or WrongCompanyError.
    """

    def read_system_info(self) -> SystemInfo: ...

    def list_heads(
        self,
        kind: RecordKind,
        *,
        after_id: int,
        limit: int,
        changed_since: datetime | None = None,
        filters: ImportFilters | None = None,
    ) -> HeadPage:
        """Return up to ``limit`` heads with ids above ``after_id``, lowest first (limit <= 1000).

        Customers that are marked deleted in ConnectWise are not listed.
        """
        ...

    def fetch_heads(self, kind: RecordKind, source_ids: Sequence[int]) -> Mapping[int, Head]:
        """Return the heads of those of the ids that ConnectWise lists, whatever the filters.

        A company marked deleted is not listed.
        """
        ...

    def count(self, kind: RecordKind, *, filters: ImportFilters | None = None) -> int: ...

    def list_customers_with_changed_contacts(self, changed_since: datetime) -> frozenset[int]:
        """Return ids of customers one of whose contacts changed since then."""
        ...

    def fetch_invoices(
        self, source_ids: Sequence[int], *, with_payments_of: frozenset[int] = frozenset()
    ) -> Fetched[Invoice]:
        """Return whole invoices: header, lines, and payments.

        Payments cost one call an invoice, so they are read for invoices whose header shows
        payments or credits, and for the ids in ``with_payments_of``.
        """
        ...

    def fetch_customers(self, source_ids: Sequence[int]) -> Fetched[Customer]:
        """Return customers with their e-mail; one marked deleted comes back archived."""
        ...

    def exists(self, kind: RecordKind, source_id: int) -> bool:
        """Tell whether ConnectWise has the record; False only after proof.

        Proof is a 404 for the record while ``/system/info`` answers with the same credentials
        and codebase. Raises UnavailableError when neither can be shown.
        """
        ...

    def fetch_invoice_pdf(self, source_id: int) -> bytes:
        """Return the PDF. Raises MalformedRecordError for anything else, NotFoundError on 404."""
        ...

    def check_rights(self) -> tuple[RightFinding, ...]:
        """Probe with harmless reads every right that can be probed so."""
        ...

    def ensure_callbacks(self, url: str) -> str:
        """Make the registrations exactly one each for invoices and companies, at ``url``.

        Returns the identifier of the API member they belong to. Registrations of other URLs on
        our own path prefix (an older secret) are removed; those of anybody else stay.
        """
        ...

    def remove_callbacks(self, url_prefix: str) -> None: ...


class PsaGateway(Protocol):
    """Opens connections to ConnectWise."""

    def open(self, connection: Connection) -> Psa:
        """Return the connection's ConnectWise; credentials are read when first needed."""
        ...

    def try_out(self, connection: Connection, credentials: Credentials) -> Psa:
        """The same with credentials that are not stored yet, for verifying them."""
        ...

    def discover(self, company_id: str, site_url: str | None) -> PsaAddress:
        """Find where the company answers; None asks the cloud regions in turn.

        Raises WrongCompanyError, UnsafeAddressError, UnavailableError.
        """
        ...


class RateLimiter(Protocol):
    """A tenant's share of calls, kept for all workers together."""

    def acquire(self, connection_id: str, *, calls: int = 1) -> float:
        """Take calls from the share and return the seconds to wait before making them.

        Raises ThrottledError, with the wait and taking nothing, when it would be too long.
        """
        ...

    def pause(self, connection_id: str, *, seconds: float) -> None:
        """Let nobody call for that long: ConnectWise asked for it."""
        ...


class SigningKeySource(Protocol):
    def fetch(self, endpoint: CallbackEndpoint, key_url: str) -> str:
        """Return the key that signs a callback, from its ``key_url``.

        Raises UnsafeAddressError when the URL is not exactly where this connection's own
        ConnectWise keeps its keys, UnavailableError when no key came within 2 seconds.
        """
        ...


# --- stores ------------------------------------------------------------------------------------


class ConnectionStore(Protocol):
    def get(self, connection_id: str) -> Stored[Connection]:
        """Return the connection (value None, version 0 when there is none)."""
        ...

    def list_of_partner(self, partner_id: str) -> tuple[Connection, ...]:
        """Return all of a partner's connections, oldest first (at most 100)."""
        ...

    def list_syncing(self, cursor: str | None = None) -> Page[Connection]:
        """Return connections of all partners that are to be kept in step."""
        ...

    def save(self, connection: Connection, *, expected_version: int) -> int:
        """Write and return the new version. Raises ConflictError when the version moved."""
        ...


@dataclass(frozen=True, slots=True)
class InvoiceQuery:
    """Restrictions of a list; None does not restrict. Dates are inclusive."""

    state: InvoiceState | None = None
    connection_id: str | None = None
    customer_id: str | None = None
    currency_code: str | None = None
    number: str | None = None
    due_from: date | None = None
    due_to: date | None = None


@dataclass(frozen=True, slots=True)
class CustomerQuery:
    """``name`` matches the beginning, without regard to case."""

    is_archived: bool = False
    connection_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentQuery:
    """Deleted payments are history: they are left out unless asked for."""

    connection_id: str | None = None
    customer_id: str | None = None
    invoice_id: str | None = None
    paid_from: date | None = None
    paid_to: date | None = None
    with_deleted: bool = False


class RecordStore(Protocol):
    """Customers, invoices and payments, mirrored ones and platform-only ones side by side.

    Every read and write names the partner, and no call can reach another partner's records.
    """

    def get_customer(self, partner_id: str, customer_id: str) -> Stored[Customer]: ...

    def get_invoice(self, partner_id: str, invoice_id: str) -> Stored[Invoice]: ...

    def get_customers(
        self, partner_id: str, connection_id: str, source_ids: Sequence[int]
    ) -> Mapping[int, Stored[Customer]]:
        """Return an entry for every id asked for, version 0 where nothing is stored."""
        ...

    def get_invoices(
        self, partner_id: str, connection_id: str, source_ids: Sequence[int]
    ) -> Mapping[int, Stored[Invoice]]: ...

    def save_customer(self, customer: Customer, *, expected_version: int, marks: str = "") -> int:
        """Write if the stored version is the expected one (0: nothing may be stored).

        Returns the new version; raises ConflictError. A write of ours whose answer was lost and
        that the SDK repeated counts as a success.
        """
        ...

    def save_invoice(self, invoice: Invoice, *, expected_version: int, marks: str = "") -> int:
        """The same; the payments that changed are written, and those gone marked, with it."""
        ...

    def save_tombstone(
        self, partner_id: str, connection_id: str, kind: RecordKind, source_id: int
    ) -> None:
        """Note that ConnectWise was seen not to have a record that we never had."""
        ...

    def list_heads(
        self,
        partner_id: str,
        connection_id: str,
        kind: RecordKind,
        *,
        after_id: int,
        through_id: int | None,
        limit: int,
    ) -> tuple[Head, ...]:
        """Return heads of mirrored records with ids above ``after_id``, lowest first.

        Archived records are among them and marked; tombstones are not.
        """
        ...

    def count_mirrored(self, partner_id: str, connection_id: str, kind: RecordKind) -> int:
        """Return the number of mirrored records that are not archived."""
        ...

    def list_invoices(
        self, partner_id: str, query: InvoiceQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Invoice]:
        """Return invoices without their lines: unpaid ones first, then by due date."""
        ...

    def list_customers(
        self, partner_id: str, query: CustomerQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Customer]: ...

    def list_payments(
        self, partner_id: str, query: PaymentQuery, *, limit: int, cursor: str | None = None
    ) -> Page[Payment]:
        """Return payments, latest first."""
        ...


class CallbackEndpointStore(Protocol):
    def get(self, connection_id: str) -> CallbackEndpoint | None:
        """Return what callbacks of a connection must prove; None unless it is kept in step."""
        ...


class SigningKeyStore(Protocol):
    """Callback signing keys, kept for at most an hour. A key is a secret: it is never logged."""

    def get(self, connection_id: str, key_url: str) -> str | None: ...

    def put(self, connection_id: str, key_url: str, key: str) -> None: ...


class RunStore(Protocol):
    def start(self, run: Run, window: Window | None = None) -> None:
        """Store a new run, its place as the only one of its kind, and the window: all or none.

        Raises WindowTakenError when the window is taken, RunActiveError when another run of the
        kind is going on (a run that has not moved for RUN_LEASE gives its place up).
        """
        ...

    def withdraw(self, run: Run, window: Window | None) -> None:
        """Undo ``start`` for a run that could not be queued: window and place are free again."""
        ...

    def get(self, connection_id: str, run_id: str) -> Stored[Run]: ...

    def save(self, run: Run, *, expected_version: int) -> int:
        """Write if the version is unchanged, else ConflictError. An ended run frees its place."""
        ...

    def list_of_connection(
        self, connection_id: str, *, limit: int, cursor: str | None = None
    ) -> Page[Run]:
        """Return runs, latest first."""
        ...

    def list_stalled(self, unmoved_since: datetime) -> tuple[Run, ...]:
        """Return runs that have not ended and have not moved since then (at most 100)."""
        ...

    def get_watermark(self, connection_id: str, kind: RecordKind) -> datetime | None: ...

    def set_watermark(self, connection_id: str, kind: RecordKind, watermark: datetime) -> None:
        """Move the watermark forward; an older one than the stored one changes nothing."""
        ...


class ProblemStore(Protocol):
    def report(self, trouble: Trouble, now: datetime) -> None:
        """Open a problem, or count the same trouble on the one that is open."""
        ...

    def resolve(self, partner_id: str, problem_id: str, now: datetime) -> None:
        """Resolve it if it is open; nothing happens otherwise."""
        ...

    def get(self, partner_id: str, problem_id: str) -> Problem | None: ...

    def open_of_connection(self, partner_id: str, connection_id: str) -> Mapping[str, Problem]:
        """Return open problems by their ids (at most 1,000)."""
        ...

    def list(
        self,
        partner_id: str,
        *,
        state: ProblemState | None,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Problem]: ...


class SecretVault(Protocol):
    def put_credentials(self, connection_id: str, credentials: Credentials) -> None: ...

    def get_credentials(self, connection_id: str, *, is_fresh: bool = False) -> Credentials:
        """Return them from the short-lived cache, or freshly when ``is_fresh``."""
        ...

    def delete_credentials(self, connection_id: str) -> None: ...

    def get_client_id(self) -> str:
        """Return the bridge's own ConnectWise client id."""
        ...


# --- messages and files ------------------------------------------------------------------------


class HintQueue(Protocol):
    def send(self, hints: Sequence[Hint], *, delay_seconds: int = 0) -> None: ...


class RunQueue(Protocol):
    def send(self, run: Run, *, delay_seconds: int = 0) -> None:
        """Ask a worker to do the run's next page."""
        ...


class PdfQueue(Protocol):
    def send(self, requests: Sequence[PdfRequest]) -> None: ...


class EventBus(Protocol):
    def publish(self, events: Sequence[DomainEvent]) -> None:
        """Publish events at least once each; their order is not kept."""
        ...


class DocumentStore(Protocol):
    def put_pdf(self, key: str, content: bytes) -> None: ...

    def has_pdf(self, key: str) -> bool: ...

    def presign_pdf(self, key: str, *, file_name: str, lifetime_seconds: int) -> str: ...


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time in UTC."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def remaining_seconds(self) -> float:
        """Return the time this worker may still use."""
        ...
