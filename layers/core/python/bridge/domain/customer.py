"""A customer is a company of the partner's ConnectWise, or one made on the platform."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from bridge.domain.identity import Origin


class ArchiveReason(StrEnum):
    """The reason why a record left the open view. A sync may not erase a record."""

    DELETED_IN_CONNECTWISE = "deleted_in_connectwise"
    LEFT_FILTER = "left_filter"
    BY_PERSON = "by_person"


@dataclass(frozen=True, slots=True)
class Archive:
    """The archiving of a record."""

    reason: ArchiveReason
    at: datetime
    """UTC."""


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
    """A customer receives invoices and pays them."""

    customer_id: str
    partner_id: str
    origin: Origin
    name: str
    connection_id: str | None = None
    source_id: int | None = None
    """The ConnectWise company id, None for a customer made on the platform."""
    identifier: str = ""
    email: str = ""
    """Invoices go to this address: the company's own invoice address, else the billing contact's
    default address, else the default contact's. A contact that is inactive is passed over."""
    further_emails: tuple[str, ...] = ()
    """Invoices also go to these: people list several addresses in one field."""
    cc_emails: tuple[str, ...] = ()
    """Copies of invoices go to these."""
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

    @property
    def emails(self) -> tuple[str, ...]:
        """Return every address that invoices go to, the first one first."""
        return (self.email, *self.further_emails) if self.email else self.further_emails

    def archived(self, reason: ArchiveReason, at: datetime) -> Customer:
        """Return the same customer archived; one that is archived already stays as it was."""
        return self if self.archive else replace(self, archive=Archive(reason, at))
