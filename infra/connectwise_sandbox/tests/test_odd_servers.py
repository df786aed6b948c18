"""Servers whose clock is off, that lack a path, refuse a change, or show a part of their books."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.in_process_client import INVOICES, START, PsaClient
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.switches import Switches

COMPANIES = "/company/companies"


# The clock --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "date", "stamp"),
    [
        (0, "Mon, 02 Mar 2026 09:30:00 GMT", "2026-03-02T09:30:00Z"),
        (25, "Mon, 02 Mar 2026 09:55:00 GMT", "2026-03-02T09:55:00Z"),
        (-600, "Sun, 01 Mar 2026 23:30:00 GMT", "2026-03-01T23:30:00Z"),
    ],
)
def test_the_servers_clock_may_be_off_either_way(minutes: int, date: str, stamp: str) -> None:
    psa = PsaClient(server_clock_minutes_off=minutes)
    invoice_id = psa.bill()

    answer = psa.send("GET", f"{INVOICES}/{invoice_id}")

    assert answer.headers["date"] == date
    assert answer.json()["_info"]["lastUpdated"] == stamp
    assert psa.pay(invoice_id, 5).json()["paymentDate"] == f"{stamp[:10]}T00:00:00Z"


def test_what_waits_falls_due_by_the_true_clock() -> None:
    psa = PsaClient()
    psa.register()
    psa.switch(callback_delay_seconds=60)
    psa.bill()

    psa.switch(server_clock_minutes_off=10)

    assert psa.engine.take_due_deliveries() == []
    assert psa.engine.next_due() == START + timedelta(seconds=60)


@pytest.mark.parametrize(
    "text",
    ["Thu, 31 Dec 2099 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -1400", "yesterday", ""],
)
def test_one_answer_may_have_any_date(text: str) -> None:
    psa = PsaClient()
    fault = {"effect": "other_date", "path_regex": "/info$", "date": text}
    assert psa.admin("POST", "/faults", fault).status == 200

    answers = [psa.send("GET", "/system/info") for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.headers["date"] for answer in answers] == [text, "Mon, 02 Mar 2026 09:30:00 GMT"]


def test_a_date_on_two_lines_is_refused() -> None:
    fault = {"effect": "other_date", "date": "Mon\r\nx: y"}
    assert PsaClient().admin("POST", "/faults", fault).status == 400


# Paths and changes ------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "status"), [("served", 200), ("missing", 404)])
def test_the_information_about_an_invoice_is_served_or_missing(rule: str, status: int) -> None:
    psa = PsaClient(invoice_information=rule)
    invoice_id = psa.bill()

    answer = psa.send("GET", f"/finance/info/invoice/{invoice_id}")

    assert answer.status == status
    if rule == "missing":
        assert answer.json()["message"] == "The endpoint does not exist."
    assert psa.send("GET", f"{INVOICES}/{invoice_id}").status == 200


@pytest.mark.parametrize(
    ("rule", "status", "amount", "balance"),
    [("accepted", 200, 40, 60), ("refused", 400, 30, 70), ("ignored", 200, 30, 70)],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_another_amount_of_a_payment_is_treated_as_the_switch_says(
    method: str, rule: str, status: int, amount: int, balance: int
) -> None:
    psa = PsaClient(payment_amount_changes=rule)
    invoice_id = psa.bill()
    paid = psa.pay(invoice_id, 30).json()
    path = f"{INVOICES}/{invoice_id}/payments/{paid['id']}"

    if method == "PATCH":
        answer = psa.replace(path, amount=40)
    else:
        answer = psa.send("PUT", path, {"amount": 40, "paymentDate": paid["paymentDate"]})

    assert answer.status == status
    if status == 200:
        assert answer.json()["amount"] == amount
    assert [row["amount"] for row in payments_of(psa.tenant, invoice_id)] == [amount]
    assert psa.invoice(invoice_id)["balance"] == balance


@pytest.mark.parametrize("rule", ["accepted", "refused", "ignored"])
def test_the_day_of_a_payment_changes_under_every_rule(rule: str) -> None:
    psa = PsaClient(payment_amount_changes=rule)
    invoice_id = psa.bill()
    paid = psa.pay(invoice_id, 30).json()

    day = "2026-02-20T00:00:00Z"
    answer = psa.replace(f"{INVOICES}/{invoice_id}/payments/{paid['id']}", paymentDate=day)

    assert (answer.status, answer.json()["paymentDate"]) == (200, day)


# A part of the books ----------------------------------------------------------------------------


def api_member(psa: PsaClient) -> Any:
    identifier = psa.tenant.identity.member_identifier
    (member,) = psa.get("/system/members", conditions=f'identifier = "{identifier}"')
    return member


def test_a_member_of_the_whole_organisation_is_recorded_so() -> None:
    member = api_member(PsaClient())

    assert member["structureLevel"] == {"id": 1, "name": "Corporate"}
    assert (member["restrictLocationFlag"], member["restrictDepartmentFlag"]) == (False, False)


def test_a_member_of_a_location_is_recorded_with_it() -> None:
    psa = PsaClient(visible_location_ids=[2])

    member = api_member(psa)

    assert member["restrictLocationFlag"] is True
    assert member["restrictDepartmentFlag"] is False
    assert member["structureLevel"] == {"id": 2, "name": "Location"}
    assert member["securityLocation"]["id"] == 2
    others = [row for row in psa.get("/system/members") if row["id"] != member["id"]]
    assert {row["restrictLocationFlag"] for row in others} == {False}


def test_a_member_of_a_department_is_recorded_with_it() -> None:
    member = api_member(PsaClient(visible_department_ids=[1]))

    assert member["restrictLocationFlag"] is False
    assert member["restrictDepartmentFlag"] is True
    assert member["structureLevel"]["name"] == "Department"
    assert member["defaultDepartment"]["id"] == 1


@pytest.mark.parametrize("status", [404, 403])
@pytest.mark.parametrize(
    ("switch", "field"),
    [("visible_location_ids", "locationId"), ("visible_department_ids", "departmentId")],
)
def test_what_a_member_may_not_see_is_in_no_list_and_refused_singly(
    switch: str, field: str, status: int
) -> None:
    psa = PsaClient(invoices=60, hidden_record_status=status)
    everything = psa.get(INVOICES, pageSize=1_000)
    hidden = next(row for row in everything if row.get(field) not in (None, 0, 1))

    psa.switch(**{switch: [1]})

    seen = psa.get(INVOICES, pageSize=1_000)
    assert {row.get(field) for row in seen} <= {None, 0, 1}
    assert psa.get(f"{INVOICES}/count") == {"count": len(seen)}
    assert 0 < len(seen) < len(everything)
    path = f"{INVOICES}/{hidden['id']}"
    for below in ("", "/payments", "/pdf"):
        answer = psa.send("GET", f"{path}{below}")
        assert answer.status == status
        assert answer.json()["code"] == ("NotFound" if status == 404 else "Security")
    psa.switch(**{switch: None})
    assert psa.send("GET", path).status == 200


def test_a_record_that_is_missing_is_a_404_for_every_member() -> None:
    psa = PsaClient(visible_location_ids=[1], hidden_record_status=403)
    assert psa.send("GET", f"{INVOICES}/1").status == 404


# Setting them -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("server_clock_minutes_off", -7.5, "late"),
        ("invoice_information", "missing", "no"),
        ("payment_amount_changes", "ignored", "no"),
        ("visible_department_ids", [1, 2], 1),
        ("hidden_record_status", 403, 401),
        ("merged_company", "gone", "no"),
        ("callback_key_ids", "per_delivery", "two"),
        ("page_row_limit", 100, 0),
        ("page_surplus_rows", 3, -1),
        ("link_header", False, "maybe"),
        ("forward_only_order", "falling", "up"),
        ("heavy_page_rows", 50, 1_001),
        ("heavy_page_answer", "nothing", "html_500"),
    ],
)
def test_each_of_these_switches_is_set_at_the_start_and_while_the_sandbox_runs(
    name: str, value: object, wrong: object
) -> None:
    psa = PsaClient()
    before = psa.admin("GET", "/switches").json()[name]

    assert psa.admin("PATCH", "/switches", {name: value}).json()[name] == value
    assert psa.admin("PATCH", "/switches", {name: wrong}).status == 400
    assert psa.admin("GET", "/switches").json()[name] == value != before
    assert getattr(Switches.model_validate({name: value}), name) == value


# Companies that go ------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "status"), [("flagged", 200), ("gone", 404)])
@pytest.mark.parametrize("moves", [True, False])
def test_a_merged_company_keeps_a_flag_or_is_gone(rule: str, status: int, moves: bool) -> None:
    psa = PsaClient(merged_company=rule, merge_moves_invoices=moves)
    losing, winning = psa.company(0), psa.company(1)
    invoice_id = psa.people.create_invoice(losing["id"])["id"]

    psa.people.merge_companies(losing["id"], winning["id"])

    answer = psa.send("GET", f"{COMPANIES}/{losing['id']}")
    assert answer.status == status
    if rule == "flagged":
        assert answer.json()["deletedFlag"] is True
    listed = {row["id"] for row in psa.get(COMPANIES, pageSize=1_000)}
    assert (losing["id"] in listed) is (rule == "flagged")
    payer = winning if moves else losing
    assert psa.invoice(invoice_id)["company"]["id"] == payer["id"]


def test_a_purged_company_leaves_its_invoices_without_a_payer() -> None:
    psa = PsaClient()
    company_id = psa.company()["id"]
    invoice_id = psa.bill()

    assert psa.admin("POST", f"/companies/{company_id}/purge").status == 200

    assert psa.send("GET", f"{COMPANIES}/{company_id}").status == 404
    invoice = psa.invoice(invoice_id)
    assert invoice["company"]["id"] == invoice["billToCompany"]["id"] == company_id
    assert psa.admin("POST", f"/companies/{company_id}/purge").status == 404


# What moves without a trace ---------------------------------------------------------------------


def test_a_billing_status_is_renamed_and_starts_to_close_without_a_trace() -> None:
    psa = PsaClient()
    psa.register()
    invoice_id = psa.bill()
    other_id = psa.bill()
    psa.people.close_invoice(other_id)
    psa.messages()
    before, other = psa.invoice(invoice_id), psa.invoice(other_id)
    psa.clock.advance(3_600)

    path = f"/billing-statuses/{before['status']['id']}"
    assert psa.admin("PATCH", path, {"name": "Ready to mail", "closes": True}).status == 200

    after = psa.invoice(invoice_id)
    assert (after["status"]["name"], after["status"]["isClosed"]) == ("Ready to mail", True)
    assert after | {"status": before["status"]} == before
    assert psa.invoice(other_id) == other
    assert psa.messages() == []
    named = psa.get("/finance/billingStatuses", conditions='name = "Ready to mail"')
    assert [status["closedFlag"] for status in named] == [True]
    assert psa.admin("PATCH", path, {"closes": False}).status == 200
    assert psa.invoice(invoice_id)["status"]["isClosed"] is False
    assert psa.admin("PATCH", "/billing-statuses/999", {"name": "x"}).status == 404


@pytest.mark.parametrize("silent", [True, False])
def test_any_property_of_a_record_is_changed_with_a_trace_or_without(silent: bool) -> None:
    psa = PsaClient()
    psa.register()
    invoice_id, payer = psa.bill(), psa.company(1)
    psa.messages()
    before = psa.invoice(invoice_id)
    psa.clock.advance(3_600)

    command = {
        "id": invoice_id,
        "changes": {"billToCompany": {"id": payer["id"]}, "invoiceNumber": "X-1", "dueDate": None},
        "silent": silent,
    }
    assert psa.admin("PATCH", "/records", command).status == 200

    after = psa.invoice(invoice_id)
    assert after["billToCompany"]["name"] == payer["name"]
    assert after["invoiceNumber"] == "X-1"
    assert "dueDate" not in after
    assert (after["_info"]["lastUpdated"] == before["_info"]["lastUpdated"]) is silent
    assert (psa.messages() == []) is silent


def test_records_of_other_kinds_are_changed_as_well() -> None:
    psa = PsaClient()
    company = psa.company()
    command = {
        "resource": "company/companies",
        "id": company["id"],
        "changes": {"name": "Renamed"},
        "silent": True,
    }

    assert psa.admin("PATCH", "/records", command).status == 200

    assert psa.get(f"{COMPANIES}/{company['id']}")["name"] == "Renamed"
    assert psa.tenant.get(Kind.COMPANY, company["id"])["_info"] == company["_info"]


def test_an_amount_that_is_changed_takes_the_balance_along() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()

    psa.admin("PATCH", "/records", {"id": invoice_id, "changes": {"total": 70.25}})

    shown = psa.invoice(invoice_id)
    assert (str(shown["total"]), str(shown["balance"])) == ("70.25", "70.25")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ({"id": 1, "changes": {}}, 404),
        ({"resource": "no/such", "id": 1, "changes": {}}, 400),
        ({"changes": {}}, 400),
        ({"id": "{invoice}", "changes": {"colour": "red"}}, 400),
        ({"id": "{invoice}", "changes": {"billToCompany": {"id": 1}}}, 400),
        ({"id": "{invoice}", "changes": {"total": "many"}}, 400),
        ({"id": "{invoice}", "changes": {"company": None}}, 400),
        ({"id": "{invoice}", "changes": {"total": None}}, 400),
        ({"id": "{invoice}", "changes": {"total": 1e300}}, 400),
        ({"id": "{invoice}", "changes": {"id": 5}}, 400),
        ({"id": "{invoice}", "changes": {"_info": {}}}, 400),
        ({"id": "{invoice}", "changes": {"date": None}}, 400),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(command: dict[str, Any], status: int) -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    if command.get("id") == "{invoice}":
        command = command | {"id": invoice_id}

    assert psa.admin("PATCH", "/records", command).status == status
    assert psa.send("GET", INVOICES).status == 200


@pytest.mark.parametrize("amount", ["1e300", "-1e300", "NaN", "Infinity"])
@pytest.mark.parametrize("command", ["lines", "payments", "credits"])
def test_an_amount_beyond_all_measure_is_refused(command: str, amount: str) -> None:
    psa = PsaClient()
    body = {"amount": amount, **({"count": 1} if command == "lines" else {})}

    assert psa.admin("POST", f"/invoices/{psa.bill()}/{command}", body).status == 400


def test_a_client_that_pays_beyond_all_measure_is_told_that_this_is_no_amount() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()

    answer = psa.pay(invoice_id, "1e300")

    assert (answer.status, answer.json()["code"]) == (500, "ConnectWiseApi")
    assert psa.payments(invoice_id) == []
