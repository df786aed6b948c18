"""Write-backs are asked for in any order, at once or later, and asking again is never swallowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.aws.messages import read_write_back, write_write_back
from bridge.aws.queues import SqsSender, SqsWriteBackQueue
from bridge.domain.errors import InvalidInputError
from bridge.domain.work_messages import WriteBackMessage
from bridge.domain.write_back import WriteBack
from infra.local.embedded_aws import EmbeddedAws
from tests.builders.payments import a_platform_payment, a_write_back, write_backs_for
from tests.builders.records import CONNECTION, PARTNER
from tests.fakes.clock import FakeClock
from tests.fakes.queues import InMemoryWriteBackQueue

MESSAGE = WriteBackMessage(CONNECTION, "pay-1.1001")


@pytest.fixture
def sqs(aws: EmbeddedAws) -> Any:
    return aws.client("sqs")


@pytest.fixture
def queue_url(sqs: Any) -> Iterator[str]:
    created = sqs.create_queue(QueueName="write-backs", Attributes={"VisibilityTimeout": "60"})
    yield created["QueueUrl"]
    sqs.delete_queue(QueueUrl=created["QueueUrl"])


@pytest.fixture
def queue(sqs: Any, queue_url: str, clock: FakeClock) -> SqsWriteBackQueue:
    return SqsWriteBackQueue(SqsSender(sqs, queue_url, clock))


def receive(sqs: Any, queue_url: str, *, limit: int = 10) -> list[Any]:
    answer = sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=limit, MessageSystemAttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def delete(sqs: Any, queue_url: str, messages: list[Any]) -> None:
    for message in messages:
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def of_payment(payment_id: str) -> WriteBack:
    (write_back,) = write_backs_for(a_platform_payment(payment_id))
    return write_back


def test_a_message_names_the_write_back_and_nothing_else(
    queue: SqsWriteBackQueue, sqs: Any, queue_url: str
) -> None:
    queue.send(a_write_back())
    (message,) = receive(sqs, queue_url)
    assert read_write_back(message["Body"]) == MESSAGE
    assert message["Body"] == f'{{"connection_id":"{CONNECTION}","write_back_id":"pay-1.1001"}}'
    assert message["Attributes"]["MessageGroupId"] == PARTNER


def test_asking_again_is_not_swallowed(queue: SqsWriteBackQueue, sqs: Any, queue_url: str) -> None:
    write_back = a_write_back()
    for _ in range(3):
        queue.send(write_back)
        messages = receive(sqs, queue_url)
        assert [read_write_back(message["Body"]) for message in messages] == [MESSAGE]
        delete(sqs, queue_url, messages)


def test_an_invoices_write_backs_wait_for_nothing_in_the_queue(
    queue: SqsWriteBackQueue, sqs: Any, queue_url: str
) -> None:
    """The ledger's lease keeps them apart."""
    for payment_id in ("a", "b", "c"):
        queue.send(of_payment(payment_id))
    found = [read_write_back(message["Body"]) for message in receive(sqs, queue_url)]
    assert {each.write_back_id for each in found} == {"a.1001", "b.1001", "c.1001"}


def test_a_delayed_message_waits_in_the_queue(
    queue: SqsWriteBackQueue, sqs: Any, queue_url: str
) -> None:
    queue.send(a_write_back(), delay_seconds=900)
    assert receive(sqs, queue_url) == []
    names = ["ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessages"]
    found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    assert [found[name] for name in names] == ["1", "0"]


def test_a_message_says_how_often_it_was_put_off(
    queue: SqsWriteBackQueue, sqs: Any, queue_url: str
) -> None:
    queue.send(a_write_back(), times_put_off=4)
    (message,) = receive(sqs, queue_url)
    assert read_write_back(message["Body"]) == replace(MESSAGE, times_put_off=4)


@pytest.mark.parametrize("delay_seconds", [-1, 901])
def test_a_delay_that_sqs_does_not_know_is_refused(
    delay_seconds: int, queue: SqsWriteBackQueue, clock: FakeClock
) -> None:
    for each in (queue, InMemoryWriteBackQueue(clock)):
        with pytest.raises(InvalidInputError):
            each.send(a_write_back(), delay_seconds=delay_seconds)


@given(
    message=st.builds(
        WriteBackMessage, st.text(min_size=1), st.text(min_size=1), st.integers(0, 1_000)
    )
)
def test_what_is_written_is_read_back(message: WriteBackMessage) -> None:
    assert read_write_back(write_write_back(message)) == message


@pytest.mark.parametrize(
    "body",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"connection_id":"c"}',
        '{"connection_id":"c","write_back_id":5}',
        '{"connection_id":"c","write_back_id":"w","times_put_off":-1}',
    ],
)
def test_a_body_that_nobody_wrote_is_a_value_error(body: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # JSON's own error is one of them
        read_write_back(body)


def test_the_twin_carries_what_sqs_would(clock: FakeClock) -> None:
    queue = InMemoryWriteBackQueue(clock)
    queue.send(a_write_back())
    queue.send(of_payment("b"))
    assert queue.take_due() == [MESSAGE, WriteBackMessage(CONNECTION, "b.1001")]
    assert queue.take_due() == []


def test_the_twin_keeps_what_is_delayed(clock: FakeClock) -> None:
    queue = InMemoryWriteBackQueue(clock)
    queue.send(a_write_back(), delay_seconds=30, times_put_off=2)
    clock.advance(seconds=29)
    assert queue.take_due() == []
    clock.advance(seconds=1)
    assert queue.take_due() == [replace(MESSAGE, times_put_off=2)]
