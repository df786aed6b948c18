"""Values that cross the ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from bridge.domain.invoice import InvoiceState

T = TypeVar("T")


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
