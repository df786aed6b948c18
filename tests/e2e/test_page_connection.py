"""An admin looks after one connection at the page: keys, secret, payments, archivings, problems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from connectwise_sandbox.server import RunningSandbox, running_sandbox
from infra.local.demo.clients import Json
from infra.local.demo.scene import Scene
from infra.local.system import LocalSystem
from tests.e2e.browser import Chromium, Person
from tests.e2e.conftest import imported_scene

PARTNER = "partner-admin"
NAME = "Harbor Networks"
UNREADABLE = "/v1/problems?code=record_malformed"
READ_PRODUCTS = {"module": "Procurement", "row": "Products", "action": "inquire"}


@dataclass(frozen=True)
class Company:
    """A ConnectWise company with its books, and the partner's connection to it."""

    books: RunningSandbox
    scene: Scene

    @property
    def path(self) -> str:
        return f"/connections/{self.scene.connection_id}"

    def now(self) -> Json:
        return self.scene.bridge.get(self.scene.connection_path())


@pytest.fixture(scope="module")
def company(system: LocalSystem) -> Iterator[Company]:
    with running_sandbox(seed=31, customers=5, invoices=20) as books:
        scene = imported_scene(system, PARTNER, books, NAME)
        yield Company(books, scene)
        scene.close()


@pytest.fixture
def admin(chromium: Chromium, company: Company) -> Iterator[Person]:
    with chromium.person(PARTNER) as person:
        yield person
        assert not person.broken


def test_new_keys_are_proven_and_a_refused_form_keeps_what_was_typed(
    admin: Person, company: Company
) -> None:
    keys = company.books.announcement
    admin.open("/preferences")
    admin.page.get_by_label("Public Key", exact=True).fill(keys.public_key)
    admin.page.get_by_label("Private Key", exact=True).fill("wrong")
    admin.page.get_by_role("button", name="Change the keys").click()
    admin.notice("ConnectWise does not accept this company id with these keys.")
    assert admin.page.get_by_label("Private Key", exact=True).input_value() == "wrong"

    admin.page.get_by_label("Private Key", exact=True).fill(keys.private_key)
    admin.page.get_by_label("Private Key", exact=True).press("Enter")
    admin.notice("ConnectWise accepts the new keys")
    assert admin.page.get_by_label("Private Key", exact=True).input_value() == ""


def test_the_callback_secret_is_changed_after_a_question(admin: Person, company: Company) -> None:
    admin.open("/preferences")
    admin.page.get_by_role("button", name="Change the secret").click()
    asked = admin.page.get_by_role("dialog")
    asked.get_by_text(NAME).wait_for()
    admin.page.keyboard.press("Escape")
    asked.wait_for(state="hidden")
    assert not [url for url in admin.requested if "rotate-callback-secret" in url]

    admin.confirm("Change the secret")
    admin.notice("The callback secret is changed.")


def test_payments_are_stopped_and_allowed_again(admin: Person, company: Company) -> None:
    admin.open(company.path)
    admin.confirm("Stop payments")
    admin.notice("Payments to ConnectWise are stopped.")
    admin.notice("A person stopped them.")
    assert company.now()["payments_stopped"] == ["by_person"]

    admin.confirm("Allow payments")
    admin.notice("Payments are written to ConnectWise again.")
    assert company.now()["payments_stopped"] == []


def test_checking_the_rights_shows_which_one_is_missing(admin: Person, company: Company) -> None:
    admin.open(company.path)
    company.scene.person.do("PATCH", "/permissions", **READ_PRODUCTS, level="None")
    try:
        admin.page.get_by_role("button", name="Check rights again").click()
        admin.notice("All: missing")
    finally:
        company.scene.person.do("DELETE", "/permissions")

    admin.page.get_by_role("button", name="Check rights again").click()
    admin.page.get_by_text("All: missing").wait_for(state="hidden")
    admin.notice("All: granted")


def test_what_filters_archived_is_brought_back(admin: Person, company: Company) -> None:
    filters = company.now()["filters"]
    narrow = {**filters, "invoices": {**filters["invoices"], "date_from": _today()}}
    _save_filters(company, narrow)
    try:
        admin.open(f"{company.path}/filters")
        admin.confirm("Archive what left")
        admin.notice("Archived: 0 Customers, ")
        left = _archived(company)
        assert left > 0

        admin.confirm("Bring back")
        admin.notice("Brought back: 0 Customers, ")
        assert _archived(company) == 0
        assert admin.page.get_by_role("button", name="Bring back").count() == 0
    finally:
        _save_filters(company, filters)


def test_several_problems_are_tried_again_at_once(admin: Person, company: Company) -> None:
    bridge, connectwise = company.scene.bridge, company.scene.person
    for invoice in bridge.get("/v1/invoices")["items"][:2]:
        nonsense = {"id": invoice["source_id"], "flavour": "bad_total"}
        connectwise.do("POST", "/corrupt-rows", **nonsense)
        bridge.call("POST", f"/v1/invoices/{invoice['id']}/fetch", expect=202)
    bridge.wait_for(UNREADABLE, lambda page: len(page["items"]) == 2)

    admin.open("/problems?code=record_malformed")
    assert len(admin.rows()) == 2
    connectwise.do("DELETE", "/corrupt-rows")
    for choice in admin.page.get_by_role("checkbox", name="cannot be read").all():
        choice.check()
    admin.confirm("Try the chosen ones again")

    admin.notice("Tried again: 2.")
    bridge.wait_for(UNREADABLE, lambda page: page["items"] == [])


def test_a_company_is_disconnected_after_a_question_with_its_name(
    chromium: Chromium, system: LocalSystem
) -> None:
    with (
        running_sandbox(seed=37, customers=2, invoices=4) as books,
        chromium.person("partner-leaving") as person,
    ):
        scene = imported_scene(system, "partner-leaving", books, "Gone Soon")
        person.open(f"/connections/{scene.connection_id}")
        person.page.get_by_role("button", name="Disconnect").click()
        person.page.get_by_role("dialog").get_by_text("Gone Soon").wait_for()
        person.page.keyboard.press("Escape")
        assert scene.bridge.get(scene.connection_path())["state"] == "active"

        person.confirm("Disconnect")
        person.notice("The company is disconnected.")
        assert scene.bridge.get(scene.connection_path())["state"] == "disconnected"
        scene.close()


def _save_filters(company: Company, filters: Json) -> None:
    scene = company.scene
    scene.bridge.call("PUT", scene.connection_path("/filters"), expect=200, body=filters)
    scene.bridge.wait_for(scene.connection_path(), lambda now: now["current_run"] is None)


def _archived(company: Company) -> int:
    return sum(1 for _ in company.scene.bridge.items("/v1/invoices?state=archived"))


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
