"""The invoices of the past are sent, paid, credited and closed here, and handed to the ledger.

Closing and batching is how an invoice leaves ConnectWise for the provider's accounting, and it
happens before the customer pays (the guides of Gozynta and Wise-Sync).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from connectwise_sandbox.books.entry import CLERKS, Pen
from connectwise_sandbox.clock import day_of, wire_date, wire_time
from connectwise_sandbox.finance.accounting import batch_entry
from connectwise_sandbox.finance.balances import remaining_credit, with_balance
from connectwise_sandbox.finance.payments import CREDIT_APPLIED, MONEY_RECEIVED
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.money import decimals_of, rounded

_MEMO = "CreditMemo"
_OLD_DAYS = 60
_CLERK = CLERKS[0]
_CLOSED = 0.85
_CLOSED_AFTER_DAYS = 3
_BATCHED = 0.45
"""The share of closed invoices that are in a GL batch: a third of all or a little more."""
_BATCHED_AFTER_DAYS = 7
_APPLIED_MEMOS = 0.7
_PARTLY_APPLIED_MEMOS = 0.4
_PAID_STATUSES = ("Paid in Full", "Paid in Full", "Closed", "Sent via Portal")
_UNPAID_STATUSES = (
    "New",
    "Sent via Portal",
    "Sent via Portal",
    "Awaiting Approval",
    "On Hold (Überprüfen)",
)


def settle(pen: Pen) -> None:
    """Give every invoice of the books the state that fits its age."""
    statuses = {status["name"]: status for status in pen.references(Kind.BILLING_STATUS)}
    invoices = pen.tenant.store[Kind.INVOICE]
    for memo in [row for row in invoices if row["type"] == _MEMO]:
        _restate(pen, memo, statuses["Closed"], day_of(memo["date"]))
    _apply_credit_memos(pen)
    for invoice in [row for row in invoices if row["type"] != _MEMO]:
        _settle_one(pen, statuses, invoice)
    _post_to_ledger(pen)


def _settle_one(pen: Pen, statuses: dict[str, Record], invoice: Record) -> None:
    issued_on = day_of(invoice["date"])
    if invoice["total"] <= 0:
        _restate(pen, invoice, statuses["New"], issued_on)
        return
    overdue_days = (pen.today - day_of(invoice.get("dueDate") or invoice["date"])).days
    likely = 0.93 if overdue_days > _OLD_DAYS else 0.6 if overdue_days > 0 else 0.1
    chosen = pen.random.random()
    if chosen < likely:
        paid_on = _pay(pen, invoice, invoice["balance"])
        status = statuses[pen.random.choice(_PAID_STATUSES)]
        _restate(pen, invoice, status, paid_on)
        return
    changed_on, name = issued_on, _draw_status_of_owed(pen, issued_on)
    if chosen < likely + 0.06:
        share = Decimal(pen.random.randint(10, 80)) / 100
        amount = rounded(invoice["balance"] * share, decimals_of(invoice["currency"]))
        changed_on = _pay(pen, invoice, amount) if amount > 0 else issued_on
    _restate(pen, invoice, statuses[name], changed_on)


def _draw_status_of_owed(pen: Pen, issued_on: date) -> str:
    """Return the name of the status of an invoice that is not paid in full: mostly a closed one."""
    is_recent = (pen.today - issued_on).days < _CLOSED_AFTER_DAYS
    if is_recent or not pen.chance(_CLOSED):
        return pen.random.choice(_UNPAID_STATUSES)
    return "Closed"


def _pay(pen: Pen, invoice: Record, amount: Decimal) -> date:
    """Write one payment, or two, over an amount; return the day of the last."""
    decimals = decimals_of(invoice["currency"])
    first_part = rounded(amount / 2, decimals) if pen.chance(0.1) else amount
    issued_on = day_of(invoice["date"])
    paid_on = issued_on
    for part in (first_part, amount - first_part):
        if part <= 0:
            continue
        paid_on = min(pen.today, paid_on + timedelta(days=pen.random.randint(1, 25)))
        payment = {
            "type": MONEY_RECEIVED,
            "source": "Default",
            "invoice": reference_to(Kind.INVOICE, invoice),
            "amount": part,
            "paymentDate": wire_date(paid_on),
            "appliedBy": pen.random.choice(CLERKS),
            "paymentSyncStatus": "Applied",
        }
        pen.write(Kind.PAYMENT, payment, paid_on)
    return paid_on


def _restate(pen: Pen, invoice: Record, status: Record, changed_on: date) -> None:
    """Store an invoice with a status and the balance that its payments leave."""
    company = pen.tenant.get(Kind.COMPANY, invoice["company"]["id"])
    if status["isClosed"] and not company.get("accountNumber"):
        status = pen.references(Kind.BILLING_STATUS)[1]
    entered = invoice["_info"]["dateEntered"]
    updated = max(entered, wire_time(pen.moment(changed_on)))
    restated = invoice | {
        "status": status,
        "_info": invoice["_info"] | {"lastUpdated": updated, "updatedBy": _CLERK},
    }
    if status["isClosed"]:
        restated["closedBy"] = _CLERK
    pen.rewrite(Kind.INVOICE, with_balance(pen.tenant, restated))


def _apply_credit_memos(pen: Pen) -> None:
    """Apply most credit memos, some of them in part, to invoices of the same company."""
    invoices = pen.tenant.store[Kind.INVOICE]
    owed_by: defaultdict[int, list[int]] = defaultdict(list)
    for row in invoices:
        if row["balance"] > 0:
            owed_by[row["company"]["id"]].append(row["id"])
    for memo in [row for row in invoices if row["type"] == _MEMO]:
        if not memo["status"]["isClosed"] or not pen.chance(_APPLIED_MEMOS):
            continue
        owed = owed_by[memo["company"]["id"]]
        if not owed:
            continue
        invoice_id = pen.random.choice(owed)
        _apply_credit(pen, memo, pen.tenant.get(Kind.INVOICE, invoice_id))
        if pen.tenant.get(Kind.INVOICE, invoice_id)["balance"] <= 0:
            owed.remove(invoice_id)


def _apply_credit(pen: Pen, memo: Record, invoice: Record) -> None:
    amount = min(remaining_credit(pen.tenant, memo), invoice["balance"])
    if pen.chance(_PARTLY_APPLIED_MEMOS):
        amount = rounded(amount / 2, decimals_of(memo["currency"]))
    if amount <= 0:
        return
    applied_on = max(day_of(memo["date"]), day_of(invoice["date"]))
    application = {
        "type": CREDIT_APPLIED,
        "source": "Default",
        "invoice": reference_to(Kind.INVOICE, invoice),
        "credit": reference_to(Kind.INVOICE, memo),
        "amount": amount,
        "paymentDate": wire_date(applied_on),
        "appliedBy": _CLERK,
        "paymentSyncStatus": "Applied",
    }
    pen.write(Kind.PAYMENT, application, applied_on)
    for changed in (memo, invoice):
        pen.rewrite(Kind.INVOICE, with_balance(pen.tenant, changed))


def _post_to_ledger(pen: Pen) -> None:
    """Put many closed invoices into GL batches, one batch for each month of billing."""
    last_day = wire_date(pen.today - timedelta(days=_BATCHED_AFTER_DAYS))
    by_month: defaultdict[str, list[Record]] = defaultdict(list)
    for invoice in pen.tenant.store[Kind.INVOICE]:
        is_ready = invoice["status"]["isClosed"] and invoice["date"] <= last_day
        if is_ready and pen.chance(_BATCHED):
            by_month[invoice["date"][:7]].append(invoice)
    for number, month in enumerate(sorted(by_month), start=1):
        posted = by_month[month]
        batched_on = day_of(max(invoice["date"] for invoice in posted))
        batch = pen.write(
            Kind.BATCH,
            {
                "batchIdentifier": f"B{number:04}",
                "exportInvoicesFlag": True,
                "exportExpensesFlag": False,
                "exportProductsFlag": False,
                "closedFlag": False,
            },
            batched_on,
        )
        reference = reference_to(Kind.BATCH, batch)
        for invoice in posted:
            pen.rewrite(Kind.INVOICE, invoice | {"glBatch": reference})
            pen.write(Kind.BATCH_ENTRY, batch_entry(batch, invoice), batched_on)
