"""The partner's page does each main job in a real browser, over the deployed local system."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Route

from infra.local.demo.scene import Scene
from tests.e2e.browser import Chromium, Person, storage
from tests.e2e.conftest import PAGE_PARTNER
from tests.e2e.payments import owed_invoices, pay_too_much

TOKEN = "eyJ"  # how a signed token begins
# A clock that can be put forward, while timers and animations go on as they are.
CLOCK = """
    window.secondsAhead = 0;
    const now = Date.now;
    Date.now = () => now() + window.secondsAhead * 1000;
"""


class Renewal:
    """Renews tokens as Cognito does, and sends all else on.

    A renewed ID token tells when the user signed in, as before; the embedded Cognito puts the time
    of the renewal there, and the page rightly takes that for another sign-in.
    """

    def __init__(self) -> None:
        self._issued: dict[str, Any] = {}

    def __call__(self, route: Route) -> None:
        if "grant_type=refresh_token" in (route.request.post_data or ""):
            route.fulfill(json=self._issued, headers={"access-control-allow-origin": "*"})
        else:
            answer = route.fetch()
            self._issued = answer.json()
            route.fulfill(response=answer)


@pytest.fixture
def accountant(chromium: Chromium, page_scene: Scene) -> Iterator[Person]:
    """A user of the partner whose books are imported."""
    with chromium.person(PAGE_PARTNER) as person:
        yield person
        assert not person.broken


def test_signing_in_leads_to_the_address_that_was_wanted(accountant: Person) -> None:
    accountant.open("/invoices?state=paid")

    assert accountant.path == "/invoices?state=paid"
    assert {row[2] for row in accountant.rows()} == {"Paid"}


def test_a_reload_comes_back_to_the_same_invoice(accountant: Person) -> None:
    accountant.open("/invoices")
    accountant.page.locator("table tbody a").first.click()
    accountant.page.get_by_text("Line items").wait_for()
    before = accountant.path

    accountant.page.reload()
    accountant.sign_in()

    accountant.page.get_by_text("Line items").wait_for()
    assert accountant.path == before


def test_signing_out_ends_the_session_at_the_hosted_page_too(accountant: Person) -> None:
    accountant.open("/")
    accountant.page.get_by_role("button", name=accountant.user.email).click()
    accountant.page.get_by_role("menuitem", name="Sign out").click()
    accountant.page.get_by_text("You are signed out.").wait_for()

    ended = [url for url in accountant.requested if "/logout?" in url]
    assert len(ended) == 1
    assert accountant.system.outputs.service["PageClientId"] in ended[0]
    accountant.page.get_by_role("link", name="Sign in again").click()
    accountant.page.locator("#username").wait_for()


def test_a_token_that_ends_is_renewed_without_signing_in_again(accountant: Person) -> None:
    accountant.page.add_init_script(CLOCK)
    accountant.page.route("**/oauth2/token", Renewal())
    accountant.open("/connections")
    accountant.heading("Connections").wait_for()
    asked = len([url for url in accountant.requested if url.endswith("/oauth2/token")])

    accountant.page.evaluate("window.secondsAhead = 2 * 3600")
    accountant.follow("Invoices")

    accountant.rows()
    renewed = [url for url in accountant.requested if url.endswith("/oauth2/token")]
    assert len(renewed) == asked + 1
    assert accountant.path == "/invoices"


def test_tokens_stay_in_memory(accountant: Person) -> None:
    accountant.open("/connections")
    accountant.heading("Connections").wait_for()

    assert TOKEN not in storage(accountant.page)
    assert not [url for url in accountant.requested if TOKEN in url]


def test_the_list_shows_the_invoices_of_the_api_in_its_order(
    accountant: Person, page_scene: Scene
) -> None:
    accountant.open("/invoices")

    shown = [row[0] for row in accountant.rows()]

    listed = page_scene.bridge.get("/v1/invoices")["items"]
    assert shown == [invoice["number"] for invoice in listed]


def test_filters_and_pages_stand_in_the_address(accountant: Person, page_scene: Scene) -> None:
    first, second = _two_pages(page_scene)
    accountant.open("/invoices")
    accountant.rows()

    accountant.page.get_by_role("button", name="Next page").click()
    accountant.page.get_by_role("link", name=second["number"], exact=True).wait_for()
    assert accountant.path == "/invoices?page=2"

    accountant.page.get_by_role("searchbox", name="Invoice").fill(first["number"])
    accountant.page.get_by_role("searchbox", name="Invoice").press("Enter")
    accountant.page.wait_for_url(f"**/invoices?number={first['number']}")
    accountant.page.get_by_role("link", name=second["number"], exact=True).wait_for(state="hidden")
    assert {row[0] for row in accountant.rows()} == {first["number"]}


def test_an_invoice_is_found_by_its_amount(accountant: Person, page_scene: Scene) -> None:
    wanted = owed_invoices(page_scene)[0]
    total = wanted["total"]
    accountant.open(f"/invoices?amount={total['display']}+{total['currency']}")
    assert wanted["number"] in {row[0] for row in accountant.rows()}

    accountant.page.get_by_role("searchbox", name="Amount").fill("many")
    accountant.page.get_by_role("searchbox", name="Amount").press("Enter")
    accountant.notice("Type an amount such as 25.00, or 1200 JPY.")


def test_the_overview_shows_what_the_api_sums_up(accountant: Person, page_scene: Scene) -> None:
    accountant.open("/")
    accountant.page.wait_for_url("**/overview")
    accountant.page.get_by_text("Customers owe:").first.wait_for()

    overview = page_scene.bridge.get("/v1/overview")
    text = accountant.page.get_by_role("main").inner_text()
    for each in overview["outstanding"]:
        for amount in (each["owed"], each["overdue"], *(age["amount"] for age in each["ages"])):
            assert f"{_grouped(amount['display'])} {amount['currency']}" in text


def test_a_collected_payment_leads_to_its_way_into_connectwise(
    accountant: Person, page_scene: Scene
) -> None:
    pay_too_much(page_scene, "collected-1")
    accountant.open("/payments?view=collected&state=pending")
    accountant.page.get_by_text("Collected money that is on no invoice").first.wait_for()
    accountant.page.get_by_role("link", name="collected-1", exact=True).click()

    accountant.page.wait_for_url("**/payments/collected-1")
    accountant.heading("Payment collected-1").wait_for()
    payment = page_scene.bridge.get("/v1/platform-payments/collected-1")
    accountant.notice(f"{payment['unapplied']['display']} {payment['unapplied']['currency']}")
    allocated = payment["allocations"][0]
    accountant.page.get_by_role("link", name=allocated["invoice_number"], exact=True).wait_for()


def test_a_sign_in_that_ends_comes_back_to_the_same_place(accountant: Person) -> None:
    accountant.open("/invoices?state=paid")
    accountant.rows()
    accountant.page.route("**/v1/customers**", _refuse_sign_in)

    accountant.page.get_by_role("navigation").get_by_role("link", name="Customers").first.click()
    accountant.page.locator("#username").wait_for()
    accountant.page.unroute("**/v1/customers**")
    accountant.sign_in()

    accountant.heading("Customers").wait_for()
    assert accountant.path == "/customers"
    assert accountant.rows()


def test_an_invoice_that_is_not_here_is_explained(accountant: Person) -> None:
    accountant.open("/invoices?number=NO-SUCH-1")
    accountant.page.get_by_role("button", name="Ask ConnectWise for NO-SUCH-1").click()
    accountant.notice("ConnectWise shows our API member no invoice of exactly this number.")


def test_one_invoice_shows_its_amounts_lines_and_customer(
    accountant: Person, page_scene: Scene
) -> None:
    wanted = page_scene.bridge.get("/v1/invoices")["items"][0]
    invoice = page_scene.bridge.get(f"/v1/invoices/{wanted['id']}")
    customer = page_scene.bridge.get(f"/v1/customers/{invoice['customer_id']}")

    accountant.open(f"/invoices/{invoice['id']}")
    accountant.page.get_by_text("Line items").wait_for()
    accountant.page.get_by_role("link", name=customer["name"]).wait_for()

    text = accountant.page.get_by_role("main").inner_text()
    for amount in (invoice["total"], invoice["balance"]):
        assert f"{_grouped(amount['display'])} {amount['currency']}" in text
    for line in invoice["line_items"]:
        assert line["description"] in text


def test_an_invoice_tells_why_it_stands_so_and_is_fetched_again(
    accountant: Person, page_scene: Scene
) -> None:
    invoice = owed_invoices(page_scene)[0]
    standing = page_scene.bridge.get(f"/v1/invoices/{invoice['id']}/standing")
    accountant.open(f"/invoices/{invoice['id']}")
    accountant.notice(standing["sentence"])

    accountant.page.get_by_role("button", name="Fetch this invoice again").click()
    accountant.notice("ConnectWise is asked for the invoice")


def test_a_month_is_not_closed_while_a_problem_is_open(
    accountant: Person, page_scene: Scene
) -> None:
    pay_too_much(page_scene, "of-this-month")
    accountant.open(f"/month-end?first_day={_today()}&last_day={_today()}")
    accountant.notice("not closed yet")
    assert accountant.page.get_by_role("button", name="Print").count() == 0

    month = page_scene.bridge.get(
        page_scene.connection_path(f"/month-end?first_day={_today()}&last_day={_today()}")
    )
    collected = month["sums"][0]["collected"]
    assert f"{_grouped(collected['display'])} {collected['currency']}" in (
        accountant.page.get_by_role("main").inner_text()
    )


def test_the_pdf_of_an_invoice_is_downloaded(accountant: Person, page_scene: Scene) -> None:
    invoice = page_scene.bridge.get("/v1/invoices")["items"][0]
    accountant.open(f"/invoices/{invoice['id']}")

    with accountant.page.expect_download() as started:
        accountant.page.get_by_role("button", name="Open the PDF").click()

    assert started.value.path().read_bytes().startswith(b"%PDF")


def test_a_customer_leads_to_its_invoices(accountant: Person, page_scene: Scene) -> None:
    owing = page_scene.bridge.get("/v1/invoices")["items"][0]["customer_id"]
    accountant.open(f"/customers/{owing}")

    accountant.page.get_by_role("main").get_by_role("link", name="Invoices").click()

    accountant.page.wait_for_url(f"**/invoices?customer={owing}")
    assert len(accountant.rows()) == len(
        page_scene.bridge.get(f"/v1/invoices?customer_id={owing}")["items"]
    )


def test_a_problem_is_closed_by_its_button(accountant: Person, page_scene: Scene) -> None:
    pay_too_much(page_scene, "too-much")
    accountant.open("/problems")
    title = "A part of a payment is allocated to no invoice"
    accountant.page.get_by_role("link", name=title).first.click()
    accountant.heading(title).wait_for()

    accountant.page.get_by_role("radio", name="Close").check()
    accountant.page.get_by_role("button", name="Do it").click()

    accountant.notice("Done. The problem shows what came of it.")
    accountant.page.get_by_text("Resolved").first.wait_for()


def test_a_fetch_is_started_once_and_then_counts_down(accountant: Person) -> None:
    accountant.open("/preferences")
    button = accountant.page.get_by_role("button", name="Fetch Unpaid Invoices")
    button.click()
    accountant.notice("Started. It is under Runs, with its progress.")
    accountant.notice("Can be started again in")
    assert re.search(r"1[12]:\d\d:\d\d", accountant.page.get_by_role("main").inner_text())

    accountant.page.reload()
    accountant.sign_in()
    accountant.notice("Can be started again in")
    assert button.is_disabled()

    accountant.follow("Runs")
    assert "Fetch Unpaid Invoices" in {row[0] for row in accountant.rows()}


def test_preferences_are_saved(accountant: Person, page_scene: Scene) -> None:
    before = page_scene.bridge.get(f"/v1/connections/{page_scene.connection_id}")["write_back"]
    accountant.open("/preferences")
    for choice, saved in (
        ("When it is started", "initiated"),
        ("When the money has arrived", "settled"),
    ):
        accountant.page.get_by_role("radio", name=choice).check()
        with accountant.page.expect_response(lambda answer: answer.request.method == "PATCH"):
            accountant.page.get_by_role("button", name="Save").click()
        accountant.notice("The preferences are saved.")
        now = page_scene.bridge.get(f"/v1/connections/{page_scene.connection_id}")["write_back"]
        assert now == before | {"when": saved}


def test_filters_are_previewed_before_they_are_saved(accountant: Person, page_scene: Scene) -> None:
    accountant.open(f"/connections/{page_scene.connection_id}/filters")
    accountant.page.get_by_role("textbox", name="Invoices from").fill(_today())
    accountant.page.get_by_role("button", name="Preview").click()

    accountant.notice("What these filters would change")
    assert "would leave" in accountant.page.get_by_role("main").inner_text()
    kept = page_scene.bridge.get(f"/v1/connections/{page_scene.connection_id}")["filters"]
    assert kept["invoices"]["date_from"] is None


def test_another_partners_invoice_is_told_in_a_sentence(
    chromium: Chromium, page_scene: Scene
) -> None:
    invoice = page_scene.bridge.get("/v1/invoices")["items"][0]
    with chromium.person("partner-stranger") as stranger:
        stranger.open(f"/invoices/{invoice['id']}")
        stranger.page.get_by_role("button", name="Try again").wait_for()
        assert invoice["number"] not in stranger.page.get_by_role("main").inner_text()


def _refuse_sign_in(route: Route) -> None:
    """Answer as the gateway does when a token has ended."""
    route.fulfill(status=401, json={"message": "Unauthorized"})


def _two_pages(scene: Scene) -> tuple[dict[str, str], dict[str, str]]:
    """The first invoice of each of the first two pages."""
    first = scene.bridge.get("/v1/invoices")
    second = scene.bridge.get(f"/v1/invoices?cursor={first['next_cursor']}")
    return first["items"][0], second["items"][0]


def _grouped(display: str) -> str:
    """Thousands with commas, as the page writes them."""
    whole, _, part = display.partition(".")
    return f"{int(whole):,}{'.' if part else ''}{part}"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
