"""Connect a ConnectWise company and import its books."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.local.demo.clients import POLL_SECONDS, Json, NotObservedError
from infra.local.demo.scene import Scene
from infra.local.patience import PATIENCE_SECONDS

CALLS_PER_THOUSAND_INVOICES = 30
PAYMENTS_ROUTE = "GET /finance/invoices/{parentId}/payments"
# What an import reads in bulk. Payments cost a call an invoice, and verifying is no import.
BULK_ROUTES = (
    "GET /company/companies",
    "GET /company/companies/count",
    "GET /company/contacts",
    "GET /expense/entries",
    "GET /finance/invoices",
    "GET /finance/invoices/count",
    "GET /procurement/products",
    "GET /time/entries",
)


def connect(scene: Scene) -> str:
    """Connect with the sandbox's keys, as the form of the dashboard does."""
    access = scene.system.sandbox
    connection = scene.bridge.call(
        "POST",
        "/v1/connections",
        expect=201,
        body={
            "company_id": access.company_id,
            "public_key": access.public_key,
            "private_key": access.private_key,
            "site_url": access.base_url,
            "name": "Demo provider",
        },
    )
    if connection["missing_rights"]:
        raise NotObservedError(f"rights are missing: {connection['missing_rights']}")
    scene.connection_id = connection["id"]
    return f"verified and {connection['state']}; callbacks {connection['callbacks']}"


def import_books(scene: Scene) -> str:
    """Follow the first import through the API until it has succeeded."""
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=scene.console) as progress:
        bars = {kind: progress.add_task(kind, total=None) for kind in ("customers", "invoices")}
        for run in _import_run_as_it_goes(scene):
            for kind, bar in bars.items():
                progress.update(
                    bar, completed=run[kind]["seen"], total=run["progress"][f"expected_{kind}"]
                )
            if run["state"] == "succeeded":
                break
            if run["state"] in ("failed", "cancelled"):
                raise NotObservedError(f"the import {run['state']}: {run['failure']}")
    scene.bridge.wait_for(scene.connection_path(), lambda c: c["state"] == "active")
    scene.facts["import"] = {kind: run[kind] for kind in bars}
    return f"{run['customers']['created']} customers, {run['invoices']['created']} invoices"


def _import_run_as_it_goes(scene: Scene) -> Iterator[Json]:
    """Yield the run again and again; NotObservedError once it stands still."""
    before: Json | None = None
    deadline = 0.0
    while True:
        run = _import_run(scene)
        if run != before:
            before, deadline = run, time.monotonic() + PATIENCE_SECONDS
        elif time.monotonic() > deadline:
            raise NotObservedError(f"the import stood still for {PATIENCE_SECONDS:.0f} s")
        yield run
        time.sleep(POLL_SECONDS)


def _import_run(scene: Scene) -> Json:
    runs = scene.bridge.get(scene.connection_path("/runs"))["items"]
    run: Json | None = next((r for r in runs if r["kind"] == "import"), None)
    if run is None:
        raise NotObservedError("no import was started")
    return run


def count_calls(scene: Scene) -> str:
    """Hold the import to its budget: lines included, payments and set-up counted apart."""
    counts = scene.person.calls()
    bulk = sum(counts.get(route, 0) for route in BULK_ROUTES)
    payments = counts.get(PAYMENTS_ROUTE, 0)
    invoices = max(1, scene.facts["import"]["invoices"]["seen"])
    scene.facts["import_calls"] = {"bulk": bulk, "payments": payments, "by_route": counts}
    # What a page costs is paid for every begun page of 1,000 and batch of 200.
    budget = CALLS_PER_THOUSAND_INVOICES * -(-invoices // 1000)
    if bulk > budget:
        raise NotObservedError(f"{bulk} calls for {invoices} invoices, {budget} allowed")
    return f"{bulk} ConnectWise calls (allowed {budget}), and {payments} for payments"


def compare(scene: Scene) -> str:
    """Compare every invoice's amounts with ConnectWise's own, and show what was mirrored."""
    truth = {invoice["id"]: invoice for invoice in scene.person.truth()["invoices"]}
    mirrored = {
        invoice["source_id"]: invoice
        for invoice in scene.bridge.items(f"/v1/invoices?connection_id={scene.connection_id}")
        if invoice["state"] != "archived"
    }
    if truth.keys() != mirrored.keys():
        difference = sorted(truth.keys() ^ mirrored.keys())
        raise NotObservedError(f"on one side only: {difference[:5]} of {len(difference)}")
    for source_id, invoice in truth.items():
        for mine, theirs in (("total", "total"), ("balance", "balance"), ("paid", "payments")):
            if Decimal(mirrored[source_id][mine]["display"]) != Decimal(str(invoice[theirs])):
                raise NotObservedError(f"invoice {source_id}: {mine} differs")
    scene.facts["mirrored"] = _show(scene, list(mirrored.values()))
    return f"{len(truth)} invoices agree to the cent with ConnectWise"


def _show(scene: Scene, invoices: list[Json]) -> Json:
    states = ("open", "partially_paid", "paid")
    counts = Counter((invoice["total"]["currency"], invoice["state"]) for invoice in invoices)
    open_minor: Counter[str] = Counter()
    for invoice in invoices:
        open_minor[invoice["balance"]["currency"]] += invoice["balance"]["amount_minor"]
    decimals = {i["balance"]["currency"]: i["balance"]["decimals"] for i in invoices}
    table = Table("currency", *states, "balance", title="Mirrored invoices")
    for currency in sorted(decimals):
        balance = Decimal(open_minor[currency]).scaleb(-decimals[currency])
        cells = [str(counts[currency, state]) for state in states]
        table.add_row(currency, *cells, f"{balance:,}")
    scene.console.print(table)
    customers = sum(1 for _ in scene.bridge.items("/v1/customers"))
    payments = sum(1 for _ in scene.bridge.items("/v1/payments"))
    scene.console.print(f"  {customers} customers, {payments} payments")
    return {
        "customers": customers,
        "payments": payments,
        "invoices": {f"{c} {s}": n for (c, s), n in sorted(counts.items())},
    }
