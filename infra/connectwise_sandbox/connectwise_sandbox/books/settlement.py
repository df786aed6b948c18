"""The invoices of the past are sent, paid, credited, closed and posted here."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from connectwise_sandbox.books.entry import CLERKS, Pen
from connectwise_sandbox.clock import day_of, wire_date, wire_time
from connectwise_sandbox.finance.accounting import make_batch
from connectwise_sandbox.finance.balances import remaining_credit, with_balance
from connectwise_sandbox.finance.payments import CREDIT_APPLIED, MONEY_RECEIVED
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.money import decimals_of, rounded

_OLD_DAYS = 60
_CLERK = CLERKS[0]
_MAX_BATCHED = 25
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
    for invoice in list(pen.tenant.store[Kind.INVOICE]):
        _settle_one(pen, statuses, invoice)
    _apply_credit_memos(pen)
    _post_oldest(pen)


def _settle_one(pen: Pen, statuses: dict[str, Record], invoice: Record) -> None:
    due_on = day_of(invoice["dueDate"])
    if invoice["type"] == "CreditMemo":
        _restate(pen, invoice, statuses["Closed"], day_of(invoice["date"]))
        return
    if invoice["total"] <= 0:
        _restate(pen, invoice, statuses["New"], day_of(invoice["date"]))
        return
    overdue_days = (pen.today - due_on).days
    likely = 0.93 if overdue_days > _OLD_DAYS else 0.6 if overdue_days > 0 else 0.1
    chosen = pen.random.random()
    if chosen < likely:
        paid_on = _pay(pen, invoice, invoice["total"])
        status = statuses[pen.random.choice(_PAID_STATUSES)]
        _restate(pen, invoice, status, paid_on)
    elif chosen < likely + 0.06:
        share = Decimal(pen.random.randint(10, 80)) / 100
        amount = rounded(invoice["total"] * share, decimals_of(invoice["currency"]))
        paid_on = _pay(pen, invoice, amount) if amount > 0 else day_of(invoice["date"])
        _restate(pen, invoice, statuses["Sent via Portal"], paid_on)
    else:
        status = statuses[pen.random.choice(_UNPAID_STATUSES)]
        _restate(pen, invoice, status, day_of(invoice["date"]))


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
    """Apply a part of the credit memos to unpaid invoices of the same company."""
    invoices = pen.tenant.store[Kind.INVOICE]
    for memo in [row for row in invoices if row["type"] == "CreditMemo"]:
        if not memo["status"]["isClosed"] or not pen.chance(0.6):
            continue
        owed = [
            row
            for row in invoices.referring("company", [memo["company"]["id"]])
            if row["balance"] > 0 and not row["status"]["isClosed"]
        ]
        if not owed:
            continue
        invoice = pen.random.choice(owed)
        amount = min(remaining_credit(pen.tenant, memo), invoice["balance"])
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


def _post_oldest(pen: Pen) -> None:
    """Put the oldest closed invoices into a GL batch."""
    closed = [row for row in pen.tenant.store[Kind.INVOICE] if row["status"]["isClosed"]]
    posted = closed[: min(_MAX_BATCHED, len(closed) // 10)]
    if not posted:
        return
    infos = {invoice["id"]: invoice["_info"] for invoice in posted}
    make_batch(pen.tenant, posted, _CLERK)
    for invoice in pen.tenant.store[Kind.INVOICE].among(infos):
        pen.rewrite(Kind.INVOICE, invoice | {"_info": infos[invoice["id"]]})
