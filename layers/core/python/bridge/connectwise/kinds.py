"""The table of mirrored kinds at ConnectWise: where each is listed, compared and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.client import ConnectWiseClient
from bridge.connectwise.conditions import Conditions, customer_conditions, invoice_conditions
from bridge.connectwise.customers import COMPANIES, COMPANY_FIELDS, CustomerReader
from bridge.connectwise.fingerprints import (
    COMPANY_FINGERPRINT_FIELDS,
    INVOICE_FINGERPRINT_FIELDS,
    FingerprintFields,
)
from bridge.connectwise.invoice_information import InformationReader
from bridge.connectwise.invoices import HEADER_FIELDS, InvoiceReader
from bridge.connectwise.invoices import INVOICES as INVOICES_ROUTE
from bridge.connectwise.mapping import Owner
from bridge.domain.filters import ImportFilters
from bridge.domain.identity import RecordKind
from bridge.ports import Clock, Fetched, ReadingPlan
from bridge.ports.psa import ONE_BY_ONE


class KindReader(Protocol):
    """Reads whole records of one kind."""

    def fetch(
        self,
        source_ids: Sequence[int],
        with_payments_of: frozenset[int] = frozenset(),
        *,
        plan: ReadingPlan = ONE_BY_ONE,
    ) -> Fetched[Any]: ...


@dataclass(frozen=True, slots=True)
class PsaKind:
    """One kind of record as ConnectWise offers it."""

    route: str
    fingerprint_fields: FingerprintFields
    """The properties of the change fingerprint."""
    head_fields: str
    """The properties of a record's head, of which whole records are made."""
    label_field: str
    """The property that persons know a record by."""
    conditions: Callable[[ImportFilters | None, datetime | None, int], Conditions]
    """Writes filters and a date of change as ConnectWise conditions that fit so many characters."""
    open_reader: Callable[
        [ConnectWiseClient, BulkReader, Owner, Clock, InformationReader | None], KindReader
    ]


PSA_KINDS: Final[Mapping[RecordKind, PsaKind]] = {
    RecordKind.CUSTOMER: PsaKind(
        route=COMPANIES,
        fingerprint_fields=COMPANY_FINGERPRINT_FIELDS,
        head_fields=COMPANY_FIELDS,
        label_field="identifier",
        conditions=customer_conditions,
        open_reader=lambda _, reader, owner, clock, __: CustomerReader(reader, owner, clock),
    ),
    RecordKind.INVOICE: PsaKind(
        route=INVOICES_ROUTE,
        fingerprint_fields=INVOICE_FINGERPRINT_FIELDS,
        head_fields=HEADER_FIELDS,
        label_field="invoiceNumber",
        conditions=invoice_conditions,
        open_reader=lambda client, reader, owner, _, information: InvoiceReader(
            client, reader, owner, information
        ),
    ),
}
