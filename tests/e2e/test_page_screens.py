"""Every screen keeps the page's policy, is accessible in both modes, and fits a phone.

``make screenshots`` runs this file for the pictures that it leaves in `build/screenshots`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra.config import PROJECT_ROOT
from infra.local.demo.scene import Scene
from tests.e2e.browser import Chromium, Person, serious_findings
from tests.e2e.conftest import PAGE_PARTNER
from tests.e2e.payments import pay_too_much

PICTURES = PROJECT_ROOT / "build" / "screenshots"
PHONE_PIXELS = 360
# The navigation's links, in an order in which each is shown before it is followed.
TOUR = (
    "Overview", "Invoices", "Customers", "Payments", "Problems", "Runs", "Preferences",
    "Connections",
)  # fmt: skip


@dataclass(frozen=True)
class Screen:
    """A screen is known by its address, and is there when its heading is."""

    path: str
    heading: str


@pytest.fixture(scope="module")
def screens(page_scene: Scene) -> dict[str, Screen]:
    """Each screen by the name of its picture."""
    invoice = page_scene.bridge.get("/v1/invoices")["items"][0]
    customer = page_scene.bridge.get(f"/v1/customers/{invoice['customer_id']}")
    connection = page_scene.bridge.get(f"/v1/connections/{page_scene.connection_id}")
    pay_too_much(page_scene, "left-over")
    problem = page_scene.bridge.get("/v1/problems")["items"][0]
    home = f"/connections/{connection['id']}"
    return {
        "connect": Screen("/connect", "Security role"),
        **{name.lower(): Screen(f"/{name.lower()}", name) for name in TOUR},
        "collected": Screen("/payments?view=collected", "Payments"),
        "payment": Screen("/payments/left-over", "Payment left-over"),
        "month-end": Screen("/month-end", "Month end"),
        "invoice": Screen(f"/invoices/{invoice['id']}", f"Invoice {invoice['number']}"),
        "customer": Screen(f"/customers/{customer['id']}", customer["name"]),
        "problem": Screen(f"/problems/{problem['id']}", problem["title"]),
        "connection": Screen(home, connection["name"]),
        "filters": Screen(f"{home}/filters", f"Manage filters: {connection['name']}"),
    }


@pytest.fixture(scope="module", params=["light", "dark"])
def viewer(
    request: pytest.FixtureRequest, chromium: Chromium, page_scene: Scene
) -> Iterator[tuple[str, Person]]:
    """A user whose device is light or dark; only here the policy lets the checker in."""
    settings = {"color_scheme": request.param, "bypass_csp": True, "reduced_motion": "reduce"}
    with chromium.person(PAGE_PARTNER, **settings) as person:
        person.open("/connections")
        yield request.param, person


def test_no_screen_has_a_serious_barrier(
    viewer: tuple[str, Person], screens: dict[str, Screen]
) -> None:
    mode, person = viewer
    PICTURES.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, screen in screens.items():
        _go(person, screen)
        person.page.screenshot(path=PICTURES / f"{name}-{mode}.png", full_page=True)
        found[name] = serious_findings(person.page)
    assert not {name: findings for name, findings in found.items() if findings}


def test_no_screen_is_wider_than_a_phone(
    chromium: Chromium, page_scene: Scene, screens: dict[str, Screen]
) -> None:
    phone = {"width": PHONE_PIXELS, "height": 740}
    widths = {}
    with chromium.person(PAGE_PARTNER, viewport=phone) as person:
        person.open("/connections")
        for name, screen in screens.items():
            _go(person, screen)
            widths[name] = person.page.evaluate("document.scrollingElement.scrollWidth")
    assert set(widths.values()) == {PHONE_PIXELS}, widths


def test_the_page_keeps_its_policy_and_asks_nobody_else(
    chromium: Chromium, page_scene: Scene, screens: dict[str, Screen]
) -> None:
    with chromium.person(PAGE_PARTNER) as person:
        person.open(screens["filters"].path)
        person.page.get_by_text("Invoice type").wait_for()
        for name in TOUR:
            person.follow(name)
        person.page.get_by_role("link", name="Connect ConnectWise").click()
        person.page.get_by_text("Accounting Interface").wait_for()

        assert person.violations() == []
        assert person.elsewhere() == set()
        assert person.broken == []


def test_the_page_says_what_it_lets_run(chromium: Chromium) -> None:
    with chromium.person("partner-looking") as person:
        answer = person.page.goto(person.system.page_url + "/config.json")
        assert answer is not None
        headers = answer.all_headers()
    assert "require-trusted-types-for 'script'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"].startswith("max-age=")


def _go(person: Person, screen: Screen) -> None:
    """Move without a reload, which would ask to sign in again, and wait for all that is read."""
    person.page.evaluate("(path) => history.pushState(null, '', path)", screen.path)
    person.heading(screen.heading).wait_for()
    for still_read in ("[role=status][aria-label=Loading]", "[class*=status-loading]"):
        person.page.locator(f"main {still_read}").first.wait_for(state="detached")
    person.page.wait_for_load_state("networkidle")
