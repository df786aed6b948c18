"""The reader reads whole invoices: headers, lines of three kinds, payments, and the printed PDF.

Many invoices share the calls for headers and lines; payments cost one call an invoice.
Source of the facts: ConnectWise public interface 2025.1 and recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.call_limits import PDF as PDF_LIMITS
from bridge.connectwise.client import ConnectWiseClient
from bridge.connectwise.complaints import (
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
from bridge.connectwise.invoice_information import MAX_ASKED_SINGLY, InformationReader
from bridge.connectwise.invoice_lines import LineReader, Lines
from bridge.connectwise.listed_rows import Json, row_id
from bridge.connectwise.mapping import (
    Owner,
    has_payments,
    hides_all_lines,
    owes_nothing,
    payer_of,
    to_invoice,
)
from bridge.connectwise.wire import (
    InvoiceRow,
    LineRow,
    PaymentRow,
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
from bridge.lanes import side_by_side
from bridge.ports import Fetched, ReadingPlan
from bridge.ports.psa import ONE_BY_ONE

INVOICES = "/finance/invoices"
PAYMENTS = "/finance/invoices/{id}/payments"
PDF = "/finance/invoices/{id}/pdf"

_PDF_TYPE = "application/pdf"
_PDF_START = b"%PDF-"
_TOO_LARGE = "is too large (20 MB at most)"
# Whole references are named: their paths would leave room for fewer ids in the URL.
HEADER_FIELDS = (
    "id,invoiceNumber,type,status,company,billToCompany,date,dueDate,currency,total,balance,"
    "payments,credits,subtotal,salesTax,previousProgressApplied,downpaymentApplied,"
    "agreementAmount,agreement,locationId,departmentId,reference,customerPO,billingTerms,glBatch,"
    "_info/lastUpdated"
)
PAYMENT_FIELDS = "id,amount,paymentDate,appliedBy,credit/id"


@dataclass(slots=True)
class _Headers:
    """Headers of invoices by id, readable ones apart from broken ones."""

    rows: dict[int, InvoiceRow] = field(default_factory=dict)
    fingerprints: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    """The names that people know the invoices by."""
    broken: dict[int, str] = field(default_factory=dict)
    """The complaints about unreadable invoices, for a person."""
    lines: Mapping[int, Sequence[LineRow]] = field(default_factory=dict)
    """All lines of those invoices whose header came with them."""
    may_lag: bool = False
    """Lists gave them, though ConnectWise might tell each one's present state."""


@dataclass(frozen=True, slots=True)
class _Unread:
    """An invoice's payments stay unread."""

    complaint: str
    """The sentence about it, for a person; empty where the invoice is gone."""


class InvoiceReader:
    """The reader reads invoices of one connection, a few of them by ``information``."""

    def __init__(
        self,
        client: ConnectWiseClient,
        reader: BulkReader,
        owner: Owner,
        information: InformationReader | None = None,
    ) -> None:
        self._client = client
        self._reader = reader
        self._owner = owner
        self._currencies = CompanyCurrencies(reader)
        self._lines = LineReader(reader)
        self._information = information

    def fetch(
        self,
        source_ids: Sequence[int],
        with_payments_of: frozenset[int] = frozenset(),
        *,
        plan: ReadingPlan = ONE_BY_ONE,
    ) -> Fetched[Invoice]:
        """Return whole invoices; see ``Psa.fetch``.

        An adjustment stands in for a line that is unreadable, or that ConnectWise fails to write.
        Such an invoice is stored with an empty fingerprint, so that each sweep looks once more.
        """
        with HeldBytes(record_count=len(source_ids)) as held:
            headers = self._headers_and_lines(source_ids, plan.heads, held)
            later = frozenset(
                source_id
                for source_id, row in headers.rows.items()
                if plan.settled_later and has_payments(row) and owes_nothing(row)
            )
            lanes = min(plan.in_flight, self._client.most_in_flight)
            lines = self._lines.read(
                headers.rows, held, known=headers.lines, is_gapless=plan.is_gapless, lanes=lanes
            )
            with_payments = [
                row
                for source_id, row in headers.rows.items()
                if source_id not in later and (source_id in with_payments_of or has_payments(row))
            ]
            read = partial(self._payments, headers.names, held)
            payments = side_by_side(lanes, read, with_payments)
            paid = {row.id: each for row, each in zip(with_payments, payments, strict=True)}
            currencies = self._payers_currencies(headers.rows.values(), held)
            return self._wholes(headers, lines, paid, currencies, later)

    def _wholes(
        self,
        headers: _Headers,
        lines: Lines,
        paid: Mapping[int, list[PaymentRow] | _Unread],
        currencies: Mapping[int, Currency | None],
        later: frozenset[int],
    ) -> Fetched[Invoice]:
        """Return whole invoices, made of their parts."""
        found: dict[int, Invoice] = {}
        for source_id, row in headers.rows.items():
            shown = lines.by_invoice[source_id]
            if source_id in lines.incomplete or hides_all_lines(row, shown):
                headers.fingerprints[source_id] = ""
            payments = paid.get(source_id, [])
            if isinstance(payments, _Unread):
                if payments.complaint:
                    headers.broken[source_id] = payments.complaint
                continue
            try:
                found[source_id] = to_invoice(
                    self._owner,
                    row,
                    lines=shown,
                    payments=payments,
                    payers_currency=currencies.get(source_id),
                )
            except MalformedRecordError as error:
                headers.broken[source_id] = complaint(error, headers.names[source_id])
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
            awaiting_payments=later & found.keys(),
            from_lists=frozenset(found) if headers.may_lag else frozenset(),
        )

    def _headers_and_lines(
        self, source_ids: Sequence[int], heads: Mapping[int, Json], held: HeldBytes
    ) -> _Headers:
        """Return the headers, with the lines of those that are read one by one."""
        if self._information is None or not self._information.is_offered:
            return self._headers(source_ids, heads, held)
        if heads or len(source_ids) > MAX_ASKED_SINGLY:
            headers = self._headers(source_ids, heads, held)
            headers.may_lag = True
            return headers
        known = self._information.read(source_ids, held)
        heads = {source_id: each.header for source_id, each in known.items()}
        headers = self._headers(source_ids, heads, held)
        headers.lines = {source_id: each.lines for source_id, each in known.items()}
        self._information.note_listed(headers.fingerprints)
        return headers

    def _headers(
        self, source_ids: Sequence[int], heads: Mapping[int, Json], held: HeldBytes
    ) -> _Headers:
        query = {"fields": HEADER_FIELDS}
        unlisted = [each for each in source_ids if each not in heads]
        sifted = self._reader.by_ids(INVOICES, query, unlisted, held=held)
        sifted.rows.extend(heads[each] for each in source_ids if each in heads)
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

    def _payments(
        self, names: Mapping[int, str], held: HeldBytes, header: InvoiceRow
    ) -> list[PaymentRow] | _Unread:
        """Return an invoice's payments, or why they stay unread while other invoices go on."""
        name = names[header.id]
        try:
            rows = self._reader.all(
                PAYMENTS, {"fields": PAYMENT_FIELDS}, ids={"id": header.id}, held=held
            )
            return [parse_row(PaymentRow, json) for json in rows]
        except MalformedRecordError as error:
            return _Unread(complaint(error, name))
        except UntrueListError as error:
            return _Unread(unbelieved(f"the payments of {name}", str(error)))
        except TooMuchTogetherError:
            raise
        except TooHeavyError as error:
            self._reader.require_answer(INVOICES)
            return _Unread(_undelivered(f"the payments of {name}", error))
        except EndpointMissingError as error:
            raise UnavailableError("ConnectWise hides its payments") from error
        except NotFoundError:
            # Deleted since its header was read: not found, and nothing is broken.
            return _Unread("")

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
