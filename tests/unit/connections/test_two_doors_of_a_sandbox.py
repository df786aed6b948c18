"""A real reading of ConnectWise's list of registrations tells one company from another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.connections.connect import ConnectionRequest
from bridge.domain.connection import Connection
from bridge.domain.errors import NotPossibleError
from bridge.wiring import use_cases
from connectwise_sandbox.tenant import API_MEMBER
from tests.fakes.ports import InMemoryPorts
from tests.unit.connectwise.sandbox import World, sandboxed_world

DOORS = ("https://psa.example", "https://alias.example")


def connect(world: World, ports: InMemoryPorts, partner_id: str, site_url: str) -> Connection:
    request = ConnectionRequest(partner_id, world.credentials, site_url)
    return use_cases.connector(ports).connect(request)


@pytest.mark.parametrize("has_new_keys", [False, True])
def test_one_server_behind_two_names_is_connected_once(*, has_new_keys: bool) -> None:
    world = sandboxed_world()
    world.engine.switches.hosting = "on_premise"
    ports = InMemoryPorts(world.gateway(), world.clock)
    ports.vault = world.vault
    first = connect(world, ports, "partner-a", DOORS[0])
    if has_new_keys:
        identity = replace(world.engine.tenant.identity, public_key="p-2", private_key="k-2")
        world.engine.tenant.identity = identity

    with pytest.raises(NotPossibleError) as refused:
        connect(world, ports, "partner-b", DOORS[1])

    assert (refused.value.reason, refused.value.subject_id) == ("company_connected", None)
    assert (first.member_identifier, first.may_write) == (API_MEMBER, True)
    kept = ports.vault.get_credentials(first.connection_id)
    assert kept.member_identifier == API_MEMBER
