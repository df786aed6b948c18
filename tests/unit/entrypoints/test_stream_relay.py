"""The outbox: events are published in order, and from the first failure on again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bridge.domain.errors import MalformedRecordError, UnavailableError
from bridge.domain.events import DomainEvent, EventType
from bridge.entrypoints.stream_relay import StreamRelay
from bridge.store import changes
from bridge.wiring import entrypoints
from tests.fakes.clock import START
from tests.fakes.events import InMemoryEventBus
from tests.unit.mirror.bench import Bench


def record(number: int, name: str = "good") -> dict[str, Any]:
    return {"name": name, "dynamodb": {"SequenceNumber": f"{number}"}}


def read_events(stream_record: Mapping[str, Any]) -> tuple[DomainEvent, ...]:
    if stream_record["name"] == "unreadable":
        raise MalformedRecordError("written by another release")
    if stream_record["name"] == "mistake":
        raise RuntimeError("a mistake of ours")
    number = stream_record["dynamodb"]["SequenceNumber"]
    event = DomainEvent(number, EventType.INVOICE_UPDATED, "partner-a", "invoice", START)
    return () if stream_record["name"] == "nothing" else (event,)


@pytest.fixture
def bus() -> InMemoryEventBus:
    return InMemoryEventBus()


@pytest.fixture
def relay(bus: InMemoryEventBus, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> StreamRelay:
    """A relay whose records say by their names how they are read."""
    monkeypatch.setattr(changes, "read_events", read_events)
    bench.event_bus = bus
    return entrypoints.stream_relay(bench)


def failures(reply: Mapping[str, Any]) -> list[str]:
    return [item["itemIdentifier"] for item in reply["batchItemFailures"]]


def test_events_are_published_in_the_order_of_the_stream(
    bus: InMemoryEventBus, relay: StreamRelay
) -> None:
    reply = relay.relay([record(1), record(2, "nothing"), record(3)])

    assert failures(reply) == []
    assert [event.event_id for event in bus.published] == ["1", "3"]


@pytest.mark.parametrize("name", ["unreadable", "mistake"])
def test_a_record_that_fails_comes_again_with_all_behind_it(
    bus: InMemoryEventBus, relay: StreamRelay, name: str
) -> None:
    reply = relay.relay([record(1), record(2, name), record(3)])

    assert failures(reply) == ["2"]
    assert [event.event_id for event in bus.published] == ["1"]


def test_a_bus_out_of_reach_loses_nothing(
    bus: InMemoryEventBus, relay: StreamRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_events: object) -> None:
        raise UnavailableError("the bus is down")

    with monkeypatch.context() as patched:
        patched.setattr(bus, "publish", refuse)
        assert failures(relay.relay([record(1), record(2)])) == ["1"]

    assert failures(relay.relay([record(1), record(2)])) == []
    assert [event.event_id for event in bus.published] == ["1", "2"]
