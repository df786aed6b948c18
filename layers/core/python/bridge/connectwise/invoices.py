"""The reader reads whole invoices: headers, lines of three kinds, payments, and the printed PDF.

ConnectWise has no endpoint for invoice lines; they are the products, time entries and expenses
that name the invoice, and many invoices share the calls for them.
Source of the facts: ConnectWise public interface 2025.1 and recorded answers.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.call_limits import PDF as PDF_LIMITS
from bridge.connectwise.client import ConnectWiseClient
from bridge.connectwise.complaints import (
    UNWRITTEN,
    complaint,
    lacking,
    name_of_invoice,
    unbelieved,
    unwritten,
)
from bridge.connectwise.currencies import CompanyCurrencies
from bridge.connectwise.failures import EndpointMissingError
from bridge.connectwise.fingerprints import INVOICE_FINGERPRINT_FIELDS, fingerprint
from bridge.connectwise.held_rows import LONGER_THAN_READ, HeldBytes
from bridge.connectwise.listed_rows import row_id
from bridge.connectwise.mapping import (
    Owner,
    has_payments,
    hides_all_lines,
    payer_of,
    to_invoice,
)
from bridge.connectwise.wire import (
    ExpenseRow,
    InvoiceRow,
    LineRow,
    PaymentRow,
    ProductRow,
    TimeRow,
    parse_row,
)
from bridge.domain.errors import (
    MalformedRecordError,
    NotFoundError,
    TooHeavyError,
    TooLargeError,
    TooMuchTogetherError,
    UnavailableError,
    UntrueListError,
)
from bridge.domain.invoice import Invoice
from bridge.domain.money import Currency
from bridge.ports import Fetched

INVOICES = "/finance/invoices"
PAYMENTS = "/finance/invoices/{id}/payments"
PDF = "/finance/invoices/{id}/pdf"
PRODUCTS = "/procurement/products"
TIME_ENTRIES = "/time/entries"
EXPENSES = "/expense/entries"

_log = logging.getLogger(__name__)

_PDF_TYPE = "application/pdf"
_PDF_START = b"%PDF-"
_TOO_LARGE = "is too large (20 MB at most)"
# Whole references are named: their paths would leave room for fewer ids in the URL.
_HEADER_FIELDS = (
    "id,invoiceNumber,type,status,company,billToCompany,date,dueDate,currency,total,balance,"
    "payments,credits,subtotal,salesTax,previousProgressApplied,downpaymentApplied,"
    "agreementAmount,agreement,locationId,departmentId,reference,customerPO,billingTerms,glBatch,"
    "_info/lastUpdated"
)
PAYMENT_FIELDS = "id,amount,paymentDate,appliedBy,credit/id"
_PRODUCT_FIELDS = (
    "id,invoice/id,description,customerDescription,quantity,price,extPrice,billableOption,"
    "cancelledFlag"
)
_TIME_FIELDS = (
    "id,invoice/id,notes,workType/name,invoiceHours,hourlyRate,extendedInvoiceAmount,billableOption"
)
_EXPENSE_FIELDS = "id,invoice/id,notes,type/name,invoiceAmount,billableOption"
_LINES: tuple[tuple[str, type[LineRow], str], ...] = (
    (PRODUCTS, ProductRow, _PRODUCT_FIELDS),
    (TIME_ENTRIES, TimeRow, _TIME_FIELDS),
    (EXPENSES, ExpenseRow, _EXPENSE_FIELDS),
)


@dataclass(slots=True)
class _Headers:
    """Headers of invoices by id, readable ones apart from broken ones."""

    rows: dict[int, InvoiceRow] = field(default_factory=dict)
    fingerprints: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    """The names that people know the invoices by."""
    broken: dict[int, str] = field(default_factory=dict)
    """The complaints about unreadable invoices, for a person."""


@dataclass(slots=True)
class _Lines:
    """Lines of many invoices, by the invoice's id."""

    by_invoice: dict[int, list[LineRow]] = field(default_factory=lambda: defaultdict(list))
    incomplete: dict[int, str] = field(default_factory=dict)
    """The invoices some of whose lines are unreadable or refused, with the reason."""


class InvoiceReader:
    """The reader reads invoices of one connection."""

    def __init__(self, client: ConnectWiseClient, reader: BulkReader, owner: Owner) -> None:
        self._client = client
        self._reader = reader
        self._owner = owner
        self._currencies = CompanyCurrencies(reader)

    def fetch(
        self, source_ids: Sequence[int], with_payments_of: frozenset[int]
    ) -> Fetched[Invoice]:
        """Return whole invoices; see ``Psa.fetch``.

        An adjustment stands in for a line that is unreadable, or that ConnectWise fails to write.
        Such an invoice is stored with an empty fingerprint, so that each sweep looks once more.
        """
        with HeldBytes(record_count=len(source_ids)) as held:
            return self._fetch(source_ids, with_payments_of, held)

    def _fetch(
        self, source_ids: Sequence[int], with_payments_of: frozenset[int], held: HeldBytes
    ) -> Fetched[Invoice]:
        headers = self._headers(source_ids, held)
        currencies = self._payers_currencies(headers.rows.values(), held)
        lines = self._lines(headers.rows, held)
        found: dict[int, Invoice] = {}
        for source_id, row in headers.rows.items():
            shown = lines.by_invoice[source_id]
            if source_id in lines.incomplete or hides_all_lines(row, shown):
                headers.fingerprints[source_id] = ""
            name = headers.names[source_id]
            try:
                found[source_id] = to_invoice(
                    self._owner,
                    row,
                    lines=shown,
                    payments=self._payments(row, held, is_wanted=source_id in with_payments_of),
                    payers_currency=currencies.get(source_id),
                )
            except MalformedRecordError as error:
                headers.broken[source_id] = complaint(error, name)
            except UntrueListError as error:
                headers.broken[source_id] = unbelieved(f"the payments of {name}", str(error))
            except TooMuchTogetherError:
                raise
            except TooHeavyError as error:
                self._reader.require_answer(INVOICES)
                headers.broken[source_id] = _undelivered(f"the payments of {name}", error)
            except EndpointMissingError as error:
                raise UnavailableError("ConnectWise hides its payments") from error
            except NotFoundError:
                # Deleted since its header was read: not found, and nothing is broken.
                continue
        return Fetched(
            found,
            headers.broken,
            {key: headers.fingerprints[key] for key in found},
            incomplete={
                key: lacking(f"the lines of {headers.names[key]}", reason)
                for key, reason in lines.incomplete.items()
                if key in found
            },
            payer_names=_payer_names(headers.rows.values()),
        )

    def _headers(self, source_ids: Sequence[int], held: HeldBytes) -> _Headers:
        query = {"fields": _HEADER_FIELDS}
        sifted = self._reader.by_ids(INVOICES, query, source_ids, held=held)
        headers = _Headers()
        for key in sifted.broken_ids:
            headers.broken[key] = unwritten(f"the invoice with id {key}")
        for key, reason in sifted.refused.items():
            headers.broken[key] = unbelieved(f"the invoice with id {key}", reason)
        for json in sifted.rows:
            source_id = row_id(json)
            if source_id is None:
                continue
            headers.names[source_id] = name_of_invoice(json)
            try:
                headers.rows[source_id] = parse_row(InvoiceRow, json)
            except MalformedRecordError as error:
                headers.broken[source_id] = complaint(error, headers.names[source_id])
            else:
                headers.fingerprints[source_id] = fingerprint(json, INVOICE_FINGERPRINT_FIELDS)
        return headers

    def _payers_currencies(
        self, rows: Iterable[InvoiceRow], held: HeldBytes
    ) -> Mapping[int, Currency | None]:
        """Return the payer's currency for each invoice that leaves its own out."""
        payers = {
            row.id: payer.id if (payer := payer_of(row)) else None
            for row in rows
            if row.currency is None
        }
        payer_ids = (payer_id for payer_id in payers.values() if payer_id)
        known = self._currencies.of(payer_ids, held)
        return {key: known[payer_id] for key, payer_id in payers.items() if payer_id}

    def _lines(self, source_ids: Iterable[int], held: HeldBytes) -> _Lines:
        lines = _Lines()
        wanted = list(source_ids)
        for route, model, fields in _LINES:
            sifted = self._reader.by_ids(
                route, {"fields": fields}, wanted, path="invoice/id", held=held
            )
            lines.incomplete |= dict.fromkeys(sifted.broken_ids, UNWRITTEN) | sifted.refused
            for json in sifted.rows:
                try:
                    line = parse_row(model, json)
                except MalformedRecordError as error:
                    _log.warning("line skipped", extra={"field": error.field})
                    invoice_id = row_id(json.get("invoice"))
                    if invoice_id is not None:
                        lines.incomplete[invoice_id] = str(error)
                else:
                    lines.by_invoice[line.invoice.id].append(line)
        return lines

    def _payments(
        self, header: InvoiceRow, held: HeldBytes, *, is_wanted: bool
    ) -> list[PaymentRow]:
        if not is_wanted and not has_payments(header):
            return []
        rows = self._reader.all(
            PAYMENTS, {"fields": PAYMENT_FIELDS}, ids={"id": header.id}, held=held
        )
        return [parse_row(PaymentRow, json) for json in rows]

    def fetch_pdf(self, source_id: int) -> bytes:
        """Return the printed invoice, which ConnectWise renders anew for each call.

        Its first bytes decide: servers label PDFs in many ways. Raises MalformedRecordError.
        """
        try:
            body = self._client.read_bytes(
                PDF, ids={"id": source_id}, accept=_PDF_TYPE, limits=PDF_LIMITS
            ).body
        except TooLargeError as error:
            raise MalformedRecordError(_TOO_LARGE, field="pdf") from error
        if not body.startswith(_PDF_START):
            raise MalformedRecordError("is not a PDF", field="pdf")
        return body


def _undelivered(what: str, error: TooHeavyError) -> str:
    """Return the sentences about a part that is missing, though ConnectWise answers other calls."""
    if isinstance(error, TooLargeError):
        return unbelieved(what, LONGER_THAN_READ)
    return unwritten(what)


def _payer_names(rows: Iterable[InvoiceRow]) -> dict[int, str]:
    return {payer.id: payer.name for payer in filter(None, map(payer_of, rows))}
