"""What people do in ConnectWise that leaves no trace, or is more than a client may expect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

from connectwise_sandbox.clock import day_of, wire_date
from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.kinds import Kind, Record
from tests.simulation.people import FEWEST_COMPANIES, Edit, companies_in_use
from tests.simulation.world import World

MANY = (12, 12, 21, 21, 110)
"""Payments of one invoice: more than a page, than a transaction, than a batch takes."""
MOST_CROWDED = 1
"""Invoices that get so many payments; each costs time."""


def move_due_date_silently(world: World) -> str:
    invoice = _invoice(world)
    before = day_of(invoice.get("dueDate") or invoice["date"])
    due_on = before + timedelta(days=world.random.randint(1, 30))
    _change_silently(world, invoice, {"dueDate": wire_date(due_on)})
    return f"{invoice['id']} to {due_on}"


def renumber_silently(world: World) -> str:
    invoice = _invoice(world)
    number = f"R{world.random.randint(1, 9999)}"
    _change_silently(world, invoice, {"invoiceNumber": number})
    return f"{invoice['id']} to {number}"


def change_payer_silently(world: World) -> str:
    invoice = _invoice(world)
    payer = world.random.choice(companies_in_use(world))
    _change_silently(world, invoice, {"billToCompany": {"id": payer["id"]}})
    return f"{invoice['id']} to {payer['id']}"


def rename_status(world: World) -> str:
    status = world.random.choice(list(world.engine.tenant.store[Kind.BILLING_STATUS]))
    name = f"Named {world.random.randint(1, 99)}"
    world.engine.people.change_billing_status(status["id"], name=name)
    return f"{status['id']} to {name}"


def let_status_close(world: World) -> str:
    statuses = list(world.engine.tenant.store[Kind.BILLING_STATUS])
    open_ones = [each for each in statuses if not each.get("closedFlag")]
    status = world.random.choice(statuses if len(open_ones) > 1 else open_ones)
    closes = not status.get("closedFlag") and len(open_ones) > 1
    world.engine.people.change_billing_status(status["id"], closes=closes)
    return f"{status['id']} closes: {closes}"


def purge_payer(world: World) -> str:
    """Remove a company for good; its invoices go on naming it."""
    companies = companies_in_use(world)
    if len(companies) <= FEWEST_COMPANIES:
        return "none"
    company = world.random.choice(companies)
    world.engine.people.purge_company(company["id"])
    return str(company["id"])


def type_many_payments(world: World) -> str:
    """Type many payments in at once, so many that no page and no transaction holds them."""
    tenant = world.engine.tenant
    invoice = _invoice(world)
    known = len(payments_of(tenant, invoice["id"]))
    if len(_crowded(world)) >= MOST_CROWDED or known >= max(MANY):
        return "none"
    count = world.random.choice(MANY)
    unit = Decimal(1).scaleb(-int(invoice["currency"]["numberOfDecimals"]))
    with _told_once(world):
        for _ in range(count):
            world.engine.people.record_payment(invoice["id"], unit)
    world.engine.people.record_payment(invoice["id"], unit)
    return f"{count} on {invoice['id']}"


def rewrite_many_payments(world: World) -> str:
    """Let another sync enter all payments of an invoice anew, which gives them other ids."""
    crowded = _crowded(world)
    if not crowded or not world.engine.switches.payment_touches_last_updated:
        return "none"
    invoice_id = world.random.choice(crowded)
    with _told_once(world):
        rewritten = world.engine.people.rewrite_payments(invoice_id)
    world.engine.people.record_payment(invoice_id, rewritten[0]["amount"])
    return f"{len(rewritten)} of {invoice_id}"


EDITS: tuple[Edit, ...] = (
    move_due_date_silently,
    renumber_silently,
    change_payer_silently,
    rename_status,
    let_status_close,
    purge_payer,
    type_many_payments,
    rewrite_many_payments,
)


def _invoice(world: World) -> Record:
    return world.random.choice(list(world.engine.tenant.store[Kind.INVOICE]))


def _change_silently(world: World, invoice: Record, changes: Record) -> None:
    world.engine.people.change_record(Kind.INVOICE, invoice["id"], changes, silent=True)


@contextmanager
def _told_once(world: World) -> Iterator[None]:
    """Let no callback tell of payments, as when many come in with one batch: the next one does."""
    switches = world.engine.switches
    before = switches.payment_fires_invoice_callback
    switches.payment_fires_invoice_callback = False
    try:
        yield
    finally:
        switches.payment_fires_invoice_callback = before


def _crowded(world: World) -> list[int]:
    """Return the invoices that have more payments than most."""
    counts: dict[int, int] = {}
    for payment in world.engine.tenant.store[Kind.PAYMENT]:
        invoice_id = payment["invoice"]["id"]
        counts[invoice_id] = counts.get(invoice_id, 0) + 1
    return sorted(invoice_id for invoice_id, count in counts.items() if count >= min(MANY))
