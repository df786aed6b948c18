"""These resources serve `/finance/invoices`, `/finance/closedInvoices` and `/finance/info`."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from connectwise_sandbox.bodies import complete_record, read_json
from connectwise_sandbox.clock import day_of
from connectwise_sandbox.errors import (
    HTML_BAD_GATEWAY,
    endpoint_not_found,
    invalid_object,
    refused,
)
from connectwise_sandbox.finance.invoices import (
    AMOUNT_OF_LINE,
    LINE_KINDS,
    TOTAL_OF_LINE,
    Amounts,
    change_closed_invoice,
    change_invoice,
    delete_invoice,
    draft_invoice,
    lines_of,
    raise_total,
    status_reference,
)
from connectwise_sandbox.finance.locks import require_unlocked
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.messages import Response, json_response, text_response
from connectwise_sandbox.money import ZERO, decimals_of
from connectwise_sandbox.patch import PatchError, apply_patch
from connectwise_sandbox.pdf import (
    InvoiceDocument,
    InvoiceLine,
    blank_pdf,
    render_invoice_pdf,
)
from connectwise_sandbox.permissions import ACTION_OF_METHOD, Action, Rows
from connectwise_sandbox.presentation import written_alone
from connectwise_sandbox.records import Records
from connectwise_sandbox.resources import READ_WRITE, Resource
from connectwise_sandbox.routing import Call, Router
from connectwise_sandbox.schemas import FieldError, validate_new
from connectwise_sandbox.tenant import Tenant

INVOICES = "/finance/invoices"
_CLOSED_INVOICE_FIELDS = ("status", "internalNotes")


class Invoices(Resource):
    """This resource serves invoices, their PDFs and their full pictures.

    The row Agreement Invoicing governs invoices of agreements: where it denies them, a single one
    answers 403 and lists leave them out (our reading).
    """

    set_by_server: ClassVar[frozenset[str]] = frozenset(
        {
            "agreementAmount",
            "balance",
            "closedBy",
            "credits",
            "downpaymentApplied",
            "expenseTotal",
            "glBatch",
            "payments",
            "previousProgressApplied",
            "productTotal",
            "remainingDownpayment",
            "salesTax",
            "serviceAdjustmentAmount",
            "serviceTotal",
            "specialInvoiceFlag",
            "subtotal",
            "total",
            "unbatchedBatch",
        }
    )

    never_empty: ClassVar[frozenset[str]] = frozenset(
        {"company", "currency", "date", "dueDate", "invoiceNumber", "status", "taxableFlag", "type"}
    )

    def __init__(self) -> None:
        super().__init__(Kind.INVOICE, INVOICES, Rows.INVOICING, methods=READ_WRITE)

    def install(self, router: Router) -> None:
        """Register the routes of invoices, PDFs, closed invoices and invoice information."""
        super().install(router)
        router.add("GET", f"{INVOICES}/{{id}}/pdf", self.answer_pdf, self.right("GET"))
        router.add("GET", "/finance/info/invoice/{id}", self.answer_information, self.right("GET"))
        for method in ("PUT", "PATCH"):
            template = "/finance/closedInvoices/{id}"
            router.add(method, template, self.change_closed, self.right(method))

    def find(self, call: Call) -> Record:
        """Return the invoice of a call; raises its 404, or the 403 for one of an agreement."""
        invoice = super().find(call)
        if invoice["type"] == "Agreement":
            action = ACTION_OF_METHOD[call.request.method]
            call.tenant.role.require(Rows.AGREEMENT_INVOICING, action)
        return invoice

    def rows(self, call: Call, conditions: str) -> Records:
        """Return the visible invoices, those of agreements only with the right to them."""
        tenant = call.tenant
        rows = tenant.lags[Kind.INVOICE].listed(
            super().rows(call, conditions), lambda row: self.is_visible(tenant, row)
        )
        if call.tenant.role.allows(Rows.AGREEMENT_INVOICING, Action.INQUIRE):
            return rows
        return rows.where(lambda row: bool(row["type"] != "Agreement"))

    def add(self, tenant: Tenant, record: Record, by: str) -> Record:
        """Store a new, empty invoice; defaults fill the gaps of the body."""
        company = tenant.get(Kind.COMPANY, record["company"]["id"])
        draft = blank_invoice(tenant, company, record["type"])
        given = {name: value for name, value in record.items() if name not in self.set_by_server}
        return tenant.add(Kind.INVOICE, draft | given, by)

    def change(self, tenant: Tenant, before: Record, after: Record, by: str) -> Record:
        """Store a changed invoice."""
        return change_invoice(tenant, before, after, by)

    def remove(self, tenant: Tenant, record: Record, by: str) -> None:
        """Remove an invoice."""
        delete_invoice(tenant, record, by)

    def change_closed(self, call: Call) -> Response:
        """Change the status or the notes of a closed invoice."""
        before = self.find(call)
        body = read_json(call.request)
        if call.request.method == "PATCH":
            own = {name: before[name] for name in _CLOSED_INVOICE_FIELDS if name in before}
            body = _apply_closed_operations(own, body)
        errors = validate_new("closedInvoice", body)
        if errors:
            raise invalid_object("closedInvoice", errors)
        named = {name: body[name] for name in _CLOSED_INVOICE_FIELDS if name in body}
        changes = complete_record(call.tenant, Kind.INVOICE, named, before)
        after = change_closed_invoice(call.tenant, before, changes, call.member)
        names = ("id", *_CLOSED_INVOICE_FIELDS, "_info")
        return json_response(200, {name: after[name] for name in names if name in after})

    def answer_pdf(self, call: Call) -> Response:
        """Answer the invoice as a PDF that is rendered for this call."""
        invoice = self.find(call)
        switches = call.tenant.switches
        match switches.pdf:
            case "blank":
                response = Response(200, {"content-type": "application/pdf"}, blank_pdf())
            case "empty":
                response = Response(200, {"content-type": "application/pdf"})
            case "html":
                response = text_response(200, HTML_BAD_GATEWAY, "text/html")
            case "server_error":
                message = "The report could not be rendered."
                response = refused(500, "ConnectWiseApi", message).response
            case _:
                body = render_invoice_pdf(document_of(call.tenant, invoice))
                response = Response(200, {"content-type": "application/pdf"}, body)
        return Response(
            response.status,
            response.headers,
            response.body,
            delay_seconds=switches.pdf_seconds,
        )

    def answer_information(self, call: Call) -> Response:
        """Answer the invoice with all its lines; raises the 404 of servers without this path.

        A row that fails to be written breaks the answer, as it breaks a page (our reading).
        """
        tenant = call.tenant
        if tenant.switches.invoice_information == "missing":
            raise endpoint_not_found(tenant.switches.unknown_endpoint_status)
        invoice = self.find(call)
        products, time_entries, expenses = (
            [written_alone(tenant, kind, line) for line in lines_of(tenant, kind, invoice["id"])]
            for kind in LINE_KINDS
        )
        payload = {
            "id": invoice["id"],
            "invoice": written_alone(tenant, Kind.INVOICE, invoice),
            "products": products,
            "bundledComponentsInfo": [],
            "expenses": expenses,
            "timeEntries": time_entries,
            "agreementBillingInfo": _agreement_billing(invoice),
        }
        return json_response(200, payload)


class Lines(Resource):
    """Such a resource serves products, time entries or expenses; an invoice totals its lines."""

    def add(self, tenant: Tenant, record: Record, by: str) -> Record:
        """Store a line."""
        self._require_unlocked_invoice(tenant, record)
        line = tenant.add(self.kind, self._priced(record), by)
        self._bill(tenant, line, Decimal(1), by)
        return line

    def change(self, tenant: Tenant, before: Record, after: Record, by: str) -> Record:
        """Store a changed line, which may move to another invoice."""
        self._require_unlocked_invoice(tenant, before)
        self._require_unlocked_invoice(tenant, after)
        self._bill(tenant, before, Decimal(-1), by)
        line = tenant.change(self.kind, self._priced(after), by)
        self._bill(tenant, line, Decimal(1), by)
        return line

    def remove(self, tenant: Tenant, record: Record, by: str) -> None:
        """Remove a line."""
        self._require_unlocked_invoice(tenant, record)
        self._bill(tenant, record, Decimal(-1), by)
        tenant.remove(self.kind, record["id"], by)

    def _priced(self, line: Record) -> Record:
        if self.kind is not Kind.PRODUCT:
            return line
        price, quantity = line.get("price", ZERO), line.get("quantity", Decimal(1))
        return line | {"extPrice": price * quantity}

    def _require_unlocked_invoice(self, tenant: Tenant, line: Record) -> None:
        invoice = _invoice_of(tenant, line)
        if invoice is not None:
            require_unlocked(tenant, invoice)

    def _bill(self, tenant: Tenant, line: Record, sign: Decimal, by: str) -> None:
        """Add a line's amount, times `sign`, to the total of its invoice, if it has one."""
        invoice = _invoice_of(tenant, line)
        if invoice is not None:
            amount = line.get(AMOUNT_OF_LINE[self.kind], ZERO) * sign
            raise_total(tenant, invoice, TOTAL_OF_LINE[self.kind], amount, by)


def _invoice_of(tenant: Tenant, line: Record) -> Record | None:
    return tenant.store[Kind.INVOICE].get(line.get("invoice", {}).get("id", 0))


def blank_invoice(tenant: Tenant, company: Record, type_name: str) -> Record:
    """Return the draft of an empty invoice, dated today."""
    currency = company.get("currency") or reference_to(
        Kind.CURRENCY, next(iter(tenant.store[Kind.CURRENCY]))
    )
    location = reference_to(Kind.LOCATION, next(iter(tenant.store[Kind.LOCATION])))
    department = reference_to(Kind.DEPARTMENT, next(iter(tenant.store[Kind.DEPARTMENT])))
    return draft_invoice(
        company,
        type_name=type_name,
        number=tenant.next_invoice_number(),
        issued_on=tenant.today,
        due_on=tenant.today,
        status=status_reference(tenant),
        currency=currency,
        amounts=Amounts(),
        location=location,
        department=department,
    )


def document_of(tenant: Tenant, invoice: Record) -> InvoiceDocument:
    """Return the contents of an invoice's PDF."""
    printed = [
        InvoiceLine(
            description=_description(line),
            quantity=line.get("quantity") or line.get("invoiceHours") or Decimal(1),
            amount=line.get(AMOUNT_OF_LINE[kind], ZERO),
        )
        for kind in LINE_KINDS
        for line in lines_of(tenant, kind, invoice["id"])
    ]
    if invoice["agreementAmount"]:
        name = invoice.get("agreement", {}).get("name", "Agreement")
        printed.append(InvoiceLine(name, Decimal(1), invoice["agreementAmount"]))
    address = ("billingSiteAddressLine1", "billingSiteCity", "billingSiteZip")
    currency = invoice.get("currency", {})
    return InvoiceDocument(
        provider_name=tenant.identity.company_name,
        customer_name=invoice["company"]["name"],
        address_lines=tuple(invoice[name] for name in address if invoice.get(name)),
        invoice_number=invoice["invoiceNumber"],
        invoice_date=day_of(invoice["date"]),
        due_date=day_of(invoice["dueDate"]) if "dueDate" in invoice else None,
        currency_code=currency.get("currencyCode", "USD"),
        decimals=decimals_of(currency),
        lines=tuple(printed),
        subtotal=invoice["subtotal"],
        tax=invoice["salesTax"],
        total=invoice["total"],
        payments=invoice["payments"],
        credits=invoice["credits"],
        balance=invoice["balance"],
    )


def _description(line: Record) -> str:
    if "type" in line:
        return str(line["type"]["name"])
    return str(line.get("description") or line.get("notes") or "")


def _agreement_billing(invoice: Record) -> list[Record]:
    agreement = invoice.get("agreement")
    if agreement is None:
        return []
    return [
        {
            "agreementName": agreement["name"],
            "agreementType": agreement.get("type"),
            "agreementAmount": invoice["agreementAmount"],
            "agreementRecId": agreement["id"],
        }
    ]


def _apply_closed_operations(own: Record, operations: object) -> Record:
    try:
        return apply_patch(own, operations, properties=_CLOSED_INVOICE_FIELDS)
    except PatchError as error:
        detail = FieldError(error.code, error.message, "closedInvoice", error.field)
        raise invalid_object("closedInvoice", [detail]) from error
