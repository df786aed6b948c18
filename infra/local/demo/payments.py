"""Payments collected on the platform, and how each appears in ConnectWise once."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from infra.local.demo.clients import BridgeApi, Json, NotObservedError
from infra.local.demo.scene import Scene

PAID_STATUS = "Paid in Full"
MAX_CALLS_PER_WRITE_BACK = 6
"""The first payment of a connection is proven by a list of its own; later ones take five."""


def prefer_paid_status(scene: Scene) -> str:
    """Choose the billing status to set at a zero balance, from the tenant's own list."""
    statuses = scene.bridge.get(scene.connection_path("/billing-statuses"))["items"]
    paid = next(status for status in statuses if status["name"] == PAID_STATUS)
    preference = {"when": "settled", "paid_status_id": paid["id"]}
    scene.bridge.call("PATCH", scene.connection_path(), expect=200, body={"write_back": preference})
    return f"write back when settled, then set “{paid['name']}” at a zero balance"


def pay_in_full(scene: Scene) -> str:
    invoice = _bill(scene, "250.00")
    before = _write_back_calls(scene)
    _pay(scene, "full", [(invoice, 25000)])
    _wait_written(scene, "full", "payment in full")
    seen = scene.bridge.wait_for(
        scene.invoice_path(invoice),
        lambda i: bool(i["state"] == "paid" and i["status"]["name"] == PAID_STATUS),
    )
    calls = _write_back_calls(scene) - before
    scene.facts["calls_per_write_back"] = calls
    if not 0 < calls <= MAX_CALLS_PER_WRITE_BACK:
        raise NotObservedError(f"{calls} ConnectWise calls for one write-back")
    return f"{seen['state']}, status “{seen['status']['name']}”, {calls} ConnectWise calls"


def pay_in_part(scene: Scene) -> str:
    invoice = _bill(scene, "300.00")
    _pay(scene, "part", [(invoice, 12000)])
    _wait_written(scene, "part", "partial payment written back")
    seen = scene.bridge.wait_for(
        scene.invoice_path(invoice), lambda i: bool(i["state"] == "partially_paid")
    )
    return f"balance {seen['balance']['display']} of {seen['total']['display']}"


def pay_two_invoices(scene: Scene) -> str:
    first, second = _bill(scene, "80.00"), _bill(scene, "20.00")
    _pay(scene, "both", [(first, 8000), (second, 2000)])
    _wait_written(scene, "both", "payment over two invoices")
    for invoice in (first, second):
        scene.bridge.wait_for(scene.invoice_path(invoice), lambda i: bool(i["state"] == "paid"))
    return "one payment, two invoices, each paid in ConnectWise"


def return_a_payment(scene: Scene) -> str:
    """A bank takes a payment back: it leaves ConnectWise, and the status goes back too."""
    invoice = _bill(scene, "60.00")
    before = scene.bridge.get(scene.invoice_path(invoice))["status"]["name"]
    _pay(scene, "returned", [(invoice, 6000)])
    _wait_written(scene, "returned", "payment to be returned")
    path = f"{_payment_path(scene, 'returned')}/return"
    _services(scene).call("POST", path, expect=200, body={"reason": "R01 insufficient funds"})
    seen = scene.bridge.wait_for(
        scene.invoice_path(invoice),
        lambda i: bool(i["state"] == "open" and i["status"]["name"] == before),
    )
    return f"gone from ConnectWise; balance {seen['balance']['display']}, status “{before}”"


def pay_a_batched_invoice(scene: Scene) -> str:
    """An invoice in a GL batch is tried, as integrators do daily: ConnectWise says whether."""
    invoice = _bill(scene, "60.00")
    scene.person.do("POST", f"/invoices/{invoice}/batch")
    _pay(scene, "batched", [(invoice, 4500)])
    _wait_written(scene, "batched", "payment on a batched invoice")
    return "the invoice is in a GL batch; ConnectWise took the payment"


def lose_an_answer(scene: Scene) -> str:
    """ConnectWise takes the payment and the line breaks: one look finds it, and nothing waits."""
    invoice = _bill(scene, "90.00")
    scene.person.do(
        "POST",
        "/faults",
        method="POST",
        path_regex=f"/finance/invoices/{invoice}/payments",
        effect="cut_after_effect",
    )
    started = time.monotonic()
    _pay(scene, "lost", [(invoice, 9000)])
    _wait_state(scene, "lost", {"confirmed"})
    seconds = time.monotonic() - started
    rows = scene.person.do("GET", f"/invoices/{invoice}/payments")
    if len(rows) != 1:
        raise NotObservedError(f"{len(rows)} payments stand in ConnectWise")
    scene.facts["healed_after_seconds"] = round(seconds, 1)
    return f"answer lost, healed after {seconds:.0f} s; exactly one payment in ConnectWise"


def connect_twice(scene: Scene) -> str:
    """The same company under another name of its server is refused: it is known by proof."""
    access = scene.system.sandbox
    alias = access.base_url.replace("127.0.0.1", "localhost")
    body = {
        "company_id": access.company_id,
        "public_key": access.public_key,
        "private_key": access.private_key,
        "site_url": alias,
        "name": "The same provider",
    }
    refused = scene.bridge.call("POST", "/v1/connections", expect=409, body=body)
    return f"refused: {refused['detail']}"


def same_id_again(scene: Scene) -> str:
    """The same id with the same content answers as before; with other content it is refused."""
    body = scene.facts["payments"]["full"]
    services = _services(scene)
    path = _payment_path(scene, "full")
    services.call("PUT", path, expect=200, body=body)
    services.call("PUT", path, expect=409, body=body | {"amount_minor": 25001})
    forged = scene.bridge.answer("PUT", path, body=body)
    if forged.status_code not in (403, 405):
        raise NotObservedError(f"a partner user could record a payment: {forged.status_code}")
    return "200 with the same content, 409 with other content, refused to partner users"


def books_agree(scene: Scene) -> str:
    """Every write-back owns exactly one ConnectWise payment, and no payment of ours is nobody's."""
    write_backs = [
        write_back
        for payment_id in scene.facts["payments"]
        for write_back in _write_backs(scene, payment_id)
    ]
    owned = sorted(w["connectwise_payment_id"] for w in write_backs if w["state"] == "confirmed")
    rows = [row for invoice in scene.person.truth()["invoices"] for row in invoice["payment_rows"]]
    members = {row["applied_by"] for row in rows if row["id"] in owned}
    made = sorted(row["id"] for row in rows if row["applied_by"] in members)
    if owned != made or len(members) != 1:
        raise NotObservedError(f"owned {owned}, in ConnectWise {made} by {members}")
    asked = scene.system.run_job("payments")
    problems = [
        problem
        for problem in scene.bridge.items("/v1/problems")
        if problem["code"].startswith("payment")
    ]
    if problems:
        raise NotObservedError(f"open payment problems: {problems}")
    taken_out = sum(w["state"] == "reversed" for w in write_backs)
    scene.facts["write_backs"] = {"confirmed": len(owned), "reversed": taken_out}
    return (
        f"{len(owned)} payments, each once in ConnectWise; {taken_out} taken out again; "
        f"compared, with {asked} invoices to ask about and no problem"
    )


def _bill(scene: Scene, amount: str) -> int:
    """Make an invoice of that amount in ConnectWise and wait until the bridge has it."""
    company_id = _usd_company(scene)
    created = scene.person.do(
        "POST",
        "/invoices",
        company_id=company_id,
        lines=[{"description": "Monthly service", "amount": amount}],
    )
    scene.bridge.wait_for(scene.invoice_path(created["id"]), lambda i: bool(i["state"] == "open"))
    return int(created["id"])


def _usd_company(scene: Scene) -> int:
    """Return a customer billed in dollars, so that amounts below have two decimals."""
    if "usd_company_id" not in scene.facts:
        truth = scene.person.truth()
        living = {c["id"] for c in truth["companies"] if not c.get("deletedFlag")}
        billed = (i for i in truth["invoices"] if i["currency"] == "USD" and i["total"] > 0)
        scene.facts["usd_company_id"] = next(
            i["company_id"] for i in billed if i["company_id"] in living
        )
    return int(scene.facts["usd_company_id"])


def _pay(scene: Scene, payment_id: str, parts: list[tuple[int, int]]) -> None:
    body = {
        "amount_minor": sum(amount for _, amount in parts),
        "currency": "USD",
        "method": "card",
        "received_on": datetime.now(UTC).date().isoformat(),
        "state": "settled",
        "allocations": [
            {"invoice_id": f"{scene.connection_id}-{invoice}", "amount_minor": amount}
            for invoice, amount in parts
        ],
        "fee_minor": 99,
    }
    _services(scene).call("PUT", _payment_path(scene, payment_id), expect=201, body=body)
    scene.facts.setdefault("payments", {})[payment_id] = body


def _wait_written(scene: Scene, payment_id: str, name: str) -> None:
    started = time.monotonic()
    _wait_state(scene, payment_id, {"confirmed"})
    scene.edit_seconds[name] = round(time.monotonic() - started, 2)
    scene.facts.setdefault("write_back_seconds", {})[payment_id] = scene.edit_seconds[name]


def _wait_state(scene: Scene, payment_id: str, states: set[str]) -> None:
    scene.bridge.wait_for(
        f"/v1/platform-payments/{payment_id}",
        lambda payment: {w["state"] for w in payment["write_backs"]} == states,
    )


def _write_backs(scene: Scene, payment_id: str) -> list[Json]:
    found: list[Json] = scene.bridge.get(f"/v1/platform-payments/{payment_id}")["write_backs"]
    return found


def _write_back_calls(scene: Scene) -> int:
    """Count what the write-back itself called; the hint that follows it is the sync's."""
    log = scene.system.function_log("payment_writeback")
    return sum(1 for line in log if '"message":"ConnectWise call"' in line)


def _payment_path(scene: Scene, payment_id: str) -> str:
    return scene.connection_path(f"/payments/{payment_id}")


def _services(scene: Scene) -> BridgeApi:
    """The platform's services: a token by client credentials, with the scope to write payments."""
    if scene.services is None:
        scene.services = BridgeApi(scene.system.api_url, scene.system.service_token())
    return scene.services
