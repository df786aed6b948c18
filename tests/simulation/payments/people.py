"""What people and other tools do with payments in ConnectWise."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from bridge.domain.write_back import WriteBack
from connectwise_sandbox.clock import day_of
from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.finance.payments import change_payment
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.people import PERSON, NewLine
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.people import Edit
from tests.simulation.world import World

FEWEST_INVOICES = 3
LONG_AGO = timedelta(days=40)
LATEST = 5
DAYS_OFF = 3
"""No zone that ConnectWise may show days in makes up for so many."""


# --- in ConnectWise ------------------------------------------------------------------------------


def _payment_world(world: World) -> PaymentWorld:
    assert isinstance(world, PaymentWorld)
    return world


def type_equal_payment(world: World) -> str:
    """Enter by hand what the bridge writes, or has written, as well."""
    write_backs = _payment_world(world).write_backs()
    if not write_backs:
        return "none"
    return type_payment(world, world.random.choice(write_backs))


def type_payment(world: World, write_back: WriteBack) -> str:
    amount = Decimal(write_back.amount_minor).scaleb(-write_back.currency.decimals)
    invoice_id = write_back.invoice_source_id
    world.engine.people.record_payment(invoice_id, amount, write_back.paid_on)
    return f"{amount} of {write_back.paid_on} on {invoice_id}"


def _pay_some(world: World) -> str:
    invoice = _invoice(world)
    part = max(Decimal("0.01"), round(invoice["balance"] / world.random.choice((1, 2, 4)), 2))
    world.engine.people.record_payment(invoice["id"], part)
    return f"{part} on {invoice['id']}"


def _apply_credit(world: World) -> str:
    invoice = _invoice(world)
    if invoice["balance"] <= 1 or invoice["type"] == "CreditMemo":
        return "none"
    world.engine.people.apply_credit(invoice["id"], Decimal(1))
    return f"1 on {invoice['id']}"


def delete_ours(world: World) -> str:
    return _delete(world, _watched_rows(world, _payment_world(world).provenance.ours))


def _delete_theirs(world: World) -> str:
    return _delete(world, _watched_rows(world, _payment_world(world).provenance.others))


def edit_ours(world: World) -> str:
    return _edit(world, _watched_rows(world, _payment_world(world).provenance.ours))


def _edit_theirs(world: World) -> str:
    return _edit(world, _watched_rows(world, _payment_world(world).provenance.others))


def rewrite(world: World) -> str:
    """Another sync tool deletes an invoice's payments and enters them anew under its own name."""
    rows = _watched_rows(world, [row["id"] for row in world.engine.tenant.store[Kind.PAYMENT]])
    if not rows:
        return "none"
    invoice_id = world.random.choice(rows)["invoice"]["id"]
    world.engine.people.rewrite_payments(invoice_id)
    return f"{len(payments_of(world.engine.tenant, invoice_id))} of {invoice_id}"


def post_as_program(world: World) -> str:
    """Another program of the partner's posts with the keys of our API member.

    It posts money of long ago, so that the bridge cannot take it for what it wrote itself.
    """
    payments, people = _payment_world(world), world.engine.people
    paid = [each.invoice_source_id for each in payments.write_backs()]
    invoice_id = world.random.choice(paid) if paid else _invoice(world)["id"]
    amount = Decimal(world.random.randint(1, 20))
    day = world.engine.tenant.today - LONG_AGO
    with payments.provenance.another_program():
        people.record_payment(invoice_id, amount, day, by=payments.provenance.member)
    return f"{amount} on {invoice_id}"


def post_equal_as_program(world: World) -> str:
    """Another program posts, with the keys of our API member, what the bridge writes as well."""
    payments, people = _payment_world(world), world.engine.people
    write_backs = payments.write_backs()
    if not write_backs:
        return "none"
    write_back = world.random.choice(write_backs[-LATEST:])
    amount = Decimal(write_back.amount_minor).scaleb(-write_back.currency.decimals)
    place = (write_back.invoice_source_id, amount, write_back.paid_on)
    with payments.provenance.another_program():
        people.record_payment(*place, by=payments.provenance.member)
    world.note_fault("equal payment of another program")
    return f"{amount} of {write_back.paid_on} on {write_back.invoice_source_id}"


def post_alike_as_program(world: World) -> str:
    """Another program posts almost what the bridge writes: of another amount, or some days off."""
    payments, people = _payment_world(world), world.engine.people
    write_backs = payments.write_backs()
    if not write_backs:
        return "none"
    write_back = world.random.choice(write_backs[-LATEST:])
    minor, days = world.random.choice(((1, 0), (0, -DAYS_OFF), (0, DAYS_OFF)))
    amount = Decimal(write_back.amount_minor + minor).scaleb(-write_back.currency.decimals)
    day = write_back.paid_on + timedelta(days=days)
    with payments.provenance.another_program():
        people.record_payment(
            write_back.invoice_source_id, amount, day, by=payments.provenance.member
        )
    world.note_fault("almost equal payment of another program")
    return f"{amount} of {day} on {write_back.invoice_source_id}"


def bill(world: World) -> str:
    company = world.random.choice(list(world.engine.tenant.store[Kind.COMPANY]))
    line = NewLine("Service", Decimal(world.random.randint(2, 900)))
    return str(world.engine.people.create_invoice(company["id"], [line])["id"])


def _raise_total(world: World) -> str:
    invoice = _invoice(world)
    world.engine.people.change_total(invoice["id"], invoice["total"] + world.random.randint(1, 50))
    return str(invoice["id"])


def _close(world: World) -> str:
    return str(world.engine.people.close_invoice(_invoice(world)["id"])["id"])


def _reopen(world: World) -> str:
    return str(world.engine.people.reopen_invoice(_invoice(world)["id"])["id"])


def _batch(world: World) -> str:
    invoice_id = _invoice(world)["id"]
    world.engine.people.batch_invoice(invoice_id)
    return str(invoice_id)


def _undo_batches(world: World) -> str:
    """Delete all batches, which unlocks their invoices."""
    tenant = world.engine.tenant
    locked = [invoice for invoice in tenant.store[Kind.INVOICE] if "glBatch" in invoice]
    for invoice in locked:
        freed = {name: value for name, value in invoice.items() if name != "glBatch"}
        tenant.change(Kind.INVOICE, freed, PERSON)
    return str(len(locked))


def _delete_invoice(world: World) -> str:
    if len(world.engine.tenant.store[Kind.INVOICE]) <= FEWEST_INVOICES:
        return "none"
    invoice_id = _invoice(world)["id"]
    world.engine.people.delete_invoice(invoice_id)
    return str(invoice_id)


def _invoice(world: World) -> Record:
    return world.random.choice(list(world.engine.tenant.store[Kind.INVOICE]))


def _watched_rows(world: World, payment_ids: Iterable[int]) -> list[Record]:
    """Return payments of money; credits are left to those who apply them. None are of an invoice
    where nobody could ever see it if another payment took the place of one."""
    payments = _payment_world(world)
    found = world.engine.tenant.store[Kind.PAYMENT].among(list(payment_ids))
    money = [row for row in found if "credit" not in row]
    return [row for row in money if payments.is_watched(row["invoice"]["id"])]


def _delete(world: World, rows: list[Record]) -> str:
    if not rows:
        return "none"
    row = world.random.choice(rows)
    world.engine.people.delete_payment(row["invoice"]["id"], row["id"])
    return f"{row['id']} of {row['invoice']['id']}"


def _edit(world: World, rows: list[Record]) -> str:
    if not rows:
        return "none"
    row = world.random.choice(rows)
    day: date = day_of(row["paymentDate"]) - timedelta(days=world.random.choice((0, 3)))
    changed = row | {
        "amount": row["amount"] + world.random.choice((Decimal("-0.01"), Decimal(0))),
        "paymentDate": f"{day.isoformat()}T00:00:00Z",
    }
    if changed["amount"] <= 0:
        return "none"
    change_payment(world.engine.tenant, row, changed, PERSON)
    return f"{row['id']} of {row['invoice']['id']}"


EDITS: tuple[Edit, ...] = (
    type_equal_payment,
    type_equal_payment,
    _pay_some,
    _apply_credit,
    delete_ours,
    _delete_theirs,
    edit_ours,
    _edit_theirs,
    rewrite,
    post_as_program,
    post_equal_as_program,
    post_alike_as_program,
    bill,
    bill,
    _raise_total,
    _close,
    _reopen,
    _reopen,
    _batch,
    _undo_batches,
    _undo_batches,
    _delete_invoice,
)
