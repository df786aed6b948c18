"""``make demo``: every step, what was observed, then ``demo: ok`` or the step that failed."""

from __future__ import annotations

import json
import time

import httpx
from rich.console import Console

from infra.config import PROJECT_ROOT
from infra.local.demo import edits, first_import, nightly, payments, searches
from infra.local.demo.clients import BridgeApi, ConnectWisePerson, NotObservedError
from infra.local.demo.scene import Scene, Step
from infra.local.system import LocalSystem

REPORT = PROJECT_ROOT / "build" / "demo.json"
PARTNER = "partner-demo"

STEPS = (
    Step("connect a ConnectWise company", first_import.connect),
    Step("import its books", first_import.import_books),
    Step("calls within the budget", first_import.count_calls),
    Step("mirror equals ConnectWise", first_import.compare),
    Step("searches by number, amount and word", searches.search),
    Step("a new invoice", edits.new_invoice),
    Step("a changed due date", edits.changed_due_date),
    Step("a changed amount", edits.changed_amount),
    Step("a partial payment made in ConnectWise", edits.partial_payment),
    Step("a credit applied in ConnectWise", edits.credit),
    Step("a deleted payment", edits.deleted_payment),
    Step("a deleted invoice", edits.deleted_invoice),
    Step("a new customer by the hourly job", edits.new_customer_by_hourly_job),
    Step("an hour in which little changed", edits.quiet_hour),
    Step("a deleted customer", edits.deleted_customer),
    Step("a downloaded PDF", edits.downloaded_pdf),
    Step("Fetch New Data, and a second click", edits.fetch_new),
    Step("Fetch Unpaid Invoices, and a second click", edits.fetch_unpaid),
    Step("records made on the platform stay there", edits.platform_only),
    Step("preferences for payments", payments.prefer_paid_status),
    Step("a payment in full", payments.pay_in_full),
    Step("a partial payment", payments.pay_in_part),
    Step("one payment over two invoices", payments.pay_two_invoices),
    Step("a payment that the bank returns", payments.return_a_payment),
    Step("the same payment recorded again", payments.same_id_again),
    Step("a payment whose answer is lost", payments.lose_an_answer),
    Step("a payment on an invoice in a GL batch", payments.pay_a_batched_invoice),
    Step("the same company connected again", payments.connect_twice),
    Step("both sides agree on every payment", payments.books_agree),
    Step("the nightly comparison of both sides", nightly.compare_both_sides),
    Step("mirror equals ConnectWise still", first_import.compare),
)


def main() -> int:
    """Return the exit status: 0 when every step was observed."""
    console = Console(highlight=False)
    started = time.monotonic()
    console.print(
        "Starting the embedded AWS and the ConnectWise sandbox, deploying both stacks ..."
    )
    with LocalSystem("demo") as system:
        seconds = time.monotonic() - started
        console.print(f"  deployed after {seconds:.1f} s: {system.api_url}")
        user = system.new_user(PARTNER)
        console.print(f"  the page, until the end: {system.page_url}")
        console.print(f"    {user.email}, {user.password}", markup=False)
        scene = Scene(
            system=system,
            bridge=BridgeApi(system.api_url, system.partner_token(PARTNER)),
            person=ConnectWisePerson(system.sandbox.base_url),
            console=console,
        )
        scene.facts["deploy_seconds"] = round(seconds, 1)
        try:
            failed = _play(scene)
        finally:
            scene.close()
    _write_report(scene, failed, time.monotonic() - started)
    console.print(f"  report: {REPORT.relative_to(PROJECT_ROOT)}")
    console.print(f"demo: failed at: {failed}" if failed else "demo: ok")
    return 1 if failed else 0


def _play(scene: Scene) -> str | None:
    """Play the steps in order; return the name of the one that failed, if any."""
    for number, step in enumerate(STEPS, start=1):
        scene.console.print(f"[{number:>2}/{len(STEPS)}] {step.name}", markup=False)
        try:
            observed = step.act(scene)
        except (NotObservedError, httpx.HTTPError) as error:
            scene.console.print(f"        not observed: {error}", markup=False, soft_wrap=True)
            return step.name
        scene.console.print(f"        {observed}", markup=False, soft_wrap=True)
    return None


def _write_report(scene: Scene, failed: str | None, seconds: float) -> None:
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "ok": failed is None,
        "failed_step": failed,
        "seconds": round(seconds, 1),
        "edit_seconds": scene.edit_seconds,
        **scene.facts,
    }
    REPORT.write_text(json.dumps(report, indent=2, default=str) + "\n", encoding="utf-8")
