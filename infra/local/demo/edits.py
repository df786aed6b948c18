"""Edits in ConnectWise, and how each arrives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from infra.local.demo.clients import Json, NotObservedError
from infra.local.demo.scene import Scene
from infra.local.patience import PATIENCE_SECONDS

QUIET_HOUR_CALLS = 2
SETTLING_SECONDS = 1.0
"""So long no call comes any more once a look is over."""
CLICKS_AT_ONCE = 50
CLICKERS = 10
EVERYBODY = {"job": "customers"}
"""It starts the hourly job on every connection of any part."""


def new_invoice(scene: Scene) -> str:
    truth = scene.person.truth()
    company_id = next(
        c["id"] for c in truth["companies"] if not c.get("deletedFlag") and c["id"] > 0
    )
    scene.facts["company_id"] = company_id
    created = scene.person.do(
        "POST",
        "/invoices",
        company_id=company_id,
        lines=[
            {"description": "Firewall", "amount": "800.00"},
            {"description": "Installation", "amount": "200.00", "quantity": "2"},
        ],
    )
    scene.facts["invoice_id"] = created["id"]
    seen = scene.edit(
        "new invoice",
        lambda: None,
        scene.invoice_path(created["id"]),
        lambda invoice: len(invoice["line_items"]) >= 2,  # noqa: PLR2004 - the two made above
    )
    return f"number {seen['number']}, {seen['total']['display']} {seen['total']['currency']}"


def changed_due_date(scene: Scene) -> str:
    due_on = (datetime.now(UTC) + timedelta(days=45)).date().isoformat()
    path = f"/invoices/{scene.facts['invoice_id']}"
    scene.edit(
        "changed due date",
        lambda: scene.person.do("PATCH", path, due_on=due_on),
        scene.invoice_path(scene.facts["invoice_id"]),
        lambda invoice: bool(invoice["due_on"] == due_on),
    )
    return f"due {due_on}"


def changed_amount(scene: Scene) -> str:
    path = f"/invoices/{scene.facts['invoice_id']}"
    scene.edit(
        "changed amount",
        lambda: scene.person.do("PATCH", path, total="1234.00"),
        scene.invoice_path(scene.facts["invoice_id"]),
        lambda invoice: _is(invoice["total"], "1234.00"),
    )
    return "total 1234.00"


def partial_payment(scene: Scene) -> str:
    path = f"/invoices/{scene.facts['invoice_id']}/payments"
    seen = scene.edit(
        "partial payment",
        lambda: scene.person.do("POST", path, amount="234.00"),
        scene.invoice_path(scene.facts["invoice_id"]),
        lambda invoice: bool(
            invoice["state"] == "partially_paid" and _is(invoice["balance"], "1000.00")
        ),
    )
    scene.facts["payment_id"] = seen["payments"][0]["source_id"]
    return f"balance {seen['balance']['display']}, {seen['state']}"


def credit(scene: Scene) -> str:
    path = f"/invoices/{scene.facts['invoice_id']}/credits"
    seen = scene.edit(
        "credit",
        lambda: scene.person.do("POST", path, amount="100.00"),
        scene.invoice_path(scene.facts["invoice_id"]),
        lambda invoice: _is(invoice["credited"], "100.00"),
    )
    return f"balance {seen['balance']['display']} after a credit of 100.00"


def deleted_payment(scene: Scene) -> str:
    invoice_id, payment_id = scene.facts["invoice_id"], scene.facts["payment_id"]
    path = f"/invoices/{invoice_id}/payments/{payment_id}"
    seen = scene.edit(
        "deleted payment",
        lambda: scene.person.do("DELETE", path),
        scene.invoice_path(invoice_id),
        lambda invoice: payment_id not in {p["source_id"] for p in invoice["payments"]},
    )
    return f"balance {seen['balance']['display']} again"


def deleted_invoice(scene: Scene) -> str:
    created = scene.person.do(
        "POST",
        "/invoices",
        company_id=scene.facts["company_id"],
        lines=[{"description": "Made by mistake", "amount": "10.00"}],
    )
    path = scene.invoice_path(created["id"])
    scene.bridge.wait_for(path, lambda invoice: bool(invoice["state"] == "open"))
    scene.edit(
        "deleted invoice",
        lambda: scene.person.do("DELETE", f"/invoices/{created['id']}"),
        path,
        lambda invoice: bool(invoice["state"] == "archived"),
    )
    return "archived, after ConnectWise proved that it is gone"


def new_customer_by_hourly_job(scene: Scene) -> str:
    with _callbacks_lost(scene):
        created = scene.person.do(
            "POST",
            "/companies",
            identifier="HourlyCo",
            name="Hourly Café GmbH",
            email="billing@hourly.example",
        )
        seen = scene.edit(
            "new customer (hourly job)",
            lambda: scene.system.fire_schedule("customers-0", event=EVERYBODY),
            scene.customer_path(created["id"]),
            lambda customer: bool(customer["name"] == "Hourly Café GmbH"),
        )
    scene.facts["customer_id"] = created["id"]
    return f"{seen['name']}, {seen['email']}; its callback was lost on purpose"


def quiet_hour(scene: Scene) -> str:
    """An hourly look with nothing changed costs two calls at most, and starts no run."""
    # The look reaches back ten minutes, so what was edited since is asked for again: only the
    # calls that look for changes count here.
    scene.person.reset_calls()
    scene.system.fire_schedule("customers-0", event=EVERYBODY)
    counts = _calls_of_a_look(scene)
    scene.facts["quiet_hour_calls"] = counts
    looking = _looking(counts)
    return f"{sum(counts.values())} ConnectWise calls ({looking} on customers and contacts)"


def deleted_customer(scene: Scene) -> str:
    customer_id = scene.facts["customer_id"]
    scene.edit(
        "deleted customer",
        lambda: scene.person.do("DELETE", f"/companies/{customer_id}"),
        scene.customer_path(customer_id),
        lambda customer: customer["archive"] is not None,
    )
    return "archived; ConnectWise only marks it deleted"


def downloaded_pdf(scene: Scene) -> str:
    path = f"{scene.invoice_path(scene.facts['invoice_id'])}/pdf"
    started = time.monotonic()
    link = scene.bridge.wait_for(path, lambda document: "url" in document)
    content = httpx.get(link["url"], timeout=PATIENCE_SECONDS)
    scene.edit_seconds["PDF"] = round(time.monotonic() - started, 2)
    if not content.content.startswith(b"%PDF-"):
        raise NotObservedError(f"the link answered {content.status_code}, which is no PDF")
    scene.facts["pdf_bytes"] = len(content.content)
    return f"{len(content.content):,} bytes through a link that lives for minutes"


def fetch_new(scene: Scene) -> str:
    with _callbacks_lost(scene):
        created = scene.person.do(
            "POST",
            "/invoices",
            company_id=scene.facts["company_id"],
            lines=[{"description": "Missed by every callback", "amount": "77.00"}],
        )
        scene.edit(
            "fetch new data",
            lambda: _click_often(scene, "fetch_new"),
            scene.invoice_path(created["id"]),
            lambda invoice: _is(invoice["total"], "77.00"),
        )
    return f"brought a missed invoice; {_one_more_click(scene, 'fetch_new')}"


def fetch_unpaid(scene: Scene) -> str:
    """An invoice is paid by another tool: no callback comes, and it does not look changed."""
    invoice = next(
        i
        for i in scene.bridge.items(f"/v1/invoices?connection_id={scene.connection_id}&state=open")
        if i["balance"]["amount_minor"] > 0 and not (i["status"] or {}).get("is_closed")
    )
    switches = {"payment_fires_invoice_callback": False, "payment_touches_last_updated": False}
    scene.person.do("PATCH", "/switches", **switches)
    scene.person.do(
        "POST",
        f"/invoices/{invoice['source_id']}/payments",
        amount=invoice["balance"]["display"],
    )
    scene.edit(
        "fetch unpaid invoices",
        lambda: _click_often(scene, "fetch_unpaid"),
        f"/v1/invoices/{invoice['id']}",
        lambda seen: bool(seen["state"] == "paid"),
    )
    scene.person.do("PATCH", "/switches", **dict.fromkeys(switches, True))
    return f"found an invoice paid elsewhere; {_one_more_click(scene, 'fetch_unpaid')}"


def platform_only(scene: Scene) -> str:
    """What is made on the platform stays there (R6)."""
    scene.person.reset_calls()
    before = scene.person.truth()
    customer = scene.bridge.call(
        "POST", "/v1/customers", expect=201, body={"name": "Walk-in", "email": "w@walkin.example"}
    )
    invoice = scene.bridge.call(
        "POST",
        "/v1/invoices",
        expect=201,
        body={
            "customer_id": customer["id"],
            "number": "P-1",
            "currency": "USD",
            "issued_on": "2026-11-01",
            "line_items": [{"description": "Advice", "amount_minor": 5000}],
        },
    )
    if scene.person.truth() != before or scene.person.calls():
        raise NotObservedError("ConnectWise heard of a platform-only record")
    return f"invoice {invoice['number']}; ConnectWise was not called"


def _click_often(scene: Scene, kind: str) -> None:
    """Click at once from many windows: one click starts a run, the others change nothing."""

    def click(_: int) -> httpx.Response:
        return _click(scene, kind)

    with ThreadPoolExecutor(CLICKERS) as pool:
        answers = list(pool.map(click, range(CLICKS_AT_ONCE)))
    started = [a for a in answers if a.status_code == httpx.codes.ACCEPTED]
    refused = [a for a in answers if a.status_code == httpx.codes.TOO_MANY_REQUESTS]
    if len(started) != 1 or len(refused) != CLICKS_AT_ONCE - 1:
        raise NotObservedError(f"{len(started)} clicks started a run, {len(refused)} were refused")


def _one_more_click(scene: Scene, kind: str) -> str:
    refused = _click(scene, kind)
    if refused.status_code != httpx.codes.TOO_MANY_REQUESTS:
        raise NotObservedError(f"the second click answered {refused.status_code}")
    runs = scene.bridge.items(scene.connection_path("/runs"))
    if sum(1 for run in runs if run["kind"] == kind) != 1:
        raise NotObservedError(f"more than one run of kind {kind} exists")
    free_at, retry_after = refused.json()["free_at"], refused.headers["Retry-After"]
    return (
        f"1 of {CLICKS_AT_ONCE} clicks at once started it; a later one is refused until {free_at},"
        f" Retry-After {retry_after}"
    )


def _click(scene: Scene, kind: str) -> httpx.Response:
    return scene.bridge.answer("POST", scene.connection_path("/fetches"), body={"kind": kind})


def _is(amount: Json, text: str) -> bool:
    return Decimal(amount["display"]) == Decimal(text)


def _calls_of_a_look(scene: Scene) -> dict[str, int]:
    """Return the calls to ConnectWise, once some were for customers and no more came."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    before: dict[str, int] = {}
    while time.monotonic() < deadline:
        counts = scene.person.calls()
        if _looking(counts) and counts == before:
            return counts
        before = counts
        time.sleep(SETTLING_SECONDS)
    raise NotObservedError(f"nobody looked for customers within {PATIENCE_SECONDS:.0f} s")


def _looking(counts: dict[str, int]) -> int:
    return sum(n for route, n in counts.items() if "/companies" in route or "contacts" in route)


@contextmanager
def _callbacks_lost(scene: Scene) -> Iterator[None]:
    """While inside, ConnectWise drops every callback, as it may."""
    rate: dict[str, Any] = {"callback_drop_rate": 1.0}
    scene.person.do("PATCH", "/switches", **rate)
    try:
        yield
    finally:
        scene.person.do("PATCH", "/switches", callback_drop_rate=0.0)
