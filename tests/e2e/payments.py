"""Payments that services record, so that the page has something to show."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from infra.local.demo.clients import BridgeApi
from infra.local.demo.scene import Scene


def pay_too_much(scene: Scene, payment_id: str) -> None:
    """Record a payment of which an invoice gets the smallest part, and nobody the rest."""
    invoice = next(
        invoice
        for invoice in scene.bridge.items("/v1/invoices?state=open")
        if invoice["balance"]["amount_minor"] > 0
    )
    body = {
        "amount_minor": 500,
        "currency": invoice["balance"]["currency"],
        "method": "card",
        "received_on": datetime.now(UTC).date().isoformat(),
        "state": "pending",
        "allocations": [{"invoice_id": invoice["id"], "amount_minor": 1}],
    }
    path = f"/v1/connections/{scene.connection_id}/payments/{payment_id}"
    with closing(BridgeApi(scene.system.api_url, scene.system.service_token())) as services:
        services.call("PUT", path, expect=201, body=body)
