"""The payments of an invoice are served by a resource of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from connectwise_sandbox.clock import day_of
from connectwise_sandbox.errors import record_hidden
from connectwise_sandbox.finance.payments import (
    change_payment,
    delete_payment,
    record_payment,
)
from connectwise_sandbox.finance.resources import INVOICES, Invoices
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.messages import Response
from connectwise_sandbox.permissions import Action, Rows
from connectwise_sandbox.records import Records
from connectwise_sandbox.resources import READ_WRITE, Parent, Resource
from connectwise_sandbox.routing import Call
from connectwise_sandbox.tenant import Tenant, label_of


class Payments(Resource):
    """This resource serves the payments of one invoice.

    The row Accounting Interface governs them, and the invoice must be visible (our reading: the
    guide grants that row every action, and Invoicing all but adding).
    """

    set_by_server: ClassVar[frozenset[str]] = frozenset(
        {"appliedBy", "balance", "invoice", "invoiceBalance", "invoiceTotal", "source"}
    )

    def __init__(self, invoices: Invoices) -> None:
        super().__init__(
            Kind.PAYMENT,
            f"{INVOICES}/{{parentId}}/payments",
            Rows.ACCOUNTING_INTERFACE,
            methods=READ_WRITE,
            parent=Parent(Kind.INVOICE, "invoice"),
            has_count=False,
        )
        self._invoices = invoices

    def rows(self, call: Call, conditions: str) -> Records:
        """Return the payments of a visible invoice, as a list shows them."""
        invoice_id = self._visible_invoice(call)["id"]
        rows = call.tenant.lags[Kind.PAYMENT].listed(
            super().rows(call, conditions), lambda row: bool(row["invoice"]["id"] == invoice_id)
        )
        shows_member = call.tenant.switches.payment_shows_member == "always"
        return Records.of(_shown(call.tenant, row, shows_member=shows_member) for row in rows)

    def find(self, call: Call) -> Record:
        """Return the payment of a call; raises its 404 or its invoice's."""
        self._visible_invoice(call)
        return super().find(call)

    def answer(self, call: Call, status: int, record: Record) -> Response:
        """Answer a payment as it is shown by itself."""
        shows_member = call.tenant.switches.payment_shows_member != "never"
        return super().answer(call, status, _shown(call.tenant, record, shows_member=shows_member))

    def reference_to_parent(self, call: Call) -> Any:
        """Return a reference to the invoice of a new payment; raises the invoice's 404."""
        return reference_to(Kind.INVOICE, self._visible_invoice(call))

    def add(self, tenant: Tenant, record: Record, by: str) -> Record:
        """Store a payment."""
        draft = {name: value for name, value in record.items() if name not in self.set_by_server}
        return record_payment(tenant, record["invoice"]["id"], draft, by)

    def change(self, tenant: Tenant, before: Record, after: Record, by: str) -> Record:
        """Store a changed payment; its invoice and its credit memo stay."""
        fixed = {name: before[name] for name in ("credit",) if name in before}
        free = {name: value for name, value in after.items() if name != "credit"}
        return change_payment(tenant, before, free | fixed, by)

    def remove(self, tenant: Tenant, record: Record, by: str) -> None:
        """Remove a payment."""
        delete_payment(tenant, record, by)

    def _visible_invoice(self, call: Call) -> Record:
        invoice = call.tenant.get(Kind.INVOICE, call.ids["parentId"])
        call.tenant.role.require(Rows.INVOICING, Action.INQUIRE)
        if not self._invoices.is_visible(call.tenant, invoice):
            status = call.tenant.switches.hidden_record_status
            raise record_hidden(label_of(Kind.INVOICE), invoice["id"], status)
        return invoice


def _shown(tenant: Tenant, payment: Record, *, shows_member: bool) -> Record:
    """Return a payment with the day and the member that the switches let it show."""
    days = tenant.switches.payment_day_shift
    if days == 0 and shows_member:
        return payment
    shown = dict(payment)
    if not shows_member:
        shown.pop("appliedBy", None)
    if days:
        text = payment["paymentDate"]
        shown["paymentDate"] = f"{day_of(text) + timedelta(days=days)}{text[10:]}"
    return shown
