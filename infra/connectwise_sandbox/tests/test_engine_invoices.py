"""Changing, closing, posting and deleting invoices, and their PDFs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.messages import Response

CLOSED = "/finance/closedInvoices"


def status_id(psa: PsaClient, name: str) -> int:
    rows = psa.tenant.store[Kind.BILLING_STATUS]
    return int(next(row["id"] for row in rows if row["name"] == name))


def error_of(answer: Response) -> Any:
    return answer.json()["errors"][0]


# Closing, posting, deleting ---------------------------------------------------------------------


def test_closing_by_status_locks_an_invoice_but_for_its_status() -> None:
    psa = PsaClient(locked_invoice_payments="refused")
    invoice_id = psa.bill()
    path = f"{INVOICES}/{invoice_id}"

    closed = psa.replace(path, status={"id": status_id(psa, "Paid in Full")}).json()

    assert closed["status"] == closed["status"] | {"name": "Paid in Full", "isClosed": True}
    assert closed["closedBy"] == "AltPayBridge"
    assert psa.replace(path, dueDate="2026-05-01T00:00:00Z").status == 400
    assert psa.pay(invoice_id, 5).status == 400
    reopened = psa.replace(f"{CLOSED}/{invoice_id}", status={"name": "New"}).json()
    assert set(reopened) == {"id", "status", "_info"} | ({"internalNotes"} & set(reopened))
    assert reopened["status"]["isClosed"] is False
    assert psa.replace(path, dueDate="2026-05-01T00:00:00Z").status == 200
    assert "closedBy" not in psa.invoice(invoice_id)


@pytest.mark.parametrize("status", [400, 403, 409])
def test_what_a_locked_invoice_answers_is_a_switch(status: int) -> None:
    psa = PsaClient(locked_invoice_payments="refused", locked_invoice_status=status)
    invoice_id = psa.bill()
    psa.people.close_invoice(invoice_id)

    assert psa.pay(invoice_id, 5).status == status


def test_locked_invoices_take_payments() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    psa.people.close_invoice(invoice_id)

    payment = psa.pay(invoice_id, 5)

    assert payment.status == 201
    path = f"{INVOICES}/{invoice_id}/payments/{payment.json()['id']}"
    assert psa.send("DELETE", path).status == 204


def test_only_status_and_notes_of_a_closed_invoice_can_be_changed() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    path = f"{CLOSED}/{invoice_id}"
    assert psa.replace(path, internalNotes="x").status == 400
    psa.people.close_invoice(invoice_id)

    assert psa.replace(path, internalNotes="called").json()["internalNotes"] == "called"
    assert psa.replace(path, dueDate="2026-05-01T00:00:00Z").status == 400
    assert psa.replace(path, status={"id": 999}).json()["errors"][0]["field"] == "status/id"
    put = psa.send("PUT", path, {"status": {"id": status_id(psa, "Closed")}})
    assert put.json()["status"]["name"] == "Closed"


def test_closing_needs_the_account_number_of_the_company() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    company_id = psa.invoice(invoice_id)["company"]["id"]
    psa.people.change_company(company_id, {"accountNumber": ""})

    answer = psa.replace(f"{INVOICES}/{invoice_id}", status={"name": "Closed"})

    assert (answer.status, error_of(answer)["field"]) == (400, "accountNumber")


def test_a_patch_of_a_part_of_a_reference_answers_200_and_does_nothing() -> None:
    psa = PsaClient()
    path = f"{INVOICES}/{psa.bill()}"
    operations = [{"op": "replace", "path": "status/id", "value": status_id(psa, "Closed")}]

    answer = psa.send("PATCH", path, operations)

    assert (answer.status, answer.json()["status"]["name"]) == (200, "New")


def test_an_invoice_in_a_batch_is_locked_until_the_batch_is_deleted() -> None:
    psa = PsaClient(batched_invoice_payments="refused")
    invoice_id = psa.bill()
    psa.people.close_invoice(invoice_id)
    unposted = psa.get("/finance/accounting/unpostedinvoices")
    assert [row["billingLogId"] for row in unposted] == [invoice_id]
    assert unposted[0]["id"] != invoice_id

    created = psa.post("/finance/accounting/batches", {"processedRecordIds": [unposted[0]["id"]]})

    batch_id = created["exportSettings"]["batchId"]
    assert psa.invoice(invoice_id)["glBatch"]["id"] == batch_id
    assert psa.get("/finance/accounting/unpostedinvoices") == []
    assert psa.replace(f"{CLOSED}/{invoice_id}", status={"name": "New"}).status == 400
    assert psa.pay(invoice_id, 5).status == 400
    assert psa.send("DELETE", f"{INVOICES}/{invoice_id}").status == 400
    entries = psa.get(f"/finance/accounting/batches/{batch_id}/entries")
    assert [entry["invoice"]["id"] for entry in entries] == [invoice_id]
    assert psa.send("DELETE", f"/finance/accounting/batches/{batch_id}").status == 204
    assert psa.replace(f"{CLOSED}/{invoice_id}", status={"name": "New"}).status == 200


def test_only_records_that_wait_to_be_posted_can_be_batched() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()

    answer = psa.send("POST", "/finance/accounting/batches", {"processedRecordIds": [invoice_id]})

    assert (answer.status, error_of(answer)["code"]) == (400, "NotFound")
    assert psa.send("POST", "/finance/accounting/batches", {}).status == 400


def test_unposted_payments_and_gl_entries_can_be_read() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    payment = psa.pay(invoice_id, 5).json()
    path = "/finance/accounting/unpostedPayments"
    assert psa.get(f"{path}/{payment['id']}")["amount"] == 5
    assert psa.get(f"{path}/count") == {"count": 1}
    assert psa.get(f"{INVOICES}/{invoice_id}/glEntries/") == []

    psa.people.close_invoice(invoice_id)

    entries = psa.get(f"{INVOICES}/{invoice_id}/glEntries/")
    assert sum(entry["amount"] for entry in entries) == 0
    one = psa.get(f"{INVOICES}/{invoice_id}/glEntries/{entries[0]['id']}")
    assert one == entries[0]


def test_an_unpaid_invoice_can_be_deleted_and_frees_its_lines() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    line = psa.get("/procurement/products", conditions=f"invoice/id = {invoice_id}")[0]

    assert psa.send("DELETE", f"{INVOICES}/{invoice_id}").status == 204

    answer = psa.send("GET", f"{INVOICES}/{invoice_id}")
    assert answer.status == 404
    assert answer.json() == {"code": "NotFound", "message": f"Invoice {invoice_id} not found"}
    assert "invoice" not in psa.get(f"/procurement/products/{line['id']}")


@pytest.mark.parametrize(("rule_name", "status"), [("refused", 400), ("accepted", 204)])
def test_deleting_a_paid_invoice_is_a_switch(rule_name: str, status: int) -> None:
    psa = PsaClient(deleting_paid_invoice=rule_name)
    invoice_id = psa.bill()
    psa.pay(invoice_id, 5)

    assert psa.send("DELETE", f"{INVOICES}/{invoice_id}").status == status


def test_a_person_deletes_an_invoice_whatever_state_it_is_in() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    psa.pay(invoice_id, 5)
    psa.people.close_invoice(invoice_id)
    psa.people.batch_invoice(invoice_id)

    psa.people.delete_invoice(invoice_id)

    assert psa.send("GET", f"{INVOICES}/{invoice_id}").status == 404
    assert len(psa.tenant.store[Kind.PAYMENT]) == 0
    lines = psa.get("/procurement/products")
    assert lines
    assert all("invoice" not in line for line in lines)


def test_an_invoice_that_is_deleted_gives_its_credits_back() -> None:
    psa = PsaClient(deleting_paid_invoice="accepted")
    invoice_id = psa.bill()
    memo_id = psa.people.apply_credit(invoice_id, Decimal(40))["credit"]["id"]
    assert psa.people.remaining_credit(memo_id) == 0

    assert psa.send("DELETE", f"{INVOICES}/{invoice_id}").status == 204

    assert psa.invoice(memo_id)["balance"] == -40


# Changing invoices ------------------------------------------------------------------------------


def test_the_due_date_can_be_patched_but_not_the_money() -> None:
    psa = PsaClient()
    path = f"{INVOICES}/{psa.bill()}"

    after = psa.replace(path, dueDate="2026-05-01T00:00:00Z", total=1, balance=1, payments=9).json()

    assert after["dueDate"] == "2026-05-01T00:00:00Z"
    assert (after["total"], after["balance"], after["payments"]) == (100, 100, 0)


@pytest.mark.parametrize(
    "changes",
    [{"type": "CreditMemo"}, {"dueDate": "soon"}, {"nonsense": 1}, {"status": {"id": 77}}],
)
def test_a_bad_patch_of_an_invoice_is_refused(changes: dict[str, Any]) -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    before = psa.invoice(invoice_id)

    answer = psa.replace(f"{INVOICES}/{invoice_id}", **changes)

    assert (answer.status, answer.json()["code"]) == (400, "InvalidObject")
    assert psa.invoice(invoice_id) == before


def test_a_put_clears_what_it_leaves_out_but_not_what_cannot_be_empty() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    path = f"{INVOICES}/{invoice_id}"
    psa.replace(path, customerPO="PO-1")
    before = psa.invoice(invoice_id)

    body = {"type": "Standard", "company": {"id": before["company"]["id"]}}
    after = psa.send("PUT", path, body).json()

    assert "customerPO" not in after
    for name in ("status", "date", "dueDate", "invoiceNumber", "currency", "total", "balance"):
        assert after[name] == before[name]


def test_a_patch_cannot_empty_what_an_invoice_always_has() -> None:
    psa = PsaClient()
    path = f"{INVOICES}/{psa.bill()}"
    before = psa.send("GET", path).json()

    for name in ("status", "date", "dueDate", "invoiceNumber", "currency"):
        answer = psa.send("PATCH", path, [{"op": "remove", "path": name}])
        assert answer.json()[name] == before[name]


def test_a_person_changes_the_amount_and_the_due_date() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    psa.pay(invoice_id, 30)

    psa.people.change_total(invoice_id, Decimal("250.75"))
    psa.people.change_due_date(invoice_id, date(2026, 6, 30))

    invoice = psa.invoice(invoice_id)
    assert (invoice["total"], invoice["balance"]) == (Decimal("250.75"), Decimal("220.75"))
    assert invoice["dueDate"] == "2026-06-30T00:00:00Z"
    lines = psa.get("/procurement/products", conditions=f"invoice/id = {invoice_id}")
    assert sum(line["extPrice"] for line in lines) == invoice["subtotal"]


def test_a_member_with_the_right_bills_by_lines() -> None:
    psa = PsaClient()
    psa.tenant.role.grant_everything()
    body = {"type": "Miscellaneous", "company": {"id": psa.company()["id"]}}
    invoice = psa.post(INVOICES, body)
    assert (invoice["total"], invoice["status"]["name"]) == (0, "New")

    line = {
        "catalogItem": {"identifier": "FW-60F"},
        "quantity": 2,
        "price": 10.5,
        "billableOption": "Billable",
        "invoice": {"id": invoice["id"]},
    }
    product = psa.post("/procurement/products", line)
    assert psa.invoice(invoice["id"])["total"] == 21
    path = f"/procurement/products/{product['id']}"
    assert psa.replace(path, quantity=3).json()["extPrice"] == Decimal("31.5")
    assert psa.invoice(invoice["id"])["balance"] == Decimal("31.5")

    assert psa.send("DELETE", path).status == 204
    assert psa.invoice(invoice["id"])["balance"] == 0


def test_an_agreement_is_billed_by_whom_may_add() -> None:
    psa = PsaClient(invoices=10)
    agreement = psa.get("/finance/agreements")[0]
    path = f"/finance/agreements/{agreement['id']}/invoice"
    assert psa.send("POST", path).status == 403
    psa.tenant.role.grant_everything()

    invoice = psa.invoice(psa.send("POST", path).json())

    assert (invoice["type"], invoice["agreement"]["id"]) == ("Agreement", agreement["id"])
    assert invoice["total"] == invoice["agreementAmount"] == agreement["billAmount"]


def test_another_sync_rewrites_payments_under_new_ids() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    psa.pay(invoice_id, 30)
    psa.people.record_payment(invoice_id, Decimal(20))
    before = psa.payments(invoice_id)

    psa.people.rewrite_payments(invoice_id)

    after = psa.payments(invoice_id)
    assert [row["amount"] for row in after] == [row["amount"] for row in before]
    assert not {row["id"] for row in after} & {row["id"] for row in before}
    assert {row["appliedBy"] for row in after} == {"OtherSync"}
    assert psa.invoice(invoice_id)["balance"] == 50


def test_the_whole_picture_of_an_invoice_holds_its_lines() -> None:
    psa = PsaClient(invoices=30)
    invoice = psa.get(INVOICES, conditions='type = "Standard"')[0]

    picture = psa.get(f"/finance/info/invoice/{invoice['id']}")

    assert picture["invoice"] == invoice
    conditions = f"invoice/id = {invoice['id']}"
    assert picture["products"] == psa.get("/procurement/products", conditions=conditions)
    assert picture["timeEntries"] == psa.get("/time/entries", conditions=conditions)
    assert picture["expenses"] == psa.get("/expense/entries", conditions=conditions)


def test_a_line_that_fails_to_be_written_breaks_the_whole_picture() -> None:
    psa = PsaClient(invoices=30)
    line = psa.get("/procurement/products", conditions="invoice/id > 0")[0]
    fields = {"resource": "procurement/products", "id": line["id"], "flavour": "breaks_page"}
    assert psa.admin("POST", "/corrupt-rows", fields).status == 200

    picture = psa.send("GET", f"/finance/info/invoice/{line['invoice']['id']}")

    assert picture.status == 500


@pytest.mark.parametrize(
    ("switch", "status", "start"),
    [
        ("rendered", 200, b"%PDF-"),
        ("blank", 200, b"%PDF-"),
        ("empty", 200, b""),
        ("html", 200, b"<html>"),
        ("server_error", 500, b"{"),
    ],
)
def test_a_pdf_comes_as_the_switch_says(switch: str, status: int, start: bytes) -> None:
    psa = PsaClient(pdf=switch, pdf_seconds=12)

    answer = psa.send("GET", f"{INVOICES}/{psa.bill()}/pdf")

    assert (answer.status, answer.delay_seconds) == (status, 12)
    assert answer.body.startswith(start)
    assert (answer.body == b"") is (switch == "empty")
