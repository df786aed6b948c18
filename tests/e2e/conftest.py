"""One deployed system for all end-to-end tests: real Lambda processes, real HTTP."""

from collections.abc import Iterator

import pytest
from rich.console import Console

from infra.local.demo.clients import BridgeApi, ConnectWisePerson
from infra.local.demo.first_import import connect, import_books
from infra.local.demo.scene import Scene
from infra.local.system import LocalSystem, SandboxSize

PARTNER = "partner-e2e"


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


@pytest.fixture
def stranger(system: LocalSystem) -> Iterator[BridgeApi]:
    """A user of another partner."""
    bridge = BridgeApi(system.api_url, system.partner_token("partner-stranger"))
    yield bridge
    bridge.close()
