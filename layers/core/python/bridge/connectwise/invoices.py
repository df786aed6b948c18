"""The reader reads whole invoices: headers, lines of three kinds, payments, and the printed PDF.

ConnectWise has no endpoint for invoice lines; they are the products, time entries and expenses
that name the invoice, and many invoices share the calls for them.
Source of the facts: ConnectWise public interface 2025.1 and recorded answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from bridge.connectwise.bulk_reader import BulkReader, Json, row_id
from bridge.connectwise.client import ConnectWiseClient
from bridge.connectwise.failures import EndpointMissingError, ServerFailedError
from bridge.connectwise.mapping import Owner, has_payments, hides_all_lines, to_invoice
from bridge.connectwise.wire import (
    INVOICE_FINGERPRINT_FIELDS,
    ExpenseRow,
    InvoiceRow,
    LineRow,
    PaymentRow,
    ProductRow,
    TimeRow,
    complaint,
    fingerprint,
    parse_row,
)
from bridge.domain.errors import MalformedRecordError, NotFoundError, UnavailableError
from bridge.domain.invoice import Invoice
from bridge.ports import Fetched

INVOICES = "/finance/invoices"
PAYMENTS = "/finance/invoices/{id}/payments"
PDF = "/finance/invoices/{id}/pdf"
PRODUCTS = "/procurement/products"
TIME_ENTRIES = "/time/entries"
EXPENSES = "/expense/entries"

MAX_PDF_BYTES = 20 * 1024 * 1024
PDF_SECONDS = 60.0

UNREADABLE = "ConnectWise cannot read it out"

_PDF_TYPE = "application/pdf"
_PDF_START = b"%PDF-"
_HEADER_FIELDS = (
    "id,invoiceNumber,type,status,company/id,billToCompany/id,date,dueDate,"
    "currency,total,balance,payments,credits,subtotal,"
    "salesTax,agreementAmount,agreement,locationId,departmentId,reference,customerPO,"
    "billingTerms,glBatch,_info/lastUpdated"
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


class InvoiceReader:
    """The reader reads invoices of one connection."""

    def __init__(self, client: ConnectWiseClient, reader: BulkReader, owner: Owner) -> None:
        self._client = client
        self._reader = reader
        self._owner = owner

    def fetch(
        self, source_ids: Sequence[int], with_payments_of: frozenset[int]
    ) -> Fetched[Invoice]:
        """Return whole invoices; see ``Psa.fetch``."""
        sifted = self._reader.by_ids(INVOICES, {"fields": _HEADER_FIELDS}, source_ids)
        broken = dict.fromkeys(sifted.broken_ids, UNREADABLE)
        headers: dict[int, InvoiceRow] = {}
        fingerprints: dict[int, str] = {}
        for json in sifted.rows:
            source_id = row_id(json)
            if source_id is None:
                continue
            try:
                headers[source_id] = parse_row(InvoiceRow, json)
                fingerprints[source_id] = fingerprint(json, INVOICE_FINGERPRINT_FIELDS)
            except MalformedRecordError as error:
                broken[source_id] = complaint(error)
        lines = self._lines(headers, broken)
        fingerprints |= {
            i: "" for i, header in headers.items() if hides_all_lines(header, lines[i])
        }
        found: dict[int, Invoice] = {}
        for source_id, header in headers.items():
            if source_id in broken:
                continue
            try:
                payments = self._payments(header, is_wanted=source_id in with_payments_of)
                found[source_id] = to_invoice(
                    self._owner, header, lines=lines[source_id], payments=payments
                )
            except MalformedRecordError as error:
                broken[source_id] = complaint(error)
            except EndpointMissingError as error:
                raise UnavailableError("ConnectWise hides its payments") from error
            except NotFoundError:
                # Deleted since its header was read: not found, and nothing is broken.
                continue
        return Fetched(found, broken, {key: fingerprints[key] for key in found})

    def _lines(self, source_ids: Iterable[int], broken: dict[int, str]) -> dict[int, list[LineRow]]:
        lines: dict[int, list[LineRow]] = defaultdict(list)
        wanted = list(source_ids)
        for route, model, fields in _LINES:
            sifted = self._reader.by_ids(route, {"fields": fields}, wanted, path="invoice/id")
            broken.update(dict.fromkeys(sifted.broken_ids, f"a line: {UNREADABLE}"))
            for json in sifted.rows:
                self._add_line(model, json, lines, broken)
        return lines

    def _add_line(
        self,
        model: type[LineRow],
        json: Json,
        lines: dict[int, list[LineRow]],
        broken: dict[int, str],
    ) -> None:
        """Add a line to its invoice; an unreadable line makes its invoice a broken one."""
        try:
            line = parse_row(model, json)
            lines[line.invoice.id].append(line)
        except MalformedRecordError as error:
            invoice_id = row_id(json.get("invoice"))
            if invoice_id is not None:
                broken[invoice_id] = f"a line: {complaint(error)}"

    def _payments(self, header: InvoiceRow, *, is_wanted: bool) -> list[PaymentRow]:
        if not is_wanted and not has_payments(header):
            return []
        try:
            rows, _ = self._reader.all(PAYMENTS, {"fields": PAYMENT_FIELDS}, ids={"id": header.id})
        except ServerFailedError as error:
            self._reader.require_answer(INVOICES)
            raise MalformedRecordError(f"a payment: {UNREADABLE}") from error
        return [parse_row(PaymentRow, json) for json in rows]

    def fetch_pdf(self, source_id: int) -> bytes:
        """Return the printed invoice, which ConnectWise renders anew for each call."""
        answer = self._client.read_bytes(
            PDF, ids={"id": source_id}, accept=_PDF_TYPE, seconds=PDF_SECONDS
        )
        content_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if content_type != _PDF_TYPE or not answer.body.startswith(_PDF_START):
            raise MalformedRecordError("the document is no PDF", field="pdf")
        if len(answer.body) > MAX_PDF_BYTES:
            raise MalformedRecordError("the document is too large", field="pdf")
        return answer.body
