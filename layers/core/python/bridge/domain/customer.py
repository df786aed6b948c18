"""A customer: a company of the partner's ConnectWise, or one made on the platform."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bridge.domain.identity import Origin


class ArchiveReason(StrEnum):
    """Why a record left the open view. Nothing is ever erased by a sync."""

    DELETED_IN_CONNECTWISE = "deleted_in_connectwise"
    LEFT_FILTER = "left_filter"
    BY_PERSON = "by_person"


@dataclass(frozen=True, slots=True)
class Archive:
    """When (UTC) and why a record was archived."""

    reason: ArchiveReason
    at: datetime


@dataclass(frozen=True, slots=True)
class NamedRef:
    """A ConnectWise reference: an id with the name the tenant gave it."""

    source_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Address:
    line_1: str = ""
    line_2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    """A payer. ``source_id`` is the ConnectWise company id, absent on platform-only customers.

    ``email`` is where invoices go: the company's own invoice address, else the billing contact's
    default address, else the default contact's.
    """

    customer_id: str
    partner_id: str
    origin: Origin
    name: str
    connection_id: str | None = None
    source_id: int | None = None
    identifier: str = ""
    email: str = ""
    phone: str = ""
    account_number: str = ""
    address: Address = field(default_factory=Address)
    status: NamedRef | None = None
    types: tuple[NamedRef, ...] = ()
    territory: NamedRef | None = None
    billing_terms: NamedRef | None = None
    currency_code: str = ""
    contact_ids: tuple[int, ...] = ()
    archive: Archive | None = None

    def archived(self, reason: ArchiveReason, at: datetime) -> Customer:
        """Return the same customer archived; one that is archived already stays as it was."""
        return self if self.archive else replace(self, archive=Archive(reason, at))
