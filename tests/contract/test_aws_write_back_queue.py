"""Write-backs are asked for in order per invoice, and asking again is never swallowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.aws.messages import read_write_back, write_write_back
from bridge.aws.queues import SqsSender, SqsWriteBackQueue
from bridge.domain.work_messages import WriteBackMessage
from bridge.domain.write_back import WriteBack
from infra.local.embedded_aws import EmbeddedAws
from tests.builders.payments import a_platform_payment, a_write_back, write_backs_for
from tests.builders.records import CONNECTION
from tests.fakes.clock import FakeClock
from tests.fakes.queues import InMemoryWriteBackQueue

MESSAGE = WriteBackMessage(CONNECTION, "pay-1.1001")


@pytest.fixture
def sqs(aws: EmbeddedAws) -> Any:
    return aws.client("sqs")


@pytest.fixture
def queue_url(sqs: Any) -> Iterator[str]:
    attributes = {"FifoQueue": "true", "VisibilityTimeout": "60"}
    created = sqs.create_queue(QueueName="write-backs.fifo", Attributes=attributes)
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
    assert message["Attributes"]["MessageGroupId"] == f"{CONNECTION}-1001"


def test_asking_again_is_not_swallowed(queue: SqsWriteBackQueue, sqs: Any, queue_url: str) -> None:
    write_back = a_write_back()
    for _ in range(3):
        queue.send(write_back)
        messages = receive(sqs, queue_url)
        assert [read_write_back(message["Body"]) for message in messages] == [MESSAGE]
        delete(sqs, queue_url, messages)


def test_a_request_that_the_sdk_repeats_is_one_message(
    aws: EmbeddedAws, sqs: Any, queue_url: str, clock: FakeClock
) -> None:
    client = aws.client("sqs")
    client.meta.events.register_first(
        "needs-retry.sqs", lambda attempts, **_: 0 if attempts == 1 else None
    )
    SqsWriteBackQueue(SqsSender(client, queue_url, clock)).send(a_write_back())
    messages = receive(sqs, queue_url)
    delete(sqs, queue_url, messages)
    assert len(messages) == 1
    assert receive(sqs, queue_url) == []


def test_an_invoices_write_backs_come_one_after_another(
    queue: SqsWriteBackQueue, sqs: Any, queue_url: str
) -> None:
    for payment_id in ("a", "b", "c"):
        queue.send(of_payment(payment_id))
    seen = []
    for _ in range(3):
        (message,) = receive(sqs, queue_url, limit=1)
        assert receive(sqs, queue_url) == [], "the group waits for the first one"
        seen.append(read_write_back(message["Body"]).write_back_id)
        delete(sqs, queue_url, [message])
    assert seen == ["a.1001", "b.1001", "c.1001"]


def test_another_invoice_does_not_wait(queue: SqsWriteBackQueue, sqs: Any, queue_url: str) -> None:
    queue.send(a_write_back())
    (first,) = receive(sqs, queue_url, limit=1)
    queue.send(a_write_back(invoice_source_id=1002, write_back_id="pay-1.1002"))
    (second,) = receive(sqs, queue_url, limit=1)
    ids = [read_write_back(message["Body"]).write_back_id for message in (first, second)]
    assert ids == ["pay-1.1001", "pay-1.1002"]


@given(message=st.builds(WriteBackMessage, st.text(min_size=1), st.text(min_size=1)))
def test_what_is_written_is_read_back(message: WriteBackMessage) -> None:
    assert read_write_back(write_write_back(message)) == message


@pytest.mark.parametrize(
    "body",
    ["", "x", "[]", "{}", '{"connection_id":"c"}', '{"connection_id":"c","write_back_id":5}'],
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
