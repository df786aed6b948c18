"""Persons edit the books of a ConnectWise company behind the back of its API clients.

Each method edits as the screens of ConnectWise would: `_info` moves, callbacks go out, and `by`
names the author of the change. Persons hold every right and work around locks: they pay, change
and delete closed invoices too. Amounts are Decimals in the currency's major unit. Every method
raises ApiError, with the API's own answer, for a missing record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from connectwise_sandbox.clock import day_of, wire_date
from connectwise_sandbox.companies import delete_company, merge_companies
from connectwise_sandbox.contacts import EMAIL, set_communication
from connectwise_sandbox.errors import bad_reference, record_not_found
from connectwise_sandbox.finance.accounting import make_batch
from connectwise_sandbox.finance.balances import (
    remaining_credit,
    with_balance,
)
from connectwise_sandbox.finance.invoices import (
    erase_invoice,
    raise_total,
    status_reference,
)
from connectwise_sandbox.finance.payments import (
    delete_payment,
    record_payment,
    rewrite_payments,
)
from connectwise_sandbox.finance.resources import blank_invoice
from connectwise_sandbox.finance.statuses import change_status
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.money import ZERO, decimals_of, rounded
from connectwise_sandbox.record_edits import edited_record
from connectwise_sandbox.tenant import CLOUD_CODEBASE, Tenant

PERSON = "jdoe"
OTHER_SYNC = "OtherSync"
NEXT_CODEBASE = "v2025_2/"


@dataclass(frozen=True, slots=True)
class NewLine:
    """A new line bills one product."""

    description: str
    amount: Decimal
    quantity: Decimal = Decimal(1)


class People:
    """These persons work in one ConnectWise company."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    # Invoices ---------------------------------------------------------------------------------

    def create_invoice(
        self,
        company_id: int,
        lines: Sequence[NewLine] = (),
        *,
        type_name: str = "Standard",
        due_on: date | None = None,
        by: str = PERSON,
    ) -> Record:
        """Bill product lines to a company and return the invoice; by default due in 30 days."""
        tenant = self._tenant
        company = tenant.get(Kind.COMPANY, company_id)
        due_on = due_on or tenant.today + timedelta(days=30)
        draft = blank_invoice(tenant, company, type_name) | {"dueDate": wire_date(due_on)}
        total = sum((line.amount for line in lines), ZERO)
        decimals = decimals_of(draft["currency"])
        for name in ("productTotal", "subtotal", "total", "balance"):
            draft[name] = rounded(total, decimals)
        invoice = tenant.add(Kind.INVOICE, draft, by, announce=False)
        for line in lines:
            self._add_line(invoice, line, by)
        tenant.announce("added", Kind.INVOICE, invoice, by)
        return invoice

    def change_due_date(self, invoice_id: int, due_on: date, by: str = PERSON) -> Record:
        """Move the due date of an invoice."""
        return self._change(invoice_id, {"dueDate": wire_date(due_on)}, by)

    def change_total(self, invoice_id: int, total: Decimal, by: str = PERSON) -> Record:
        """Bill an adjusting product line, so that the invoice's total becomes `total`."""
        invoice = self._invoice(invoice_id)
        difference = rounded(total, decimals_of(invoice.get("currency"))) - invoice["total"]
        if difference != 0:
            self._add_line(invoice, NewLine("Adjustment", difference), by)
        return raise_total(self._tenant, invoice, "productTotal", difference, by)

    def set_status(self, invoice_id: int, name: str, by: str = PERSON) -> Record:
        """Give an invoice the billing status of that name."""
        return self._set_status(invoice_id, status_reference(self._tenant, name=name), by)

    def close_invoice(self, invoice_id: int, by: str = PERSON) -> Record:
        """Give an invoice the first billing status that counts as closed."""
        return self._set_status(invoice_id, status_reference(self._tenant, closed=True), by)

    def reopen_invoice(self, invoice_id: int, by: str = PERSON) -> Record:
        """Give an invoice the first billing status that counts as open."""
        return self._set_status(invoice_id, status_reference(self._tenant, closed=False), by)

    def batch_invoice(self, invoice_id: int, by: str = PERSON) -> Record:
        """Put an invoice into a GL batch of its own and return the batch."""
        return make_batch(self._tenant, [self._invoice(invoice_id)], by)

    def add_lines(self, invoice_id: int, count: int, amount: Decimal, by: str = PERSON) -> Record:
        """Bill `count` more product lines of `amount` each and return the invoice."""
        invoice = self._invoice(invoice_id)
        for number in range(1, count + 1):
            self._add_line(invoice, NewLine(f"Line {number}", amount), by)
        return raise_total(self._tenant, invoice, "productTotal", amount * count, by)

    def delete_invoice(self, invoice_id: int, by: str = PERSON) -> None:
        """Delete an invoice with its payments; its lines become billable again."""
        erase_invoice(self._tenant, self._invoice(invoice_id), by)

    def mutate_invoices(
        self, count: int, what: Literal["due_date", "total"] = "due_date", by: str = PERSON
    ) -> list[int]:
        """Change `count` random invoices and return their ids."""
        invoices = list(self._tenant.store[Kind.INVOICE])
        chosen = self._tenant.random.sample(invoices, min(count, len(invoices)))
        for invoice in chosen:
            if what == "total":
                self.change_total(invoice["id"], invoice["total"] + 1, by)
            else:
                due_on = day_of(invoice.get("dueDate") or invoice["date"]) + timedelta(days=1)
                self.change_due_date(invoice["id"], due_on, by)
        return [invoice["id"] for invoice in chosen]

    # Money ------------------------------------------------------------------------------------

    def record_payment(
        self, invoice_id: int, amount: Decimal, on: date | None = None, by: str = PERSON
    ) -> Record:
        """Type in a payment and return it; by default dated today."""
        draft = {"amount": amount, "paymentDate": wire_date(on or self._tenant.today)}
        return record_payment(self._tenant, invoice_id, draft, by, may_pay_locked=True)

    def apply_credit(
        self, invoice_id: int, amount: Decimal, memo_id: int | None = None, by: str = PERSON
    ) -> Record:
        """Apply a credit memo, by default a new one over the amount, and return the payment."""
        if memo_id is None:
            memo_id = self._write_credit_memo(self._invoice(invoice_id), amount, by)["id"]
        draft = {"amount": amount, "credit": {"id": memo_id}}
        return record_payment(self._tenant, invoice_id, draft, by, may_pay_locked=True)

    def delete_payment(self, invoice_id: int, payment_id: int, by: str = PERSON) -> None:
        """Delete a payment of an invoice."""
        payment = self._tenant.get(Kind.PAYMENT, payment_id)
        if payment["invoice"]["id"] != invoice_id:
            raise record_not_found("Payment", payment_id)
        delete_payment(self._tenant, payment, by, may_be_locked=True)

    def rewrite_payments(self, invoice_id: int, by: str = OTHER_SYNC) -> list[Record]:
        """Delete an invoice's payments and enter them anew, as other accounting syncs do."""
        return rewrite_payments(self._tenant, self._invoice(invoice_id)["id"], by)

    def remaining_credit(self, memo_id: int) -> Decimal:
        """Return the amount of a credit memo that is still to be applied."""
        return remaining_credit(self._tenant, self._invoice(memo_id))

    # Companies and contacts -------------------------------------------------------------------

    def create_company(
        self, identifier: str, name: str, email: str | None = None, by: str = PERSON
    ) -> Record:
        """Enter a company that can be billed."""
        tenant = self._tenant
        status = next(iter(tenant.store[Kind.COMPANY_STATUS]))
        currency = next(iter(tenant.store[Kind.CURRENCY]))
        company = {
            "identifier": identifier,
            "name": name,
            "status": reference_to(Kind.COMPANY_STATUS, status),
            "currency": reference_to(Kind.CURRENCY, currency),
            "accountNumber": f"AC-{identifier}"[:20],
            "deletedFlag": False,
            "invoiceToEmailAddress": email,
        }
        return tenant.add(Kind.COMPANY, company, by)

    def change_company(self, company_id: int, changes: Record, by: str = PERSON) -> Record:
        """Change properties of a company."""
        company = self._tenant.get(Kind.COMPANY, company_id)
        return self._tenant.change(Kind.COMPANY, company | changes, by)

    def delete_company(self, company_id: int, by: str = PERSON) -> Record:
        """Mark a company as deleted, as ConnectWise does, and return it."""
        return delete_company(self._tenant, self._tenant.get(Kind.COMPANY, company_id), by)

    def purge_company(self, company_id: int, by: str = PERSON) -> None:
        """Remove a company for good; its invoices go on naming it."""
        self._tenant.remove(Kind.COMPANY, company_id, by)

    def merge_companies(self, losing_id: int, winning_id: int, by: str = PERSON) -> None:
        """Merge one company into another."""
        losing = self._tenant.get(Kind.COMPANY, losing_id)
        winning = self._tenant.get(Kind.COMPANY, winning_id)
        if losing_id == winning_id:
            raise bad_reference("companyMerge", "toCompanyId")
        merge_companies(self._tenant, losing, winning, by)

    def set_email(self, contact_id: int, email: str, by: str = PERSON) -> Record:
        """Give a contact another default e-mail address."""
        tenant = self._tenant
        contact = tenant.get(Kind.CONTACT, contact_id)
        item = {
            "id": _default_email_id(contact) or tenant.next_item_id(),
            "type": {"id": 1, "name": "Email"},
            "value": email,
            "defaultFlag": True,
            "communicationType": EMAIL,
        }
        return set_communication(tenant, contact, item, by)

    # Any record -------------------------------------------------------------------------------

    def change_record(
        self,
        kind: Kind,
        record_id: int,
        changes: Record,
        by: str = PERSON,
        *,
        silent: bool = False,
    ) -> Record:
        """Replace properties of a record and return it; `silent` spares `_info` and callbacks.

        `changes` and errors are those of `edited_record`.
        """
        tenant = self._tenant
        after = edited_record(tenant, kind, tenant.get(kind, record_id), changes)
        return tenant.change(kind, after, by, touch=not silent, announce=not silent)

    def change_billing_status(
        self,
        status_id: int,
        *,
        name: str | None = None,
        closes: bool | None = None,
        by: str = PERSON,
    ) -> Record:
        """Rename a billing status, close or open its invoices by it, and return it.

        Invoices show the change at once; their `lastUpdated` and the callbacks stay out of it.
        """
        tenant = self._tenant
        named = {"name": name, "closedFlag": closes}
        changes = {field: value for field, value in named.items() if value is not None}
        status = tenant.get(Kind.BILLING_STATUS, status_id)
        return change_status(tenant, status | changes, by)

    # The installation -------------------------------------------------------------------------

    def roll_codebase_over(self, codebase: str | None = None) -> str:
        """Upgrade the installation, which ends the old codebase, and return the new codebase."""
        upgraded = self._tenant.cloud_codebase == CLOUD_CODEBASE
        self._tenant.cloud_codebase = codebase or (NEXT_CODEBASE if upgraded else CLOUD_CODEBASE)
        return self._tenant.codebase

    def rotate_callback_key(self) -> None:
        """Sign callbacks with a new key from now on, served under the same id."""
        self._tenant.signing_keys.rotate()

    # Steps ------------------------------------------------------------------------------------

    def _invoice(self, invoice_id: int) -> Record:
        return self._tenant.get(Kind.INVOICE, invoice_id)

    def _change(self, invoice_id: int, changes: Record, by: str) -> Record:
        changed = with_balance(self._tenant, self._invoice(invoice_id) | changes)
        return self._tenant.change(Kind.INVOICE, changed, by)

    def _set_status(self, invoice_id: int, status: Record, by: str) -> Record:
        closer = by if status["isClosed"] else None
        return self._change(invoice_id, {"status": status, "closedBy": closer}, by)

    def _add_line(self, invoice: Record, line: NewLine, by: str) -> Record:
        catalog_item = next(iter(self._tenant.store[Kind.CATALOG_ITEM]), {"id": 1})
        product = {
            "catalogItem": {
                name: catalog_item[name] for name in ("id", "identifier") if name in catalog_item
            },
            "description": line.description,
            "quantity": line.quantity,
            "price": line.amount / line.quantity,
            "cost": ZERO,
            "extPrice": line.amount,
            "billableOption": "Billable",
            "cancelledFlag": False,
            "locationId": invoice.get("locationId"),
            "company": invoice["company"],
            "invoice": reference_to(Kind.INVOICE, invoice),
        }
        return self._tenant.add(Kind.PRODUCT, product, by)

    def _write_credit_memo(self, invoice: Record, amount: Decimal, by: str) -> Record:
        line = NewLine("Credit", -amount)
        company_id = invoice["company"]["id"]
        memo = self.create_invoice(company_id, [line], type_name="CreditMemo", by=by)
        self._change(memo["id"], {"currency": invoice.get("currency")}, by)
        return self.close_invoice(memo["id"], by)


def _default_email_id(contact: Record) -> int | None:
    return next(
        (
            item["id"]
            for item in contact.get("communicationItems", [])
            if item.get("communicationType") == EMAIL and item.get("defaultFlag")
        ),
        None,
    )
