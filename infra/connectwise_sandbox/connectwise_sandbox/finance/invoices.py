"""Invoices are drafted, changed, closed, reopened and deleted by these rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectwise_sandbox.clock import wire_date
from connectwise_sandbox.errors import bad_reference, invalid_field
from connectwise_sandbox.finance.balances import (
    applications_of,
    payments_of,
    with_balance,
)
from connectwise_sandbox.finance.locks import (
    is_closed,
    require_not_batched,
    require_unlocked,
)
from connectwise_sandbox.finance.payments import delete_payment
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.money import ZERO, decimals_of, rounded, with_decimals
from connectwise_sandbox.tenant import Tenant

RESOURCE = Kind.INVOICE.value
SPECIAL_TYPES = frozenset({"CreditMemo", "DownPayment", "Miscellaneous"})
LINE_KINDS = (Kind.PRODUCT, Kind.TIME_ENTRY, Kind.EXPENSE_ENTRY)
TOTAL_OF_LINE: Mapping[Kind, str] = {
    Kind.PRODUCT: "productTotal",
    Kind.TIME_ENTRY: "serviceTotal",
    Kind.EXPENSE_ENTRY: "expenseTotal",
}
AMOUNT_OF_LINE: Mapping[Kind, str] = {
    Kind.PRODUCT: "extPrice",
    Kind.TIME_ENTRY: "extendedInvoiceAmount",
    Kind.EXPENSE_ENTRY: "invoiceAmount",
}


@dataclass(frozen=True, slots=True)
class Amounts:
    """These amounts make up a new invoice's total, in the currency's major unit."""

    products: Decimal = ZERO
    services: Decimal = ZERO
    expenses: Decimal = ZERO
    agreement: Decimal = ZERO
    adjustment: Decimal = ZERO
    downpayment_applied: Decimal = ZERO
    progress_applied: Decimal = ZERO
    """What earlier progress invoices of the same project have billed of this one's work."""
    tax: Decimal = ZERO

    @property
    def subtotal(self) -> Decimal:
        """Return the sum before tax, down payments and earlier progress invoices."""
        parts = self.products + self.services + self.expenses
        return parts + self.agreement + self.adjustment

    @property
    def total(self) -> Decimal:
        """Return the amount that the customer owes, before it is rounded to the currency."""
        return self.subtotal + self.tax - self.downpayment_applied - self.progress_applied


def draft_invoice(
    company: Record,
    *,
    type_name: str,
    number: str,
    issued_on: date,
    due_on: date | None,
    status: Record,
    currency: Record,
    amounts: Amounts,
    location: Record,
    department: Record,
) -> Record:
    """Return an unpaid invoice of a company; references are in their short form."""
    company_reference = reference_to(Kind.COMPANY, company)
    return {
        "invoiceNumber": number,
        "type": type_name,
        "status": status,
        "company": company_reference,
        "billToCompany": company.get("billToCompany", company_reference),
        "shipToCompany": company_reference,
        "accountNumber": company.get("accountNumber", ""),
        "applyToType": "Agreement" if type_name == "Agreement" else "All",
        "attention": "",
        **_addresses(company),
        "billingTerms": company.get("billingTerms"),
        "reference": "",
        "customerPO": "",
        "templateSetupId": 6,
        "emailTemplateId": 1,
        "addToBatchEmailList": False,
        "date": wire_date(issued_on),
        "dueDate": wire_date(due_on) if due_on else None,
        "restrictDownpaymentFlag": False,
        **_place_fields(company, location, department),
        "topComment": "",
        "bottomComment": "",
        "internalNotes": "",
        "downpaymentPreviouslyTaxedFlag": False,
        "overrideDownPaymentAmountFlag": False,
        "billingSetupReference": reference_to(Kind.LOCATION, location),
        "taxableFlag": amounts.tax != 0,
        "taxCode": company.get("taxCode"),
        "currency": currency,
        "specialInvoiceFlag": type_name in SPECIAL_TYPES,
        **_money_fields(amounts, decimals_of(currency), is_advance=type_name == "DownPayment"),
    }


def _addresses(company: Record) -> Record:
    """Return the site and address that an invoice is sent to, and those that goods go to."""
    address = {
        "AddressLine1": company.get("addressLine1"),
        "AddressLine2": company.get("addressLine2"),
        "City": company.get("city"),
        "State": company.get("state"),
        "Zip": company.get("zip"),
        "Country": company.get("country", {}).get("name"),
    }
    return {
        "billingSite": company.get("billingSite"),
        **{f"billingSite{name}": value for name, value in address.items()},
        "shippingSite": company.get("site"),
        **{f"shippingSite{name}": value for name, value in address.items()},
    }


def _place_fields(company: Record, location: Record, department: Record) -> Record:
    """Return the fields that place an invoice in the provider's organisation."""
    return {
        "locationId": location["id"],
        "location": location,
        "departmentId": department["id"],
        "department": {"id": department["id"], "name": department["name"]},
        "territory": company.get("territory"),
        "territoryId": company.get("territory", {}).get("id"),
    }


def _money_fields(amounts: Amounts, decimals: int, *, is_advance: bool) -> Record:
    """Return every amount of a new invoice; later invoices can use up an advance.

    What explains the total may be finer than the currency; what is owed is rounded to it.
    """
    total = rounded(amounts.total, decimals)
    explaining = {
        "serviceTotal": amounts.services,
        "expenseTotal": amounts.expenses,
        "productTotal": amounts.products,
        "serviceAdjustmentAmount": amounts.adjustment,
        "agreementAmount": amounts.agreement,
        "subtotal": amounts.subtotal,
        "salesTax": amounts.tax,
    }
    owed = {
        "previousProgressApplied": amounts.progress_applied,
        "downpaymentApplied": amounts.downpayment_applied,
        "remainingDownpayment": total if is_advance else ZERO,
        "total": total,
        "payments": ZERO,
        "credits": ZERO,
        "balance": total,
    }
    return {
        **{name: with_decimals(amount, decimals) for name, amount in explaining.items()},
        **{name: rounded(amount, decimals) for name, amount in owed.items()},
    }


def lines_of(tenant: Tenant, kind: Kind, invoice_id: int) -> list[Record]:
    """Return the products, time entries or expenses billed on an invoice, by id."""
    return tenant.store[kind].referring("invoice", [invoice_id])


def raise_total(tenant: Tenant, invoice: Record, part: str, amount: Decimal, by: str) -> Record:
    """Raise one part of an invoice's total (`productTotal`, ...) and store the new sums.

    Sales tax stays the same. `amount` may be negative.
    """
    decimals = decimals_of(invoice.get("currency"))
    raised = {
        name: with_decimals(invoice[name] + amount, decimals) for name in (part, "subtotal")
    } | {"total": rounded(invoice["total"] + amount, decimals)}
    return tenant.change(Kind.INVOICE, with_balance(tenant, invoice | raised), by)


def change_invoice(tenant: Tenant, before: Record, after: Record, by: str) -> Record:
    """Store a changed invoice; raises the errors of a locked one and the rules for closing."""
    require_unlocked(tenant, before)
    if after["type"] != before["type"]:
        raise invalid_field(RESOURCE, "type", "The type of an invoice cannot be changed.")
    return tenant.change(Kind.INVOICE, _with_closer(tenant, before, after, by), by)


def change_closed_invoice(tenant: Tenant, before: Record, changes: Record, by: str) -> Record:
    """Store another `status` or `internalNotes` of a closed invoice; the rest is locked.

    Raises the error of a locked invoice for one in a batch, and a 400 for an open one.
    """
    require_not_batched(tenant, before)
    if not is_closed(before):
        raise invalid_field(RESOURCE, "status", f"Invoice {before['id']} is not closed.")
    after = _with_closer(tenant, before, before | changes, by)
    return tenant.change(Kind.INVOICE, after, by)


def delete_invoice(tenant: Tenant, invoice: Record, by: str) -> None:
    """Remove an invoice; its lines become billable again.

    Raises the error of a locked invoice, and a 400 for one with payments where the switches
    refuse that. These are the rules of the product (those of the API are undocumented).
    """
    require_unlocked(tenant, invoice)
    rows = payments_of(tenant, invoice["id"]) + applications_of(tenant, invoice["id"])
    if rows and tenant.switches.deleting_paid_invoice == "refused":
        raise invalid_field(RESOURCE, "payments", "The invoice has payments or credits.")
    erase_invoice(tenant, invoice, by)


def erase_invoice(tenant: Tenant, invoice: Record, by: str) -> None:
    """Remove an invoice in any state, first its payments; its lines become billable again."""
    for row in payments_of(tenant, invoice["id"]) + applications_of(tenant, invoice["id"]):
        delete_payment(tenant, row, by, may_be_locked=True)
    for kind in LINE_KINDS:
        for line in lines_of(tenant, kind, invoice["id"]):
            released = {name: value for name, value in line.items() if name != "invoice"}
            tenant.change(kind, released, by)
    tenant.remove(Kind.INVOICE, invoice["id"], by)


def status_reference(tenant: Tenant, *, name: str | None = None, closed: bool = False) -> Record:
    """Return the billing status named `name`, or the first one that is closed or open.

    Raises the 400 of a bad reference if it is missing.
    """
    for status in tenant.store[Kind.BILLING_STATUS]:
        if status["name"] == name or (name is None and status["closedFlag"] is closed):
            return reference_to(Kind.BILLING_STATUS, status)
    raise bad_reference(RESOURCE, "status/id")


def _with_closer(tenant: Tenant, before: Record, after: Record, by: str) -> Record:
    """Return the changed invoice with the `closedBy` that its status needs."""
    if not is_closed(after):
        return {name: value for name, value in after.items() if name != "closedBy"}
    if is_closed(before):
        return after
    company = tenant.store[Kind.COMPANY].get(after["company"]["id"])
    if company is not None and not company.get("accountNumber"):
        message = "The company needs an account number before its invoices can be closed."
        raise invalid_field(RESOURCE, "accountNumber", message)
    return after | {"closedBy": by}
