"""The adapter reads and changes payments of invoices, and the billing status beside them.

A payment cannot carry a reference of ours, and neither posting nor deleting one is idempotent. So
each change goes out once, and an outcome that is unproven is called unknown.
Source of the facts: ConnectWise public interface 2025.1 (payments, closed invoices) and the
developer guide (patches replace references whole; a patch may answer well and change nothing).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.call_limits import RECORD
from bridge.connectwise.client import ConnectWiseClient
from bridge.connectwise.currencies import CompanyCurrencies
from bridge.connectwise.failures import EndpointMissingError
from bridge.connectwise.invoices import INVOICES, PAYMENT_FIELDS, PAYMENTS
from bridge.connectwise.listed_rows import Json, row_id
from bridge.connectwise.wire import (
    DecidingIdRef,
    DecidingRef,
    OptionalCurrency,
    OptionalIdRef,
    OptionalStatus,
    PaymentRow,
    Row,
    parse_row,
)
from bridge.connectwise.wire_values import Amount, Day, Id, MemberName
from bridge.domain.errors import (
    MalformedRecordError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from bridge.domain.invoice import BillingStatus
from bridge.domain.money import Currency, to_decimal, to_minor
from bridge.ports import PostedPayment, PsaBalance, PsaPayment

INVOICE = f"{INVOICES}/{{id}}"
PAYMENT = f"{PAYMENTS}/{{payment_id}}"
CLOSED_INVOICE = "/finance/closedInvoices/{id}"
UNCHANGED = "Unchanged"
"""Our code for a change that ConnectWise answered with success and left out."""

_BALANCE_FIELDS = "id,company/id,billToCompany/id,currency,total,balance,status,glBatch"


class _BalanceRow(Row):
    """The row is the part of an invoice that a payment needs, with money in major units."""

    id: Id
    company: DecidingRef = None
    bill_to_company: DecidingRef = None
    currency: OptionalCurrency = None
    total: Amount
    balance: Amount
    status: OptionalStatus = None
    gl_batch: OptionalIdRef = None


class _TellingPaymentRow(PaymentRow):
    """The row is a payment that may be ours, which its day and kind help to tell."""

    payment_date: Day | None = None
    credit: DecidingIdRef = None


class _UnreadableRow(Row):
    id: Id
    applied_by: MemberName = ""


class ConnectWisePayments:
    """One connection's ConnectWise fulfils ``ports.PsaPayments``.

    ``known_member`` is the API member that the connection is known by; it speaks for keys that
    are stored alone. ``past_members`` belonged to earlier keys.
    """

    def __init__(
        self, client: ConnectWiseClient, known_member: str, past_members: Iterable[str] = ()
    ) -> None:
        self._client = client
        self._reader = BulkReader(client)
        self._currencies = CompanyCurrencies(self._reader)
        self._known_member = known_member
        self._own_names = {"", *(name.casefold() for name in (known_member, *past_members))}

    @property
    def member_identifier(self) -> str:
        return self._client.member_identifier or self._known_member

    @property
    def calls(self) -> Mapping[str, int]:
        """Return the number of requests by method and route template."""
        return self._client.calls

    # --- reading -------------------------------------------------------------------------------

    def read_balance(self, invoice_source_id: int) -> PsaBalance:
        try:
            answer = self._client.read(
                INVOICE,
                ids={"id": invoice_source_id},
                query={"fields": _BALANCE_FIELDS},
                limits=RECORD,
            )
        except EndpointMissingError as error:
            raise UnavailableError("the 404 is not about the invoice") from error
        row = parse_row(_BalanceRow, answer.value)
        if row.id != invoice_source_id:
            raise UnavailableError("ConnectWise answered another invoice")
        currency = self._currency(row)
        status = row.status
        return PsaBalance(
            currency=currency,
            total_minor=to_minor(row.total, currency, field="total"),
            balance_minor=to_minor(row.balance, currency, field="balance"),
            status=BillingStatus(status.id, status.name, status.is_closed) if status else None,
            is_batched=row.gl_batch is not None,
        )

    def _currency(self, row: _BalanceRow) -> Currency:
        payer = row.bill_to_company or row.company
        if row.currency:
            return row.currency.as_currency()
        found = self._currencies.of([payer.id])[payer.id] if payer else None
        if found is None:
            raise MalformedRecordError("is missing", field="currency")
        return found

    def list_payments(self, invoice_source_id: int, currency: Currency) -> tuple[PsaPayment, ...]:
        try:
            rows = self._reader.all(
                PAYMENTS, {"fields": PAYMENT_FIELDS}, ids={"id": invoice_source_id}
            )
        except EndpointMissingError as error:
            raise UnavailableError("the 404 is not about the invoice") from error
        found = []
        for row in rows:
            try:
                found.append(_payment(row, currency))
            except MalformedRecordError:
                found.append(self._unreadable(row))
        return tuple(sorted(found, key=lambda payment: payment.psa_payment_id))

    def _unreadable(self, row: Json) -> PsaPayment:
        """Return an unreadable payment of somebody else by its id and name alone.

        Raises MalformedRecordError for a row that may be ours: it has a name of ours, or an
        unreadable one.
        """
        known = parse_row(_UnreadableRow, row)
        if known.applied_by.casefold() in {*self._own_names, self.member_identifier.casefold()}:
            raise MalformedRecordError("a payment that may be ours cannot be read")
        return PsaPayment(known.id, amount_minor=0, paid_on=None, applied_by=known.applied_by)

    # --- changing ------------------------------------------------------------------------------

    def post_payment(
        self, invoice_source_id: int, *, amount_minor: int, currency: Currency, paid_on: date
    ) -> PostedPayment:
        body = {
            "amount": to_decimal(amount_minor, currency),
            "paymentDate": f"{paid_on.isoformat()}T00:00:00Z",
        }
        made = self._send("POST", PAYMENTS, {"id": invoice_source_id}, body)
        psa_payment_id = row_id(made)
        if psa_payment_id is None:
            raise OutcomeUnknownError("ConnectWise named no payment")
        if row_id(made.get("invoice")) not in (None, invoice_source_id):
            raise OutcomeUnknownError("ConnectWise named another invoice's payment")
        try:
            payment = _payment(made, currency)
        except MalformedRecordError:
            return PostedPayment(psa_payment_id, None)
        return PostedPayment(psa_payment_id, payment.amount_minor, payment.applied_by)

    def delete_payment(self, invoice_source_id: int, psa_payment_id: int) -> None:
        self._send("DELETE", PAYMENT, {"id": invoice_source_id, "payment_id": psa_payment_id})

    def set_status(self, invoice_source_id: int, status_id: int, *, is_closed: bool) -> None:
        route = CLOSED_INVOICE if is_closed else INVOICE
        change = {"op": "replace", "path": "status", "value": {"id": status_id}}
        changed = self._send("PATCH", route, {"id": invoice_source_id}, [change])
        shown_id, shown_status = row_id(changed), _status_id(changed)
        if shown_id == invoice_source_id and shown_status not in (None, status_id):
            raise RefusedError(UNCHANGED, fields=("status",))
        if shown_id not in (None, invoice_source_id) or shown_status != status_id:
            raise OutcomeUnknownError("ConnectWise did not show the invoice's status")

    def _send(
        self, method: str, route: str, ids: Mapping[str, int], body: object | None = None
    ) -> Any:
        """Make a change once. A 404 about the endpoint refuses the change; the record may exist."""
        try:
            return self._client.send(method, route, ids=ids, body=body)
        except EndpointMissingError as error:
            raise RefusedError("EndpointMissing") from error


def _status_id(invoice: object) -> int | None:
    return row_id(invoice.get("status")) if isinstance(invoice, Mapping) else None


def _payment(row: Json, currency: Currency) -> PsaPayment:
    payment = parse_row(_TellingPaymentRow, row)
    return PsaPayment(
        psa_payment_id=payment.id,
        amount_minor=to_minor(payment.amount, currency, field="amount"),
        paid_on=payment.payment_date,
        applied_by=payment.applied_by,
        is_credit=payment.credit is not None,
    )
