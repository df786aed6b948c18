"""These commands edit the books as persons would."""

from __future__ import annotations

from connectwise_sandbox.admin.bodies import (
    BillingStatusChange,
    CompanyChange,
    InvoiceChange,
    Merge,
    Mutation,
    NewCompany,
    NewCredit,
    NewEmail,
    NewInvoice,
    NewLines,
    NewPayment,
    RecordChange,
    Rewriting,
)
from connectwise_sandbox.admin.command import Command, kind_of
from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.people import NewLine, People
from connectwise_sandbox.tenant import Tenant


class BookCommands:
    """These commands edit companies, invoices and payments."""

    def __init__(self, tenant: Tenant, people: People) -> None:
        self._tenant = tenant
        self._people = people

    def commands(self) -> list[Command]:
        """Return the commands."""
        people = self._people
        return [
            Command("PATCH", "/records", self._change_record, RecordChange),
            Command(
                "PATCH", "/billing-statuses/{id}", self._change_billing_status, BillingStatusChange
            ),
            Command("POST", "/invoices", self._create_invoice, NewInvoice),
            Command("PATCH", "/invoices/{id}", self._change_invoice, InvoiceChange),
            Command("DELETE", "/invoices/{id}", people.delete_invoice, None),
            Command("POST", "/invoices/{id}/lines", self._add_lines, NewLines),
            Command("GET", "/invoices/{id}/payments", self._show_payments, None),
            Command("POST", "/invoices/{id}/payments", self._pay, NewPayment),
            Command("DELETE", "/invoices/{id}/payments/{payment_id}", people.delete_payment, None),
            Command("POST", "/invoices/{id}/credits", self._credit, NewCredit),
            Command("POST", "/invoices/{id}/rewrite-payments", self._rewrite, Rewriting),
            Command("POST", "/invoices/{id}/close", people.close_invoice, None),
            Command("POST", "/invoices/{id}/reopen", people.reopen_invoice, None),
            Command("POST", "/invoices/{id}/batch", people.batch_invoice, None),
            Command("POST", "/invoices/mutate", self._mutate, Mutation),
            Command("POST", "/companies", self._create_company, NewCompany),
            Command("PATCH", "/companies/{id}", self._change_company, CompanyChange),
            Command("DELETE", "/companies/{id}", people.delete_company, None),
            Command("POST", "/companies/{id}/merge", self._merge, Merge),
            Command("POST", "/companies/{id}/purge", people.purge_company, None),
            Command("PATCH", "/contacts/{id}", self._set_email, NewEmail),
        ]

    def _show_payments(self, invoice_id: int) -> object:
        """Show the payments of an invoice as they are stored."""
        self._tenant.get(Kind.INVOICE, invoice_id)
        return payments_of(self._tenant, invoice_id)

    def _change_record(self, change: RecordChange) -> object:
        """Change properties of any record, silently if asked."""
        kind = kind_of(change.resource)
        return self._people.change_record(
            kind, change.id, change.changes, change.by, silent=change.silent
        )

    def _change_billing_status(self, status_id: int, change: BillingStatusChange) -> object:
        """Rename a billing status, or let it close invoices; their `lastUpdated` stays."""
        return self._people.change_billing_status(
            status_id, name=change.name, closes=change.closes, by=change.by
        )

    def _add_lines(self, invoice_id: int, new: NewLines) -> object:
        """Add many equal lines to an invoice."""
        return self._people.add_lines(invoice_id, new.count, new.amount, new.by)

    def _create_invoice(self, new: NewInvoice) -> object:
        """Bill lines to a company."""
        lines = [NewLine(line.description, line.amount, line.quantity) for line in new.lines]
        return self._people.create_invoice(
            new.company_id, lines, type_name=new.type, due_on=new.due_on, by=new.by
        )

    def _change_invoice(self, invoice_id: int, change: InvoiceChange) -> object:
        """Change due date, total or billing status of an invoice."""
        people = self._people
        if change.due_on is not None:
            people.change_due_date(invoice_id, change.due_on, change.by)
        if change.total is not None:
            people.change_total(invoice_id, change.total, change.by)
        if change.status is not None:
            people.set_status(invoice_id, change.status, change.by)
        return self._tenant.get(Kind.INVOICE, invoice_id)

    def _pay(self, invoice_id: int, new: NewPayment) -> object:
        """Type in a payment."""
        return self._people.record_payment(invoice_id, new.amount, new.on, new.by)

    def _credit(self, invoice_id: int, new: NewCredit) -> object:
        """Apply a credit memo to an invoice."""
        return self._people.apply_credit(invoice_id, new.amount, new.credit_memo_id, new.by)

    def _rewrite(self, invoice_id: int, wanted: Rewriting) -> object:
        """Delete payments and enter them anew, as other accounting syncs do."""
        return self._people.rewrite_payments(invoice_id, wanted.by)

    def _mutate(self, wanted: Mutation) -> object:
        """Change many invoices at random."""
        return {"ids": self._people.mutate_invoices(wanted.count, wanted.what, wanted.by)}

    def _create_company(self, new: NewCompany) -> object:
        """Enter a company."""
        return self._people.create_company(new.identifier, new.name, new.email, new.by)

    def _change_company(self, company_id: int, change: CompanyChange) -> object:
        """Change name, invoice e-mail or phone of a company."""
        named = {
            "name": change.name,
            "invoiceToEmailAddress": change.invoice_email,
            "phoneNumber": change.phone_number,
        }
        changes = {name: value for name, value in named.items() if value is not None}
        return self._people.change_company(company_id, changes, change.by)

    def _merge(self, losing_id: int, merge: Merge) -> None:
        """Merge a company into another one."""
        self._people.merge_companies(losing_id, merge.into, merge.by)

    def _set_email(self, contact_id: int, new: NewEmail) -> object:
        """Give a contact another default e-mail address."""
        return self._people.set_email(contact_id, new.email, new.by)
