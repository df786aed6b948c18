"""One deployed system for all end-to-end tests: real Lambda processes, real HTTP."""

import secrets
from collections.abc import Iterator

import pytest
from rich.console import Console

from connectwise_sandbox.server import RunningSandbox, running_sandbox
from infra.local.demo.clients import BridgeApi, ConnectWisePerson
from infra.local.demo.first_import import connect, import_books
from infra.local.demo.play import STEPS
from infra.local.demo.scene import Scene
from infra.local.system import LocalSystem, SandboxSize
from tests.e2e.browser import Chromium, running_chromium

PARTNER = "partner-e2e"
PAGE_PARTNER = "partner-page"
SETTING_UP = ("connect a ConnectWise company", "import its books", "calls within the budget")


@pytest.fixture(scope="session")
def system() -> Iterator[LocalSystem]:
    with LocalSystem("e2e", sandbox=SandboxSize(customers=10, invoices=60)) as running:
        yield running


@pytest.fixture(scope="session")
def fresh_scene(system: LocalSystem) -> Iterator[Scene]:
    """A partner who has not connected anything yet."""
    bridge = BridgeApi(system.api_url, system.partner_token(PARTNER))
    person = ConnectWisePerson(system.sandbox.base_url)
    scene = Scene(system, bridge, person, Console(quiet=True))
    yield scene
    scene.close()


@pytest.fixture(scope="session")
def scene(fresh_scene: Scene) -> Scene:
    """A partner whose books are imported."""
    connect(fresh_scene)
    import_books(fresh_scene)
    return fresh_scene


@pytest.fixture(scope="session")
def played(scene: Scene) -> dict[str, str]:
    """Every step of the demo after the import, in the demo's order, and what it observed."""
    return {step.name: step.act(scene) for step in STEPS if step.name not in SETTING_UP}


@pytest.fixture
def stranger(system: LocalSystem) -> Iterator[BridgeApi]:
    """A user of another partner, who has asked for nothing yet."""
    partner = f"partner-stranger-{secrets.token_hex(4)}"
    bridge = BridgeApi(system.api_url, system.partner_token(partner))
    yield bridge
    bridge.close()


def imported_scene(system: LocalSystem, partner_id: str, books: RunningSandbox, name: str) -> Scene:
    """Connect the books for the partner, and import them."""
    scene = Scene(
        system=system,
        bridge=BridgeApi(system.api_url, system.partner_token(partner_id)),
        person=ConnectWisePerson(books.base_url),
        console=Console(quiet=True),
    )
    access = books.announcement
    form = {
        "company_id": access.company_id,
        "public_key": access.public_key,
        "private_key": access.private_key,
        "site_url": access.base_url,
        "name": name,
    }
    scene.connection_id = scene.bridge.call("POST", "/v1/connections", expect=201, body=form)["id"]
    import_books(scene)
    return scene


@pytest.fixture(scope="session")
def page_scene(system: LocalSystem) -> Iterator[Scene]:
    """A partner with imported books of his own, whom only the tests of the page change."""
    with running_sandbox(seed=29, customers=10, invoices=60) as books:
        scene = imported_scene(system, PAGE_PARTNER, books, "Alpine IT")
        yield scene
        scene.close()


@pytest.fixture(scope="module")
def chromium(system: LocalSystem) -> Iterator[Chromium]:
    """A real browser; one for each file, as its loop stays with the thread."""
    with running_chromium() as browser:
        yield Chromium(browser, system)
