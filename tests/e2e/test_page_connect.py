"""A partner connects a ConnectWise company at the page, by the keyboard alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing

import pytest

from connectwise_sandbox.server import RunningSandbox, running_sandbox
from infra.local.demo.clients import ConnectWisePerson
from tests.e2e.browser import Chromium, Person

FIELDS = ("Company ID", "Public Key", "Private Key", "Site URL")
MOST_TABS = 80
READ_PRODUCTS = {"module": "Procurement", "row": "Products", "action": "inquire"}
REFUSED = "Quote this id when you ask for help"
_seeds = itertools.count(2301)


@pytest.fixture
def books() -> Iterator[RunningSandbox]:
    """A company of its own for each test, since one can be connected once."""
    with running_sandbox(seed=next(_seeds), customers=4, invoices=12) as running:
        yield running


@pytest.fixture
def admin(chromium: Chromium) -> Iterator[Person]:
    with chromium.person("partner-keyboard") as person:
        person.open("/connections")
        yield person
        assert not person.broken


def test_the_keyboard_alone_connects_a_company_and_a_wrong_key_is_told(
    admin: Person, books: RunningSandbox
) -> None:
    access = books.announcement
    _press(admin, "link", "Connect ConnectWise")
    admin.page.get_by_text("Accounting Interface").wait_for()
    _press(admin, "button", "Next")
    values = (access.company_id, access.public_key, "wrong", access.base_url)
    for label, value in zip(FIELDS, values, strict=True):
        _type(admin, label, value)
    _press(admin, "button", "Next")
    _press(admin, "button", "Next")
    _press(admin, "button", "Connect")
    admin.notice(REFUSED)
    assert "/connect" in admin.path

    _press(admin, "button", "Previous")
    _press(admin, "button", "Previous")
    _type(admin, "Private Key", access.private_key)
    _press(admin, "button", "Next")
    _press(admin, "button", "Next")
    _press(admin, "button", "Connect")

    admin.notice("You're all set! The import has started.")
    admin.page.wait_for_url("**/connections/*")
    admin.page.get_by_text("Active", exact=True).wait_for()


def test_a_missing_right_is_marked_and_connecting_again_takes_it(
    chromium: Chromium, books: RunningSandbox
) -> None:
    access = books.announcement
    with closing(ConnectWisePerson(books.base_url)) as company:
        company.do("PATCH", "/permissions", **READ_PRODUCTS, level="None")
        with chromium.person("partner-role") as person:
            person.open("/connect")
            person.page.get_by_text("Accounting Interface").wait_for()
            person.page.get_by_role("button", name="Next", exact=True).click()
            values = (access.company_id, access.public_key, access.private_key, access.base_url)
            for label, value in zip(FIELDS, values, strict=True):
                person.page.get_by_label(label, exact=True).fill(value)
            for _ in range(2):
                person.page.get_by_role("button", name="Next", exact=True).click()
            person.page.get_by_role("button", name="Connect", exact=True).click()
            row = person.page.get_by_role("row", name="Procurement Products")
            row.get_by_text("All: missing").first.wait_for()
            person.page.get_by_text("All: granted").first.wait_for()

            company.do("DELETE", "/permissions")
            person.page.get_by_role("button", name="Connect", exact=True).click()
            person.notice("You're all set! The import has started.")


def _press(person: Person, role: str, name: str) -> None:
    """Tab until the element has the focus, then press Enter."""
    wanted = person.page.get_by_role(role, name=name, exact=True).last  # type: ignore[arg-type]
    wanted.wait_for()
    _tab_to(person, wanted.evaluate_handle("element => element"))
    person.page.keyboard.press("Enter")


def _type(person: Person, label: str, text: str) -> None:
    field = person.page.get_by_label(label, exact=True)
    field.wait_for()
    _tab_to(person, field.evaluate_handle("element => element"))
    person.page.keyboard.press("ControlOrMeta+a")
    person.page.keyboard.type(text)


def _tab_to(person: Person, wanted: object) -> None:
    for _ in range(MOST_TABS):
        if person.page.evaluate("element => document.activeElement === element", wanted):
            return
        person.page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not reach it")
