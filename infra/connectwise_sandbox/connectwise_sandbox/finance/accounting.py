"""The accounting interface lists closed invoices that await posting, and posts them in batches.

The `id` of an unposted invoice is that of a GL record; `billingLogId` is the invoice's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from connectwise_sandbox.bodies import read_json
from connectwise_sandbox.errors import (
    bad_reference,
    invalid_object,
    record_not_found,
)
from connectwise_sandbox.finance.locks import is_closed
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.listing import answer_count, answer_list
from connectwise_sandbox.messages import Response, json_response
from connectwise_sandbox.permissions import Action, Rows
from connectwise_sandbox.presentation import present
from connectwise_sandbox.resources import Parent, Resource
from connectwise_sandbox.routing import Call, Router
from connectwise_sandbox.schemas import validate_new
from connectwise_sandbox.tenant import Tenant

BATCHES = "/finance/accounting/batches"
UNPOSTED_INVOICE = "unpostedInvoice"
UNPOSTED_PAYMENT = "unpostedPayment"
_INQUIRE = (Rows.ACCOUNTING_INTERFACE, Action.INQUIRE)
_GL_RECORD_OFFSET = 6_800_000
_COPIED = (
    "locationId",
    "departmentId",
    "company",
    "accountNumber",
    "billToCompany",
    "shipToCompany",
    "invoiceNumber",
    "billingTerms",
    "dueDate",
    "currency",
    "total",
    "taxCode",
)
_PAYMENT_FIELDS = (
    "id",
    "type",
    "source",
    "invoice",
    "amount",
    "paymentDate",
    "appliedBy",
    "paymentSyncStatus",
    "_info",
)


class Batches(Resource):
    """This resource makes GL batches of unposted records, and deletes them to unlock these."""

    def __init__(self) -> None:
        methods = ("GET", "POST", "DELETE")
        super().__init__(Kind.BATCH, BATCHES, Rows.ACCOUNTING_INTERFACE, methods=methods)

    def create(self, call: Call) -> Response:
        """Batch the records that a body names and answer the export."""
        body = read_json(call.request)
        errors = validate_new("newAccountingBatch", body)
        if errors:
            raise invalid_object(self.kind.value, errors)
        invoices = [
            _unposted_invoice_by_record(call.tenant, record_id)
            for record_id in body["processedRecordIds"]
        ]
        batch = make_batch(call.tenant, invoices, call.member, body.get("batchIdentifier"))
        settings = {"batchIdentifier": batch["batchIdentifier"], "batchId": batch["id"]}
        return json_response(201, {"exportSettings": settings, "transactions": []})

    def remove(self, tenant: Tenant, record: Record, by: str) -> None:
        """Delete a batch, which unlocks its invoices."""
        for entry in tenant.store[Kind.BATCH_ENTRY].referring("batch", [record["id"]]):
            invoice = tenant.store[Kind.INVOICE].get(entry["invoice"]["id"])
            if invoice is not None:
                freed = {name: value for name, value in invoice.items() if name != "glBatch"}
                tenant.change(Kind.INVOICE, freed, by)
            tenant.remove(Kind.BATCH_ENTRY, entry["id"], by)
        tenant.remove(Kind.BATCH, record["id"], by)


class BatchEntries(Resource):
    """This resource lists the bookings of one batch."""

    set_by_server: ClassVar[frozenset[str]] = frozenset({"batch"})

    def __init__(self) -> None:
        super().__init__(
            Kind.BATCH_ENTRY,
            f"{BATCHES}/{{parentId}}/entries",
            Rows.ACCOUNTING_INTERFACE,
            parent=Parent(Kind.BATCH, "batch"),
            has_count=False,
        )

    def list(self, call: Call) -> Response:
        """Answer the entries, stripped of the sandbox's own reference to the batch."""
        return answer_list(
            call.tenant,
            call.request,
            self.kind,
            lambda conditions: (
                {name: value for name, value in row.items() if name != "batch"}
                for row in self.rows(call, conditions)
            ),
        )


def make_batch(
    tenant: Tenant, invoices: Iterable[Record], by: str, identifier: str | None = None
) -> Record:
    """Put closed invoices into a new GL batch, which locks them, and return the batch."""
    batch = tenant.add(
        Kind.BATCH,
        {
            "batchIdentifier": identifier or f"B{len(tenant.store[Kind.BATCH]) + 1:04}",
            "exportInvoicesFlag": True,
            "exportExpensesFlag": False,
            "exportProductsFlag": False,
            "closedFlag": False,
        },
        by,
    )
    reference = reference_to(Kind.BATCH, batch)
    for invoice in invoices:
        tenant.change(Kind.INVOICE, invoice | {"glBatch": reference}, by)
        tenant.add(Kind.BATCH_ENTRY, batch_entry(batch, invoice), by)
    return batch


def batch_entry(batch: Record, invoice: Record) -> Record:
    """Return the booking of an invoice in a batch; `batch` in it is the sandbox's own reference."""
    return {
        "batch": {"id": batch["id"]},
        "accountType": "AR",
        "name": invoice["company"]["name"],
        "accountNumber": invoice.get("accountNumber", ""),
        "debit": invoice["total"],
        "invoice": {"id": invoice["id"], "identifier": invoice["invoiceNumber"]},
    }


def install_unposted(router: Router) -> None:
    """Register the lists of unposted invoices and payments, and the GL entries of an invoice."""
    invoices, payments = "unpostedinvoices", "unpostedpayments"
    prefix = "/finance/accounting"
    router.add("GET", f"{prefix}/{invoices}", _list_invoices, _INQUIRE)
    router.add("GET", f"{prefix}/{invoices}/count", _count_invoices, _INQUIRE)
    router.add("GET", f"{prefix}/{invoices}/{{id}}", _read_invoice, _INQUIRE)
    router.add("GET", f"{prefix}/{payments}", _list_payments, _INQUIRE)
    router.add("GET", f"{prefix}/{payments}/count", _count_payments, _INQUIRE)
    router.add("GET", f"{prefix}/{payments}/{{id}}", _read_payment, _INQUIRE)
    router.add("GET", "/finance/invoices/{parentId}/glEntries", _list_gl_entries, _INQUIRE)
    router.add("GET", "/finance/invoices/{parentId}/glEntries/{id}", _read_gl_entry, _INQUIRE)


def _unposted_invoices(tenant: Tenant) -> Iterable[Record]:
    return (
        _unposted_invoice(invoice)
        for invoice in tenant.store[Kind.INVOICE]
        if is_closed(invoice) and "glBatch" not in invoice
    )


def _unposted_invoice(invoice: Record) -> Record:
    return {
        "id": invoice["id"] + _GL_RECORD_OFFSET,
        "billingLogId": invoice["id"],
        "invoiceDate": invoice["date"],
        "invoiceType": invoice["type"],
        "subTotal": invoice["subtotal"],
        "salesTaxAmount": invoice["salesTax"],
        "hasTime": invoice["serviceTotal"] != 0,
        "hasExpenses": invoice["expenseTotal"] != 0,
        "hasProducts": invoice["productTotal"] != 0,
        "invoiceTaxableFlag": invoice["taxableFlag"],
        "createdBy": invoice["_info"]["enteredBy"],
        "dateClosed": invoice["_info"]["lastUpdated"],
        "_info": invoice["_info"],
        **{name: invoice[name] for name in _COPIED if name in invoice},
    }


def _unposted_invoice_by_record(tenant: Tenant, record_id: object) -> Record:
    if isinstance(record_id, int):
        invoice = tenant.store[Kind.INVOICE].get(record_id - _GL_RECORD_OFFSET)
        if invoice is not None and is_closed(invoice) and "glBatch" not in invoice:
            return invoice
    raise bad_reference(Kind.BATCH.value, "processedRecordIds")


def _unposted_payments(tenant: Tenant) -> Iterable[Record]:
    return (
        {name: row[name] for name in _PAYMENT_FIELDS if name in row}
        for row in tenant.store[Kind.PAYMENT]
        if "glBatchID" not in row
    )


def _gl_entries(tenant: Tenant, invoice_id: int) -> list[Record]:
    """Return both sides of a closed invoice's booking, an empty list for an open one."""
    invoice = tenant.get(Kind.INVOICE, invoice_id)
    if not is_closed(invoice):
        return []
    first_id = 2 * invoice_id
    shared = {"description": invoice["invoiceNumber"], "isBatched": "glBatch" in invoice}
    return [
        {"id": first_id, "type": "AR", "amount": invoice["total"], **shared},
        {"id": first_id + 1, "type": "R", "amount": -invoice["total"], **shared},
    ]


def _list_invoices(call: Call) -> Response:
    source = _unposted_invoices(call.tenant)
    return answer_list(call.tenant, call.request, Kind.GL_ENTRY, lambda _: source, UNPOSTED_INVOICE)


def _count_invoices(call: Call) -> Response:
    return answer_count(call.request, lambda _: _unposted_invoices(call.tenant), UNPOSTED_INVOICE)


def _read_invoice(call: Call) -> Response:
    record_id = call.ids["id"]
    invoice = call.tenant.store[Kind.INVOICE].get(record_id - _GL_RECORD_OFFSET)
    if invoice is None or not is_closed(invoice) or "glBatch" in invoice:
        raise record_not_found("UnpostedInvoice", record_id)
    return _answer_row(call, _unposted_invoice(invoice))


def _list_payments(call: Call) -> Response:
    source = _unposted_payments(call.tenant)
    return answer_list(call.tenant, call.request, Kind.GL_ENTRY, lambda _: source, UNPOSTED_PAYMENT)


def _count_payments(call: Call) -> Response:
    return answer_count(call.request, lambda _: _unposted_payments(call.tenant), UNPOSTED_PAYMENT)


def _read_payment(call: Call) -> Response:
    for row in _unposted_payments(call.tenant):
        if row["id"] == call.ids["id"]:
            return _answer_row(call, row)
    raise record_not_found("UnpostedPayment", call.ids["id"])


def _answer_row(call: Call, row: Record) -> Response:
    return json_response(200, present(call.tenant, Kind.GL_ENTRY, row))


def _list_gl_entries(call: Call) -> Response:
    entries = _gl_entries(call.tenant, call.ids["parentId"])
    return answer_list(call.tenant, call.request, Kind.GL_ENTRY, lambda _: entries)


def _read_gl_entry(call: Call) -> Response:
    for entry in _gl_entries(call.tenant, call.ids["parentId"]):
        if entry["id"] == call.ids["id"]:
            return json_response(200, entry)
    raise record_not_found("GLEntry", call.ids["id"])
