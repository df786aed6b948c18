"""The reader reads whole customers: companies, and the contacts that invoices are sent to.

Source of the facts: ConnectWise public interface 2025.1 and recorded answers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bridge.connectwise.bulk_reader import MAX_PAGES, BulkReader
from bridge.connectwise.complaints import complaint, unbelieved, unwritten
from bridge.connectwise.conditions import changed_since_condition
from bridge.connectwise.fingerprints import COMPANY_FINGERPRINT_FIELDS, fingerprint
from bridge.connectwise.held_rows import HeldBytes
from bridge.connectwise.listed_rows import Json, row_id
from bridge.connectwise.mapping import Owner, contact_ids_of, to_customer
from bridge.connectwise.wire import (
    CompanyRow,
    ContactRow,
    parse_row,
)
from bridge.domain.customer import Customer
from bridge.domain.errors import MalformedRecordError, PermissionMissingError, UntrueListError
from bridge.domain.run import MAX_PAGE_SIZE, next_page_size
from bridge.ports import Clock, Fetched, ReadingPlan
from bridge.ports.psa import ONE_BY_ONE

COMPANIES = "/company/companies"
CONTACTS = "/company/contacts"

COMPANY_FIELDS = (
    "id,identifier,name,status/id,status/name,types,territory/id,territory/name,accountNumber,"
    "phoneNumber,addressLine1,addressLine2,city,state,zip,country/name,billingTerms,"
    "currency,defaultContact/id,billingContact/id,invoiceToEmailAddress,"
    "invoiceCCEmailAddress,"
    "deletedFlag,dateDeleted,_info/lastUpdated"
)

_log = logging.getLogger(__name__)


class CustomerReader:
    """The reader reads customers of one connection."""

    def __init__(self, reader: BulkReader, owner: Owner, clock: Clock) -> None:
        self._reader = reader
        self._owner = owner
        self._clock = clock

    def fetch(
        self,
        source_ids: Sequence[int],
        with_payments_of: frozenset[int] = frozenset(),  # noqa: ARG002
        *,
        plan: ReadingPlan = ONE_BY_ONE,
    ) -> Fetched[Customer]:
        """Return customers with their e-mail; see ``Psa.fetch``."""
        with HeldBytes(record_count=len(source_ids)) as held:
            return self._fetch(source_ids, plan.heads, held)

    def _fetch(
        self, source_ids: Sequence[int], heads: Mapping[int, Json], held: HeldBytes
    ) -> Fetched[Customer]:
        query = {"fields": COMPANY_FIELDS}
        unlisted = [each for each in source_ids if each not in heads]
        sifted = self._reader.by_ids(COMPANIES, query, unlisted, held=held)
        sifted.rows.extend(heads[each] for each in source_ids if each in heads)
        broken = {
            **{key: unwritten(_name(key)) for key in sifted.broken_ids},
            **{key: unbelieved(_name(key), reason) for key, reason in sifted.refused.items()},
        }
        companies: dict[int, CompanyRow] = {}
        fingerprints: dict[int, str] = {}
        for json in sifted.rows:
            source_id = row_id(json)
            if source_id is None:
                continue
            try:
                companies[source_id] = parse_row(CompanyRow, json)
                fingerprints[source_id] = fingerprint(json, COMPANY_FINGERPRINT_FIELDS)
            except MalformedRecordError as error:
                broken[source_id] = complaint(error, _name(source_id))
        contact_ids = (
            contact_id
            for company in companies.values()
            if not company.invoice_to_email_address
            for contact_id in contact_ids_of(company)
        )
        contacts = self._contacts(contact_ids, held)
        now = self._clock.now()
        server_time = min(sifted.server_time or now, now)
        found = {
            source_id: to_customer(self._owner, company, contacts, server_time=server_time)
            for source_id, company in companies.items()
        }
        return Fetched(found, broken, fingerprints)

    def _contacts(self, contact_ids: Iterable[int], held: HeldBytes) -> Mapping[int, ContactRow]:
        """Return the contacts that can be read; the others cost a customer its e-mail only.

        The guide's security role has no row for contacts. Where a tenant's ConnectWise wants one,
        the addresses of contacts are missing.
        """
        contacts: dict[int, ContactRow] = {}
        query = {"fields": "id,inactiveFlag,communicationItems"}
        try:
            rows = self._reader.by_ids(CONTACTS, query, contact_ids, held=held).rows
        except PermissionMissingError:
            _log.warning("contacts may not be read")
            return contacts
        for json in rows:
            try:
                contact = parse_row(ContactRow, json)
            except MalformedRecordError as error:
                _log.warning("contact skipped", extra={"field": error.field})
            else:
                contacts[contact.id] = contact
        return contacts

    def list_with_changed_contacts(self, changed_since: datetime) -> frozenset[int]:
        """Return the companies of contacts that changed since then.

        ConnectWise leaves a company's time of change as it is when a contact changes.
        """
        query = {"fields": "id,company/id", "conditions": changed_since_condition(changed_since)}
        found: set[int] = set()
        last_id, size = 0, MAX_PAGE_SIZE
        for _ in range(MAX_PAGES):
            try:
                page = self._reader.forward(CONTACTS, query, after_id=last_id, limit=size)
            except PermissionMissingError:
                _log.warning("contacts may not be read")
                return frozenset()
            ids = (row_id(row.get("company")) for row in page.rows)
            found.update(each for each in ids if each is not None)
            if page.is_last:
                return frozenset(found)
            last_id, size = page.last_id, next_page_size(size, page.managed_size)
        raise UntrueListError("ConnectWise's list does not end")


def _name(source_id: int) -> str:
    return f"the company with id {source_id}"
