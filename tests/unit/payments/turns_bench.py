"""A bench for turns: a ledger, queue, places and silences in memory, and servers by their mood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bridge.connections.silent_servers import SilentServers
from bridge.connections.visit import Visit
from bridge.domain.identity import mirrored_id
from bridge.domain.platform_payment import Allocation
from bridge.domain.work_messages import WriteBackMessage
from bridge.domain.write_back import WriteBack, WriteBackState
from bridge.payments.due_write_backs import DueWriteBacks
from bridge.payments.write_back_turns import WriteBackTurns
from bridge.wiring import use_cases
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.fakes.ports import InMemoryPorts

CONNECTIONS = {PARTNER: CONNECTION, OTHER_PARTNER: OTHER_CONNECTION}


class TurnsBench(InMemoryPorts):
    """``mood`` says how a connection's server takes a visit; ``visits`` is what was driven when.

    An answered write-back is done. An unanswered one stays due, as the most stubborn would.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        gateway: Any = None
        super().__init__(gateway)
        self.mood: Callable[[str], Visit] = lambda _: Visit.ANSWERED
        self.visits: list[tuple[datetime, str, str]] = []
        monkeypatch.setattr(use_cases, "write_back_worker", lambda _: self)

    @property
    def turns(self) -> WriteBackTurns:
        return use_cases.write_back_turns(self)

    @property
    def servers(self) -> SilentServers:
        return use_cases.silent_servers(self, probe_life=self.timings.attempt)

    @property
    def due(self) -> DueWriteBacks:
        return use_cases.due_write_backs(self)

    def drive(self, connection_id: str, write_back_id: str) -> Visit:
        """Stand for the worker."""
        self.visits.append((self.clock.now(), connection_id, write_back_id))
        visit = self.mood(connection_id)
        stored = self.ledger.get_write_back(connection_id, write_back_id)
        if visit is Visit.ANSWERED and stored.value is not None:
            done = replace(stored.value, state=WriteBackState.CANCELLED, due_at=None)
            self.ledger.save_write_back(done, expected_version=stored.version)
        return visit

    def collect(
        self, count: int, partner_id: str = PARTNER, *, after: timedelta = timedelta(0)
    ) -> list[WriteBack]:
        """Record payments of a partner, each with a write-back that is due then."""
        made: list[WriteBack] = []
        for number in range(count):
            invoice = mirrored_id(CONNECTIONS[partner_id], 1001 + number)
            payment = a_platform_payment(
                f"pay-{number}", partner_id=partner_id, allocations=(Allocation(invoice, 100),)
            )
            due_at = self.clock.now() + after
            (write_back,) = write_backs_for(payment, due_at=due_at)
            self.ledger.record(payment, [write_back])
            made.append(write_back)
        return made

    def work(self) -> int:
        """Work off all messages that are visible now; return how many they were."""
        count = 0
        while messages := self.write_back_queue.take_due():
            for message in messages:
                self.turns.drive(message)
            count += len(messages)
        return count

    def minute(self) -> None:
        """Let a minute pass, with the wake-up at its beginning."""
        self.due.wake()
        for _ in range(60):
            self.work()
            self.clock.advance(seconds=1)

    def visits_of(self, partner_id: str) -> list[datetime]:
        return [
            at for at, connection_id, _ in self.visits if CONNECTIONS[partner_id] == connection_id
        ]


def message_of(write_back: WriteBack, times_put_off: int = 0) -> WriteBackMessage:
    return WriteBackMessage(write_back.connection_id, write_back.write_back_id, times_put_off)
