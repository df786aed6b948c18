"""Events reach the bus, in chunks, and those that were not taken are put again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.aws.events import SOURCE, EventBridgeBus
from bridge.aws_calls import MAX_ATTEMPTS
from bridge.domain.errors import InfrastructureError
from bridge.domain.events import DomainEvent, EventType
from infra.local.embedded_aws import EmbeddedAws
from infra.local.patience import eventually
from tests.builders.records import PARTNER
from tests.fakes.clock import START, FakeClock


def an_event(number: int) -> DomainEvent:
    return DomainEvent(
        event_id=f"event-{number}",
        type=EventType.INVOICE_PAID,
        partner_id=PARTNER,
        subject_id=f"invoice-{number}",
        occurred_at=START,
        data={"total_minor": 11000, "due_on": None},
    )


@pytest.fixture
def bus(aws: EmbeddedAws) -> Iterator[tuple[Any, str]]:
    """A bus whose every event lands in a queue."""
    events, sqs = aws.client("events"), aws.client("sqs")
    queue_url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    events.create_event_bus(Name="bus")
    events.put_rule(Name="all", EventBusName="bus", EventPattern=json.dumps({"source": [SOURCE]}))
    target = {"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}
    events.put_targets(Rule="all", EventBusName="bus", Targets=[target])
    yield events, queue_url
    events.remove_targets(Rule="all", EventBusName="bus", Ids=["queue"])
    events.delete_rule(Name="all", EventBusName="bus")
    events.delete_event_bus(Name="bus")
    sqs.delete_queue(QueueUrl=queue_url)


def test_subscribers_hear_every_event(
    aws: EmbeddedAws, bus: tuple[Any, str], clock: FakeClock
) -> None:
    client, queue_url = bus
    EventBridgeBus(client, "bus", clock).publish([an_event(i) for i in range(23)])
    heard = {}

    def all_are_heard() -> bool:
        answer = aws.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            envelope = json.loads(message["Body"])
            heard[envelope["detail"]["event_id"]] = envelope
        return len(heard) == 23

    assert eventually(all_are_heard)
    envelope = heard["event-7"]
    assert envelope["detail-type"] == "invoice.paid"
    assert envelope["source"] == SOURCE
    assert envelope["detail"] == {
        "event_id": "event-7",
        "schema_version": 1,
        "type": "invoice.paid",
        "partner_id": PARTNER,
        "subject_id": "invoice-7",
        "occurred_at": "2026-03-02T09:00:00+00:00",
        "data": {"total_minor": 11000, "due_on": None},
    }


class Hiccup:
    """An EventBridge client that does not take the first entry, a given number of times."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.calls: list[list[Any]] = []

    def put_events(self, *, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803  # boto's own name
        self.calls.append(Entries)
        results: list[dict[str, str]] = [{"EventId": "x"} for _ in Entries]
        if len(self.calls) <= self.refusals:
            results[0] = {"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}
        return {"FailedEntryCount": 1, "Entries": results}


def test_only_events_that_were_not_taken_are_put_again(clock: FakeClock) -> None:
    client: Any = Hiccup(1)
    EventBridgeBus(client, "bus", clock).publish([an_event(i) for i in range(3)])
    assert [len(call) for call in client.calls] == [3, 1]
    assert "event-0" in client.calls[1][0]["Detail"]


def test_events_that_are_never_taken_are_an_error(clock: FakeClock) -> None:
    client: Any = Hiccup(99)
    with pytest.raises(InfrastructureError):
        EventBridgeBus(client, "bus", clock).publish([an_event(1)])
    assert len(client.calls) == MAX_ATTEMPTS


def test_nothing_to_publish_asks_nobody(clock: FakeClock) -> None:
    client: Any = Hiccup(0)
    EventBridgeBus(client, "bus", clock).publish([])
    assert client.calls == []
