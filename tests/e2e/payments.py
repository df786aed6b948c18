"""Payments that services record, so that the page has something to show."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from infra.local.demo.clients import BridgeApi, Json
from infra.local.demo.scene import Scene


def pay_too_much(scene: Scene, payment_id: str) -> None:
    """Record a payment of which an invoice gets the smallest part, and nobody the rest."""
    pay(scene, owed_invoices(scene)[0], payment_id, amount_minor=500, state="pending")


def owed_invoices(scene: Scene) -> list[Json]:
    """The unpaid invoices on which something is owed, credit memos left aside."""
    unpaid = scene.bridge.items("/v1/invoices?state=open")
    return [invoice for invoice in unpaid if invoice["balance"]["amount_minor"] > 0]


def pay(
    scene: Scene, invoice: Json, payment_id: str, *, amount_minor: int = 1, state: str = "settled"
) -> None:
    """Record a payment, of which the invoice gets the smallest part."""
    body = {
        "amount_minor": amount_minor,
        "currency": invoice["balance"]["currency"],
        "method": "card",
        "received_on": datetime.now(UTC).date().isoformat(),
        "state": state,
        "allocations": [{"invoice_id": invoice["id"], "amount_minor": 1}],
    }
    path = f"/v1/connections/{scene.connection_id}/payments/{payment_id}"
    with closing(BridgeApi(scene.system.api_url, scene.system.service_token())) as services:
        services.call("PUT", path, expect=201, body=body)
