"""The receiver knows each connection as it is stored, whichever release wrote it last."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from bridge.connections.callback_endpoints import CallbackEndpoints
from bridge.domain.callback_endpoint import CallbackEndpoint
from bridge.domain.connection import Connection
from bridge.ports import PsaGateway
from bridge.wiring import use_cases
from tests.builders.operations import a_connection
from tests.fakes.connections import InMemoryConnectionStore
from tests.fakes.ports import InMemoryPorts


class Receiver(InMemoryConnectionStore):
    """Connections as this release saves them, and what the receiver then knows."""

    def __init__(self, connection: Connection, known: CallbackEndpoint | None) -> None:
        super().__init__()
        super().save(connection, expected_version=0)
        self.known = known
        self.saves = 0

    def save(self, connection: Connection, *, expected_version: int) -> int:
        version = super().save(connection, expected_version=expected_version)
        self.known = connection.callback_endpoint
        self.saves += 1
        return version


class Known:
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def get(self, connection_id: str) -> CallbackEndpoint | None:
        return self._receiver.known


class Job(InMemoryPorts):
    """The ports of the hourly look at a connection."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(gateway=cast(PsaGateway, None))
        self.connections = receiver
        self._known = Known(receiver)

    @property
    def callback_endpoints(self) -> Known:
        return self._known


def upkeep(receiver: Receiver) -> CallbackEndpoints:
    return use_cases.callback_endpoints(Job(receiver))


CONNECTION = a_connection()
BEHIND = replace(CONNECTION, company_id="former").callback_endpoint


@pytest.mark.parametrize("known", [None, BEHIND], ids=["missing", "behind"])
def test_what_an_earlier_release_left_out_is_written(known: CallbackEndpoint | None) -> None:
    receiver = Receiver(CONNECTION, known)
    upkeep(receiver).keep(CONNECTION)
    assert receiver.known == CONNECTION.callback_endpoint
    assert receiver.get(CONNECTION.connection_id).value == CONNECTION


def test_what_is_in_order_is_left_alone() -> None:
    receiver = Receiver(CONNECTION, CONNECTION.callback_endpoint)
    upkeep(receiver).keep(CONNECTION)
    assert receiver.saves == 0


def test_what_is_written_is_the_connection_as_it_is_stored_now() -> None:
    moved = replace(CONNECTION, company_id="moved")
    receiver = Receiver(moved, None)
    upkeep(receiver).keep(CONNECTION)
    assert receiver.known == moved.callback_endpoint
