"""Keys, codebase and rights let a client in, and each wrong way has its own answer."""

from __future__ import annotations

import base64
from dataclasses import asdict

import pytest

from connectwise_sandbox.in_process_client import PsaClient
from connectwise_sandbox.messages import Request

SECURITY = {
    "code": "Security",
    "message": "You do not have security permission to perform this action.",
}


def raw(psa: PsaClient, target: str, method: str = "GET") -> tuple[int, str]:
    answer = psa.engine.handle(Request.of(method, target, psa.headers))
    return answer.status, answer.body.decode()


def test_the_right_keys_open_the_api_by_either_codebase() -> None:
    psa = PsaClient()

    for codebase in ("v2025_1/", "v4_6_release/", "v2025_1//"):
        status, body = raw(psa, f"/{codebase}apis/3.0/system/info")
        assert status == 200
        assert '"version":"v2025.1' in body


def test_every_answer_carries_the_standard_headers() -> None:
    answer = PsaClient().send("GET", "/system/info")

    assert answer.headers["api-current-version"] == "2025.1"
    assert answer.headers["date"] == "Mon, 02 Mar 2026 09:30:00 GMT"
    assert answer.headers["cache-control"] == "no-cache"
    assert len(answer.headers["x-cw-request-id"]) == 36


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer x",
        "Basic !!!",
        "Basic " + base64.b64encode(b"summit1+wrong:wrong").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
    ],
)
@pytest.mark.parametrize(("switch", "part"), [(401, b"Incorrect"), (404, b"<html>")])
def test_wrong_keys_are_refused_as_the_switch_says(header: str, switch: int, part: bytes) -> None:
    psa = PsaClient(wrong_keys_status=switch)

    answer = psa.send("GET", "/system/info", headers={**psa.headers, "authorization": header})

    assert answer.status == switch
    assert part in answer.body


@pytest.mark.parametrize("part", ["company_id", "public_key", "private_key"])
def test_each_part_of_the_keys_counts(part: str) -> None:
    psa = PsaClient()
    keys = asdict(psa.tenant.identity) | {part: "other"}
    user = f"{keys['company_id']}+{keys['public_key']}:{keys['private_key']}"
    basic = f"Basic {base64.b64encode(user.encode()).decode()}"

    answer = psa.send("GET", "/system/info", headers={**psa.headers, "authorization": basic})

    assert answer.status == 401


@pytest.mark.parametrize("status", [400, 401])
def test_a_missing_client_id_is_refused_as_the_switch_says(status: int) -> None:
    psa = PsaClient(missing_client_id_status=status)
    headers = {"authorization": psa.headers["authorization"]}

    assert psa.send("GET", "/system/info", headers=headers).status == status


def test_an_unknown_client_id_passes_unless_the_switch_says_otherwise() -> None:
    psa = PsaClient()
    headers = {**psa.headers, "clientId": "11111111-2222-4333-8444-555555555555"}
    assert psa.send("GET", "/system/info", headers=headers).status == 200

    psa.switch(known_client_ids_only=True)

    assert psa.send("GET", "/system/info", headers=headers).status == 400
    assert psa.send("GET", "/system/info").status == 200


def test_discovery_needs_no_keys_and_says_cloud_in_a_text() -> None:
    psa = PsaClient()

    answer = psa.engine.handle(Request.of("GET", "/login/companyinfo/summit1", {}))

    assert answer.json() == {
        "CompanyName": "Summit Ridge IT",
        "Codebase": "v2025_1/",
        "VersionCode": "v2025.1",
        "VersionNumber": "v4.6.101357",
        "CompanyID": "summit1",
        "IsCloud": "True",
    }
    unknown = psa.engine.handle(Request.of("GET", "/login/companyinfo/SUMMIT1", {}))
    assert (unknown.status, unknown.body) == (200, b"null")


def test_on_premise_the_router_is_the_codebase() -> None:
    psa = PsaClient(hosting="on_premise")

    info = psa.engine.handle(Request.of("GET", "/login/companyinfo/summit1", {})).json()

    assert (info["Codebase"], info["IsCloud"]) == ("v4_6_release/", "False")
    assert psa.get("/system/info")["isCloud"] is False
    assert raw(psa, "/v2025_1/apis/3.0/system/info")[0] == 400


@pytest.mark.parametrize(
    "target",
    ["/v2019_1/apis/3.0/system/info", "/v2025_1/v2025_1/apis/3.0/system/info", "/x/apis/3.0/"],
)
def test_a_wrong_codebase_is_a_400_in_plain_text(target: str) -> None:
    assert raw(PsaClient(), target) == (400, "Cannot route. Codebase/company is invalid")


def test_after_an_upgrade_only_the_new_codebase_and_the_router_route() -> None:
    psa = PsaClient()
    before = "/v2025_1/apis/3.0/system/info"
    assert raw(psa, before)[0] == 200

    assert psa.admin("POST", "/codebase").json() == {"codebase": "v2025_2/"}

    assert raw(psa, before)[0] == 400
    assert raw(psa, "/v2025_2/apis/3.0/system/info")[0] == 200
    assert raw(psa, "/v4_6_release/apis/3.0/system/info")[0] == 200
    info = psa.engine.handle(Request.of("GET", "/login/companyinfo/summit1", {})).json()
    assert info["Codebase"] == "v2025_2/"


def test_a_path_outside_the_api_is_an_html_page() -> None:
    status, body = raw(PsaClient(), "/v2025_1/services/index.html")

    assert status == 404
    assert body.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("status", [404, 403])
def test_an_unknown_endpoint_is_refused_as_the_switch_says(status: int) -> None:
    psa = PsaClient(unknown_endpoint_status=status)

    answer = psa.send("GET", "/finance/invoices/1/products")

    assert answer.status == status
    assert answer.json() == {"code": "ConnectWiseApi", "message": "The endpoint does not exist."}


def test_a_method_that_an_endpoint_lacks_is_a_405() -> None:
    assert PsaClient().send("DELETE", "/system/info").status == 405


def test_paths_match_in_any_case_and_with_or_without_their_last_slash() -> None:
    psa = PsaClient()
    psa.tenant.role.grant_everything()

    for path in (
        "/finance/companyFinance/",
        "/finance/companyFinance",
        "/finance/accounting/unpostedPayments/count",
        "/finance/accounting/unpostedpayments",
    ):
        assert psa.send("GET", path).status == 200


def test_a_url_that_is_too_long_is_a_414() -> None:
    psa = PsaClient()
    conditions = f"id in ({','.join(['1234567'] * 300)})"

    answer = psa.send("GET", "/finance/invoices", conditions=conditions)

    assert (answer.status, answer.body) == (414, b"Request URI Too Long")


def test_an_allowance_is_refilled_as_time_passes() -> None:
    psa = PsaClient(requests_per_minute=60)
    statuses = [psa.send("GET", "/system/info").status for _ in range(61)]
    assert statuses == [200] * 60 + [429]

    refused = psa.send("GET", "/system/info")
    assert refused.headers["retry-after"] == "1"
    assert refused.json() == {
        "error": "ConnectWiseAPI",
        "message": "Too many requests. Please try again in 1 seconds.",
    }
    psa.clock.advance(2)

    assert [psa.send("GET", "/system/info").status for _ in range(3)] == [200, 200, 429]
    psa.clock.advance(3_600)
    statuses = [psa.send("GET", "/system/info").status for _ in range(61)]
    assert statuses == [200] * 60 + [429]


def test_each_client_id_has_an_allowance_of_its_own() -> None:
    psa = PsaClient(requests_per_minute=1)
    other = {**psa.headers, "clientId": "another"}

    assert psa.send("GET", "/system/info").status == 200
    assert psa.send("GET", "/system/info").status == 429
    assert psa.send("GET", "/system/info", headers=other).status == 200


def test_an_allowance_of_zero_is_none() -> None:
    psa = PsaClient(requests_per_minute=0)

    assert {psa.send("GET", "/system/info").status for _ in range(1_500)} == {200}


# Rights -----------------------------------------------------------------------------------------

GOVERNED = [
    # module, row, action, method, path
    ("Companies", "Company Maintenance", "inquire", "GET", "/company/companies"),
    ("Companies", "Company Maintenance", "inquire", "GET", "/company/contacts"),
    ("Finance", "Accounting Interface", "inquire", "GET", "/finance/accounting/batches"),
    ("Finance", "Accounting Interface", "inquire", "GET", "/finance/accounting/unpostedinvoices"),
    ("Finance", "Accounting Interface", "inquire", "GET", "/finance/invoices/{invoice}/payments"),
    ("Finance", "Accounting Interface", "add", "POST", "/finance/invoices/{invoice}/payments"),
    ("Finance", "Agreements", "inquire", "GET", "/finance/agreements"),
    ("Finance", "Invoicing", "inquire", "GET", "/finance/invoices"),
    ("Finance", "Invoicing", "inquire", "GET", "/finance/invoices/{invoice}/pdf"),
    ("Finance", "Invoicing", "inquire", "GET", "/finance/invoices/{invoice}/payments"),
    ("Finance", "Invoicing", "edit", "PATCH", "/finance/invoices/{invoice}"),
    ("Finance", "Invoicing", "edit", "PATCH", "/finance/closedInvoices/{invoice}"),
    ("Finance", "Invoicing", "delete", "DELETE", "/finance/invoices/{invoice}"),
    ("Procurement", "Product Catalog", "inquire", "GET", "/procurement/catalog"),
    ("Procurement", "Products", "inquire", "GET", "/procurement/products"),
    ("Service Desk", "Service Tickets", "inquire", "GET", "/service/tickets"),
    ("System", "Member Maintenance", "inquire", "GET", "/system/members"),
    ("System", "Report Writer", "inquire", "GET", "/system/reports"),
    ("System", "Table Setup", "inquire", "GET", "/finance/billingStatuses"),
    ("System", "Table Setup", "inquire", "GET", "/company/companies/statuses"),
    ("System", "Table Setup", "inquire", "GET", "/system/callbacks"),
    ("Time & Expense", "Expense Report Entry", "inquire", "GET", "/expense/entries"),
    ("Time & Expense", "Time Entry", "inquire", "GET", "/time/entries"),
]


@pytest.mark.parametrize(("module", "row", "action", "method", "path"), GOVERNED)
def test_a_right_that_is_taken_away_closes_its_paths(
    module: str, row: str, action: str, method: str, path: str
) -> None:
    psa = PsaClient()
    path = path.format(invoice=psa.bill())
    before = psa.send(method, path, {"amount": 1} if method == "POST" else [])
    assert before.status != 403

    cell = {"module": module, "row": row, "action": action, "level": "None"}
    assert psa.admin("PATCH", "/permissions", cell).status == 200
    after = psa.send(method, path, {"amount": 1} if method == "POST" else [])

    assert (after.status, after.json()) == (403, SECURITY)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/finance/invoices"),
        ("POST", "/company/companies"),
        ("PATCH", "/company/companies/1"),
        ("DELETE", "/company/companies/1"),
        ("POST", "/finance/agreements/1/invoice"),
        ("POST", "/procurement/products"),
        ("GET", "/finance/companyFinance/"),
        ("GET", "/system/securityroles"),
    ],
)
def test_what_the_integration_asks_no_partner_for_is_refused(method: str, path: str) -> None:
    answer = PsaClient().send(method, path, {})

    assert (answer.status, answer.json()) == (403, SECURITY)


def test_contacts_may_need_a_row_of_their_own() -> None:
    psa = PsaClient(contacts_have_own_right=True)
    assert psa.send("GET", "/company/contacts").status == 403

    psa.switch(contacts_have_own_right=False)

    assert psa.send("GET", "/company/contacts").status == 200


def test_invoices_of_agreements_have_a_row_of_their_own() -> None:
    psa = PsaClient(invoices=40)
    agreement_invoice = psa.get("/finance/invoices", conditions='type = "Agreement"')[0]
    path = f"/finance/invoices/{agreement_invoice['id']}"
    cell = {"module": "finance", "row": "agreement invoicing", "action": "inquire"}
    psa.admin("PATCH", "/permissions", {**cell, "level": "None"})

    assert psa.send("GET", path).status == 403
    types = {row["type"] for row in psa.get("/finance/invoices", pageSize=1000)}
    assert "Agreement" not in types
    assert types


def test_a_member_of_a_part_of_the_organisation_is_not_told_what_it_misses() -> None:
    psa = PsaClient(invoices=40)
    everything = psa.get("/finance/invoices", pageSize=1000)
    nowhere = 0
    hidden = next(row for row in everything if row["locationId"] not in (nowhere, 1))

    psa.switch(visible_location_ids=[1])

    seen = psa.get("/finance/invoices", pageSize=1000)
    assert {row["locationId"] for row in seen} - {nowhere} == {1}
    assert psa.get("/finance/invoices/count")["count"] == len(seen) < len(everything)
    assert psa.send("GET", f"/finance/invoices/{hidden['id']}").status == 404
    assert psa.send("GET", f"/finance/invoices/{hidden['id']}/payments").status == 404


def test_the_cost_of_members_needs_the_finance_row() -> None:
    psa = PsaClient()
    assert "hourlyCost" in psa.get("/system/members")[0]

    cell = {"module": "System", "row": "Member Maintenance - Finance", "action": "inquire"}
    psa.admin("PATCH", "/permissions", {**cell, "level": "None"})

    assert "hourlyCost" not in psa.get("/system/members")[0]


def test_the_matrix_is_shown_and_unknown_cells_are_refused() -> None:
    psa = PsaClient()

    matrix = psa.admin("GET", "/permissions").json()

    invoicing = next(row for row in matrix if row["row"] == "Invoicing")
    assert invoicing == {
        "module": "Finance",
        "row": "Invoicing",
        "add": "None",
        "edit": "All",
        "delete": "All",
        "inquire": "All",
    }
    cell = {"module": "Finance", "row": "Magic", "action": "add", "level": "All"}
    assert psa.admin("PATCH", "/permissions", cell).status == 400
