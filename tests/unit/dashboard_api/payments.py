"""Payments as the platform's services send them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bridge.domain.connection import Connection
from bridge.domain.invoice import Invoice
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import WriteBack
from bridge.ports import Stored
from bridge.wiring import use_cases
from tests.unit.dashboard_api.world import Caller, World

STEPS = {
    "settle": "settled",
    "fail": "failed",
    "return": "returned",
    "refund": "refunded",
    "charge-back": "charged_back",
    "void": "voided",
}


def payment_form(*invoices: Invoice, **changes: Any) -> dict[str, Any]:
    """A settled payment of 40.00 for each of the invoices."""
    form: dict[str, Any] = {
        "amount_minor": 4000 * len(invoices),
        "currency": "USD",
        "method": "card",
        "received_on": "2026-03-01",
        "state": "settled",
        "allocations": [
            {"invoice_id": invoice.invoice_id, "amount_minor": 4000} for invoice in invoices
        ],
    }
    return form | changes


def path_to(of: Connection | Invoice, payment_id: str = "pay-1", step: str = "") -> str:
    """Return the path of a payment of a connection, or of the one that an invoice belongs to."""
    path = f"/v1/connections/{of.connection_id}/payments/{payment_id}"
    return f"{path}/{step}" if step else path


def recorded(
    world: World, connection: Connection, invoice: Invoice, payment_id: str = "pay-1", **form: Any
) -> WriteBack:
    """Record a payment of one invoice through the API; return its write-back."""
    answer = world.service().put(path_to(connection, payment_id), payment_form(invoice, **form))
    assert answer.status == 201, answer.text
    (write_back,) = write_backs(world, connection.partner_id, payment_id)
    return write_back


def stored_payment(
    world: World, partner_id: str = "partner-a", payment_id: str = "pay-1"
) -> PlatformPayment | None:
    return world.ledger.get_payment(partner_id, payment_id).value


def write_backs(
    world: World, partner_id: str = "partner-a", payment_id: str = "pay-1"
) -> list[WriteBack]:
    stored = world.ledger.write_backs_of_payment(partner_id, payment_id)
    return [entry.value for entry in stored if entry.value]


@contextmanager
def looking_too_early(world: World) -> Iterator[None]:
    """A request that began before another one stored its payment: its look finds nothing."""
    look = world.ledger.get_payment
    looks = iter([True])

    def early(partner_id: str, payment_id: str) -> Stored[PlatformPayment]:
        return Stored(None, 0) if next(looks, False) else look(partner_id, payment_id)

    world.ledger.get_payment = early  # type: ignore[method-assign]
    yield
    world.ledger.get_payment = look  # type: ignore[method-assign]


def put_in_state(world: World, write_back: WriteBack) -> None:
    """Store a write-back as a worker left it, with the problem that goes with it."""
    world.ledger.arrange(write_back)
    use_cases.write_back_problems(world).show(write_back)


def act(partner: Caller, problem_id: str, action: str, **named: Any) -> Any:
    """Take an action on a problem; ``named`` is what the action is about."""
    return partner.post(f"/v1/problems/{problem_id}/actions", {"action": action, **named})


def shown_write_back(partner: Caller, payment_id: str = "pay-1") -> dict[str, Any]:
    """The only write-back of a payment, as a partner user sees it."""
    body = partner.get(f"/v1/platform-payments/{payment_id}").json
    (write_back,) = body["write_backs"]
    assert isinstance(write_back, dict)
    return write_back
