"""Messages go out and come back the same, in batches, with delays, through hiccups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.aws.messages import (
    is_key_request,
    read_hint,
    read_key_request,
    read_pdf_request,
    read_run,
    write_hint,
    write_key_request,
    write_pdf_request,
    write_run,
)
from bridge.aws.queues import (
    Outgoing,
    SqsHintQueue,
    SqsHintsAloneQueue,
    SqsPdfQueue,
    SqsRunQueue,
    SqsSender,
    SqsSigningKeyQueue,
)
from bridge.aws_calls import MAX_ATTEMPTS
from bridge.domain.errors import (
    InfrastructureError,
    InvalidInputError,
    NotFoundError,
    PermanentError,
)
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind, mirrored_id
from bridge.domain.work_messages import PdfRequest, RunMessage, SigningKeyRequest
from infra.local.embedded_aws import EmbeddedAws
from tests.builders.operations import a_run
from tests.builders.records import CONNECTION, OTHER_CONNECTION, PARTNER
from tests.fakes.clock import START, FakeClock
from tests.fakes.queues import InMemoryHintQueue, InMemoryPdfQueue, InMemoryRunQueue

HINT = Hint(CONNECTION, RecordKind.INVOICE, 1001, HintReason.CALLBACK)


@pytest.fixture
def sqs(aws: EmbeddedAws) -> Any:
    return aws.client("sqs")


@pytest.fixture
def queue_url(sqs: Any) -> Iterator[str]:
    url: str = sqs.create_queue(QueueName="messages")["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def sender(sqs: Any, queue_url: str, clock: FakeClock) -> SqsSender:
    return SqsSender(sqs, queue_url, clock)


@pytest.fixture
def receive(sqs: Any, queue_url: str) -> Callable[[], list[Any]]:
    """Take every message that is there now, with the connection as its group."""

    def receive_all() -> list[Any]:
        found: list[Any] = []
        for _ in range(20):
            answer = sqs.receive_message(
                QueueUrl=queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
            )
            if not answer.get("Messages"):
                return found
            found += answer["Messages"]
        raise AssertionError("the queue does not run dry")

    return receive_all


def test_hints_arrive_with_their_partner_as_group(
    sender: SqsSender, receive: Callable[[], list[Any]]
) -> None:
    hints = [
        Hint(CONNECTION, RecordKind.INVOICE, i, HintReason.RETRY, i, partner_id=PARTNER)
        for i in range(1, 26)
    ]
    SqsHintQueue(sender).send(hints)
    messages = receive()
    received = [read_hint(message["Body"]) for message in messages]
    assert sorted(received, key=lambda hint: hint.source_id) == hints
    groups = {message["Attributes"].get("MessageGroupId") for message in messages}
    assert groups == {PARTNER}


def test_a_hint_that_names_no_partner_has_its_connection_as_group(
    sender: SqsSender, receive: Callable[[], list[Any]]
) -> None:
    SqsHintQueue(sender).send([HINT])
    (message,) = receive()
    assert message["Attributes"].get("MessageGroupId") == CONNECTION


def test_hints_that_came_again_are_moved_as_they_are(
    sender: SqsSender, receive: Callable[[], list[Any]]
) -> None:
    hint = replace(HINT, partner_id=PARTNER, came_at=START, times_put_off=2)
    SqsHintsAloneQueue(sender).move([hint])
    (message,) = receive()
    assert read_hint(message["Body"]) == hint
    assert message["Attributes"].get("MessageGroupId") == PARTNER


def test_a_request_for_a_signing_key_arrives_with_its_partner_as_group(
    sender: SqsSender, receive: Callable[[], list[Any]]
) -> None:
    request = SigningKeyRequest(PARTNER, CONNECTION, "d" * 64)
    SqsSigningKeyQueue(sender).send(request)
    (message,) = receive()
    assert is_key_request(message["Body"])
    assert read_key_request(message["Body"]) == request
    assert message["Attributes"].get("MessageGroupId") == PARTNER


def test_nothing_to_send_sends_nothing(sender: SqsSender, receive: Callable[[], list[Any]]) -> None:
    SqsHintQueue(sender).send([])
    assert receive() == []


def test_a_delayed_hint_is_not_there_yet(
    sender: SqsSender, receive: Callable[[], list[Any]]
) -> None:
    SqsHintQueue(sender).send([HINT], delay_seconds=60)
    assert receive() == []


@pytest.mark.parametrize("delay_seconds", [-1, 901])
def test_a_delay_that_sqs_cannot_keep_is_refused(sender: SqsSender, delay_seconds: int) -> None:
    with pytest.raises(InvalidInputError):
        SqsHintQueue(sender).send([HINT], delay_seconds=delay_seconds)


def test_a_run_is_told_by_its_id_and_page(
    sender: SqsSender, receive: Callable[[], list[Any]]
) -> None:
    run = a_run(page_count=3, failure="secret detail")
    SqsRunQueue(sender).send(run)
    (message,) = receive()
    assert read_run(message["Body"]) == RunMessage(CONNECTION, run.run_id, 3)
    assert "secret" not in message["Body"]


def test_runs_and_pdfs_have_their_partner_as_group_however_many_connections_he_makes(
    sender: SqsSender, receive: Callable[[], list[Any]]
) -> None:
    for connection_id in (CONNECTION, OTHER_CONNECTION):
        SqsRunQueue(sender).send(a_run(connection_id=connection_id))
        SqsPdfQueue(sender).send([PdfRequest(connection_id, "i")], partner_id=PARTNER)
    groups = [message["Attributes"].get("MessageGroupId") for message in receive()]
    assert groups == [PARTNER] * 4


def test_messages_of_the_release_before_say_nothing_of_turns() -> None:
    assert read_run('{"connection_id":"c","run_id":"r","page_count":1}').times_put_off == 0
    assert read_pdf_request('{"connection_id":"c","invoice_id":"i"}').times_put_off == 0


def test_pdfs_are_asked_for_by_invoice(sender: SqsSender, receive: Callable[[], list[Any]]) -> None:
    request = PdfRequest(CONNECTION, mirrored_id(CONNECTION, 1001))
    SqsPdfQueue(sender).send([request], partner_id=PARTNER)
    (message,) = receive()
    assert read_pdf_request(message["Body"]) == request


def test_a_queue_that_is_not_there_is_said_so(sqs: Any, queue_url: str, clock: FakeClock) -> None:
    sender = SqsSender(sqs, queue_url + "-gone", clock)
    with pytest.raises((NotFoundError, PermanentError)):
        SqsHintQueue(sender).send([HINT])


class Hiccup:
    """An SQS client that refuses every second message of a batch, a given number of times."""

    def __init__(self, refusals: int, *, sender_fault: bool = False) -> None:
        self.refusals = refusals
        self.sender_fault = sender_fault
        self.taken: list[str] = []
        self.calls = 0

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803  # boto's own names
        self.calls += 1
        refused = Entries[::2] if self.calls <= self.refusals else []
        self.taken += [entry["MessageBody"] for entry in Entries if entry not in refused]
        return {"Failed": [{"Id": e["Id"], "SenderFault": self.sender_fault} for e in refused]}


def test_only_messages_that_were_refused_are_sent_again(clock: FakeClock) -> None:
    client: Any = Hiccup(2)
    SqsSender(client, "url", clock).send([Outgoing(str(i), "group") for i in range(10)])
    assert sorted(client.taken, key=int) == [str(i) for i in range(10)]
    assert len(clock.slept_seconds) == 2


def test_messages_that_stay_refused_are_an_error(clock: FakeClock) -> None:
    client: Any = Hiccup(99)
    with pytest.raises(InfrastructureError):
        SqsSender(client, "url", clock).send([Outgoing("1", "group")])
    assert client.calls == MAX_ATTEMPTS


def test_a_message_that_is_wrong_is_not_sent_again(clock: FakeClock) -> None:
    client: Any = Hiccup(99, sender_fault=True)
    with pytest.raises(PermanentError):
        SqsSender(client, "url", clock).send([Outgoing("1", "group")])
    assert client.calls == 1


hints = st.builds(Hint, st.text(min_size=1), source_id=st.integers(0), attempts=st.integers(0))
run_messages = st.builds(
    RunMessage, st.text(min_size=1), st.text(min_size=1), st.integers(0), st.integers(0)
)
pdf_requests = st.builds(PdfRequest, st.text(min_size=1), st.text(min_size=1), st.integers(0))


key_requests = st.builds(
    SigningKeyRequest, st.text(min_size=1), st.text(min_size=1), st.text(min_size=1)
)


@given(hint=hints, run=run_messages, pdf=pdf_requests, key=key_requests)
def test_what_is_written_is_read_back(
    hint: Hint, run: RunMessage, pdf: PdfRequest, key: SigningKeyRequest
) -> None:
    assert read_hint(write_hint(hint)) == hint
    assert read_key_request(write_key_request(key)) == key
    assert is_key_request(write_key_request(key)) is not is_key_request(write_hint(hint))
    assert read_run(write_run(run)) == run
    assert read_pdf_request(write_pdf_request(pdf)) == pdf


@pytest.mark.parametrize("read", [read_hint, read_run, read_pdf_request])
@pytest.mark.parametrize(
    "body",
    [
        "",
        "x",
        "[]",
        "{}",
        "null",
        '{"connection_id": 5}',
        '{"connection_id": "c", "run_id": "r"}',
        '{"connection_id":"c","record_kind":"moon","source_id":1,"reason":"retry","attempts":0}',
        '{"connection_id":"c","record_kind":"invoice","source_id":-1,"reason":"retry"}',
        '{"connection_id":"c","run_id":"r","page_count":true}',
    ],
)
def test_a_body_that_nobody_wrote_is_a_value_error(read: Callable[[str], Any], body: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # JSON's own error is one of them
        read(body)


# --- the twins in memory -----------------------------------------------------------------------


def test_the_twin_gives_messages_out_when_they_are_due(clock: FakeClock) -> None:
    queue = InMemoryHintQueue(clock)
    queue.send([HINT], delay_seconds=60)
    assert queue.take_due() == []
    clock.advance(seconds=60)
    assert queue.take_due() == [HINT]
    assert queue.take_due() == []
    assert queue.sent == [HINT]


def test_the_twins_carry_what_sqs_would(clock: FakeClock) -> None:
    run = a_run(page_count=3)
    runs, pdfs = InMemoryRunQueue(clock), InMemoryPdfQueue(clock)
    runs.send(run)
    pdfs.send([PdfRequest(CONNECTION, "i")], partner_id=PARTNER)
    assert runs.take_due() == [RunMessage(CONNECTION, run.run_id, 3)]
    assert pdfs.take_due() == [PdfRequest(CONNECTION, "i")]


def test_a_twin_can_be_out_of_order(clock: FakeClock) -> None:
    queue = InMemoryHintQueue(clock)
    queue.error = InfrastructureError("down")
    with pytest.raises(InfrastructureError):
        queue.send([HINT])
    assert queue.sent == []
