"""What the use cases need to remember."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bridge.domain.callback_endpoint import CallbackEndpoint
from bridge.domain.connection import Connection, Credentials
from bridge.domain.customer import Customer
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.payment import Payment
from bridge.domain.problem import Problem, ProblemState, Trouble
from bridge.domain.run import Run
from bridge.domain.window import Window
from bridge.ports.values import CustomerQuery, Head, InvoiceQuery, Page, PaymentQuery, Stored

MAX_PAGES_OF_CONNECTIONS = 1000


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


def syncing_connections(connections: ConnectionStore) -> Iterator[Connection]:
    """Yield every connection that is to be kept in step, of all partners."""
    cursor = None
    for _ in range(MAX_PAGES_OF_CONNECTIONS):
        page = connections.list_syncing(cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
