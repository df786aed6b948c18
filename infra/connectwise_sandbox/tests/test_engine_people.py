"""Companies, contacts, and what persons do to them; the admin interface."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.people import NewLine
from connectwise_sandbox.switches import Switches

COMPANIES = "/company/companies"
CONTACTS = "/company/contacts"
SETTING = ("PATCH", "/switches")


def allowed(psa: PsaClient) -> PsaClient:
    """Give the API member every right."""
    psa.tenant.role.grant_everything()
    return psa


# Companies --------------------------------------------------------------------------------------


def test_a_deleted_company_still_answers_and_stays_in_lists() -> None:
    psa = allowed(PsaClient())
    company_id = psa.company()["id"]

    assert psa.send("DELETE", f"{COMPANIES}/{company_id}").status == 204

    company = psa.get(f"{COMPANIES}/{company_id}")
    assert (company["deletedFlag"], company["deletedBy"]) == (True, "AltPayBridge")
    assert company["dateDeleted"] == "2026-03-02T09:30:00Z"
    assert company_id in {row["id"] for row in psa.get(COMPANIES)}
    left = psa.get(COMPANIES, conditions="deletedFlag = false")
    assert company_id not in {row["id"] for row in left}


@pytest.mark.parametrize("touches", [True, False])
def test_a_merged_company_moves_its_last_change_only_if_the_switch_says(touches: bool) -> None:
    psa = PsaClient(merge_touches_last_updated=touches)
    losing, winning = psa.company(0), psa.company(1)
    invoice_id = psa.people.create_invoice(losing["id"], [NewLine("Work", Decimal(5))])["id"]
    before = psa.invoice(invoice_id)["_info"]["lastUpdated"]
    psa.clock.advance(3_600)

    psa.people.merge_companies(losing["id"], winning["id"])

    merged = psa.get(f"{COMPANIES}/{losing['id']}")
    assert merged["deletedFlag"] is True
    assert merged["status"]["name"] == losing["status"]["name"]
    assert (merged["_info"]["lastUpdated"] == losing["_info"]["lastUpdated"]) is not touches
    moved = psa.invoice(invoice_id)
    assert moved["company"]["id"] == winning["id"]
    assert (moved["_info"]["lastUpdated"] == before) is not touches
    contacts = psa.get(CONTACTS, conditions=f"company/id = {losing['id']}")
    assert contacts == []


def test_invoices_may_stay_with_a_merged_company() -> None:
    psa = PsaClient(merge_moves_invoices=False)
    losing, winning = psa.company(0), psa.company(1)
    invoice_id = psa.people.create_invoice(losing["id"])["id"]

    psa.people.merge_companies(losing["id"], winning["id"])

    assert psa.invoice(invoice_id)["company"]["id"] == losing["id"]


def test_a_merge_through_the_api_takes_what_was_chosen() -> None:
    psa = allowed(PsaClient())
    losing, winning = psa.company(0), psa.company(1)
    path = f"{COMPANIES}/{losing['id']}/merge"

    answer = psa.send("POST", path, {"toCompanyId": winning["id"], "phone": "From"})

    assert answer.json()["success"] is True
    assert psa.get(f"{COMPANIES}/{winning['id']}")["phoneNumber"] == losing["phoneNumber"]
    assert psa.get(f"{COMPANIES}/{winning['id']}")["name"] == winning["name"]
    assert psa.send("POST", path, {"toCompanyId": 1}).status == 400
    assert psa.send("POST", path, {}).status == 400


def test_a_company_is_created_with_a_free_identifier_only() -> None:
    psa = allowed(PsaClient())
    body = {"identifier": "NewCo", "name": "New Company"}

    created = psa.post(COMPANIES, body)

    assert created["deletedFlag"] is False
    again = psa.send("POST", COMPANIES, body)
    assert again.json()["errors"][0]["code"] == "ObjectExists"
    missing = psa.send("POST", COMPANIES, {"identifier": "x"}).json()["errors"][0]
    assert missing["code"] == "MissingRequiredField"
    long = psa.send("POST", COMPANIES, {"identifier": "x" * 31, "name": "y"}).json()["errors"][0]
    assert long["code"] == "MaxLengthField"


def test_types_and_sites_of_a_company_are_lists_of_their_own() -> None:
    psa = allowed(PsaClient())
    company = psa.company()
    path = f"{COMPANIES}/{company['id']}"
    vendor = next(row for row in psa.get(f"{COMPANIES}/types") if row["name"] == "Vendor")

    body = {"type": {"id": vendor["id"]}, "company": {"id": company["id"]}}
    association = psa.post(f"{path}/typeAssociations", body)

    assert "Vendor" in {each["name"] for each in psa.get(path)["types"]}
    assert psa.send("DELETE", f"{path}/typeAssociations/{association['id']}").status == 204
    assert "Vendor" not in {each["name"] for each in psa.get(path)["types"]}
    assert psa.get(f"{path}/sites/count") == {"count": 1}
    site = psa.post(f"{path}/sites", {"name": "Annex"})
    assert site["company"]["id"] == company["id"]
    assert psa.send("GET", f"{COMPANIES}/1/sites").status == 404


# Contacts ---------------------------------------------------------------------------------------


def test_a_contact_needs_no_more_than_a_first_name() -> None:
    psa = allowed(PsaClient())

    contact = psa.post(CONTACTS, {"firstName": "Ada"})

    assert "lastName" not in contact
    assert "company" not in contact
    error = psa.send("POST", CONTACTS, {"lastName": "L"}).json()
    assert error == {
        "code": "InvalidObject",
        "message": "contact object is invalid",
        "errors": [
            {
                "code": "MissingRequiredField",
                "message": "The firstName field is required.",
                "resource": "contact",
                "field": "firstName",
            }
        ],
    }


def test_communications_are_a_property_and_a_list() -> None:
    psa = allowed(PsaClient())
    contact = psa.post(CONTACTS, {"firstName": "Ada"})
    path = f"{CONTACTS}/{contact['id']}/communications"
    body = {
        "type": {"id": 1, "name": "Email"},
        "value": "ada@engine.example",
        "defaultFlag": True,
        "communicationType": "Email",
    }

    first = psa.post(path, body)
    second = psa.post(path, {**body, "value": "lovelace@engine.example"})

    items = psa.get(f"{CONTACTS}/{contact['id']}")["communicationItems"]
    assert [(item["value"], item["defaultFlag"]) for item in items] == [
        ("ada@engine.example", False),
        ("lovelace@engine.example", True),
    ]
    assert psa.get(f"{path}/count") == {"count": 2}
    changed = psa.replace(f"{path}/{first['id']}", value="a@engine.example").json()
    assert psa.get(f"{path}/{first['id']}") == changed
    assert psa.send("DELETE", f"{path}/{second['id']}").status == 204
    assert [row["id"] for row in psa.get(path)] == [first["id"]]
    assert psa.send("GET", f"{path}/{second['id']}").status == 404
    assert psa.send("POST", path, {"value": "x"}).status == 400


def test_a_person_gives_a_contact_another_address() -> None:
    psa = PsaClient()
    contact_id = next(iter(psa.tenant.store[Kind.CONTACT]))["id"]

    answer = psa.admin("PATCH", f"/contacts/{contact_id}", {"email": "new@customer.example"})

    assert answer.status == 200
    items = psa.get(f"{CONTACTS}/{contact_id}")["communicationItems"]
    emails = [item["value"] for item in items if item["communicationType"] == "Email"]
    assert emails == ["new@customer.example"]


# The admin interface ----------------------------------------------------------------------------


def test_a_day_in_the_office_through_the_admin_interface() -> None:
    psa = PsaClient()
    company_id = psa.admin("POST", "/companies", {"identifier": "Acme", "name": "Acme"}).json()[
        "id"
    ]
    lines = [{"description": "Firewall", "amount": "99.90"}, {"amount": 0.1}]
    new = {"company_id": company_id, "lines": lines, "due_on": "2026-04-01"}
    invoice = psa.admin("POST", "/invoices", new).json()
    path = f"/invoices/{invoice['id']}"

    assert (invoice["total"], invoice["dueDate"]) == (100, "2026-04-01T00:00:00Z")
    payment = psa.admin("POST", f"{path}/payments", {"amount": 30, "by": "mreyes"}).json()
    psa.admin("POST", f"{path}/credits", {"amount": "20.00"})
    changes = {"total": "200", "due_on": "2026-05-01", "status": "Sent via Portal"}
    changed = psa.admin("PATCH", path, changes).json()

    assert changed["balance"] == 150
    assert changed["status"]["name"] == "Sent via Portal"
    rows = psa.admin("GET", f"{path}/payments").json()
    assert [row["appliedBy"] for row in rows] == ["mreyes", "jdoe"]
    assert psa.admin("POST", f"{path}/rewrite-payments").status == 200
    assert payment["id"] not in {row["id"] for row in psa.admin("GET", f"{path}/payments").json()}
    assert psa.admin("POST", f"{path}/close").json()["status"]["isClosed"] is True
    assert psa.admin("POST", f"{path}/reopen").json()["status"]["isClosed"] is False
    psa.admin("POST", f"{path}/close")
    assert psa.admin("POST", f"{path}/batch").status == 200
    assert psa.admin("DELETE", path).status == 200
    assert psa.send("GET", f"{INVOICES}/{invoice['id']}").status == 404


def test_companies_are_edited_merged_and_deleted_through_the_admin_interface() -> None:
    psa = PsaClient()
    first, second = psa.company(0)["id"], psa.company(1)["id"]

    renamed = psa.admin("PATCH", f"/companies/{first}", {"name": "Renamed"}).json()
    assert renamed["name"] == "Renamed"
    assert psa.admin("POST", f"/companies/{first}/merge", {"into": second}).status == 200
    assert psa.admin("DELETE", f"/companies/{second}").json()["deletedFlag"] is True
    assert psa.admin("POST", f"/companies/{first}/merge", {"into": first}).status == 400


def test_the_truth_lists_what_a_mirror_must_equal_even_while_balances_lag() -> None:
    psa = PsaClient(balance_delay_seconds=60)
    invoice_id = psa.bill("100")
    payment = psa.pay(invoice_id, "12.34").json()

    truth = psa.admin("GET", "/truth").json()

    shown = next(row for row in truth["invoices"] if row["id"] == invoice_id)
    assert (shown["total"], shown["payments"], shown["balance"]) == (
        100,
        Decimal("12.34"),
        Decimal("87.66"),
    )
    assert shown["payment_rows"] == [
        {
            "id": payment["id"],
            "amount": Decimal("12.34"),
            "date": "2026-03-02T00:00:00Z",
            "applied_by": "AltPayBridge",
            "credit_memo_id": None,
        }
    ]
    assert len(truth["companies"]) == len(psa.tenant.store[Kind.COMPANY])


def test_many_invoices_are_changed_at_once() -> None:
    psa = PsaClient(invoices=20)
    psa.register()

    ids = psa.admin("POST", "/invoices/mutate", {"count": 5}).json()["ids"]
    totals = psa.admin("POST", "/invoices/mutate", {"count": 99, "what": "total"}).json()["ids"]

    assert (len(set(ids)), len(set(totals))) == (5, 20)
    assert len(psa.messages()) == 25


def test_every_switch_can_be_read_set_and_is_checked() -> None:
    psa = PsaClient()
    shown = psa.admin("GET", "/switches").json()
    assert set(shown) == set(Switches.model_fields)

    changed = psa.admin("PATCH", "/switches", {"overpayment": "refused"}).json()

    assert changed == shown | {"overpayment": "refused"}
    assert psa.admin("PATCH", "/switches", {"callback_drop_rate": 2}).status == 400
    assert psa.admin("GET", "/switches").json() == changed


def test_deliveries_and_calls_can_be_read() -> None:
    psa = PsaClient()
    psa.register()
    invoice_id = psa.bill()
    psa.deliver(204)
    psa.admin("DELETE", "/calls")
    psa.send("GET", f"{INVOICES}/{invoice_id}")
    psa.send("GET", f"{INVOICES}/1")

    deliveries = psa.admin("GET", "/deliveries").json()
    calls = psa.admin("GET", "/calls").json()

    assert [(row["record_id"], row["state"]) for row in deliveries] == [(invoice_id, "delivered")]
    assert calls["counts"] == {"GET /finance/invoices/{id}": 2}
    assert [call["status"] for call in calls["recent"]] == [200, 404]


def test_the_index_describes_each_command() -> None:
    commands = PsaClient().admin("GET", "").json()

    assert all(set(command) == {"method", "path", "does", "body"} for command in commands)
    assert all(re.fullmatch(r"[A-Z][a-z]+ .*\.", command["does"]) for command in commands)
    assert len(commands) > 30
    setting = next(each for each in commands if (each["method"], each["path"][-9:]) == SETTING)
    assert set(setting["body"]["properties"]) == set(Switches.model_fields)
    assert all(field["description"] for field in setting["body"]["properties"].values())


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/invoices", {"company_id": 1}, 404),
        ("POST", "/invoices", {}, 400),
        ("PATCH", "/invoices/1", {"total": "x"}, 400),
        ("DELETE", "/invoices/1", None, 404),
        ("DELETE", "/invoices/1/payments/1", None, 404),
        ("PATCH", "/contacts/1", {"email": "nobody"}, 400),
        ("POST", "/corrupt-rows", {"id": 1, "flavour": "bad_total"}, 404),
        ("POST", "/corrupt-rows", {"id": 1, "resource": "no/such"}, 400),
        ("POST", "/codebase", {"codebase": "/../"}, 400),
        ("PUT", "/invoices/1", None, 404),
    ],
)
def test_a_command_that_cannot_be_followed_says_so(
    method: str, path: str, body: Any, status: int
) -> None:
    answer = PsaClient().admin(method, path, body)

    assert answer.status == status
    assert json.loads(answer.body)
