"""R8: a worker that dies of one partner's answer takes nobody else's hints with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.aws.messages import read_hint, write_hint
from bridge.domain.errors import UnavailableError
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.problem import ProblemCode
from bridge.entrypoints.hint_batches import MAX_RECEIVES_ALONE, HintBatches
from bridge.wiring import entrypoints
from tests.builders.operations import a_connection
from tests.builders.records import (
    CONNECTION,
    OTHER_CONNECTION,
    OTHER_PARTNER,
    PARTNER,
    a_customer,
    an_invoice,
)
from tests.unit.mirror.bench import Bench
from tests.unit.mirror.psa import FakePsa

INVOICE = RecordKind.INVOICE
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:bridge-dev-hints"
ALONE = f"{QUEUE}-alone"
POISON = Hint(CONNECTION, INVOICE, 1001, HintReason.CALLBACK, partner_id=PARTNER)
INNOCENT = Hint(OTHER_CONNECTION, INVOICE, 1001, HintReason.CALLBACK, partner_id=OTHER_PARTNER)


class WorkerKilledError(BaseException):
    """The worker is gone, as one that ran out of memory."""


@dataclass(eq=False)
class Message:
    body: str
    sent_at: datetime
    receives: int = 0


class Sqs:
    """Both queues of hints, as SQS keeps them: a message stays until its batch says it is done."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.messages: dict[str, list[Message]] = {QUEUE: [], ALONE: []}
        self.kills = 0

    def put(self, *hints: Hint, queue: str = QUEUE) -> None:
        now = self.bench.clock.now()
        self.messages[queue] += [Message(write_hint(hint), now) for hint in hints]

    def deliver(self, queue: str, limit: int) -> None:
        """Hand a batch to a fresh worker, which may be killed; then its messages come again."""
        batch = self.messages[queue][:limit]
        for message in batch:
            message.receives += 1
        try:
            reply = hint_batches(self.bench).work_off(event(queue, batch))
        except WorkerKilledError:
            self.kills += 1
            self.bench.clock.advance(minutes=6)
            return
        failed = {int(each["itemIdentifier"]) for each in reply["batchItemFailures"]}
        done = [message for number, message in enumerate(batch) if number not in failed]
        self.messages[queue] = [each for each in self.messages[queue] if each not in done]
        self.put(*self.bench.hints_alone.take_due(), queue=ALONE)
        self.bench.clock.advance(minutes=6)

    def work_off(self) -> None:
        for _ in range(20):
            if not any(self.messages.values()):
                return
            self.deliver(QUEUE, 10)
            self.deliver(ALONE, 1)
        raise AssertionError("messages do not end")


def event(queue: str, batch: list[Message]) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": str(number),
                "body": message.body,
                "eventSourceARN": queue,
                "attributes": {
                    "ApproximateReceiveCount": str(message.receives),
                    "SentTimestamp": str(int(message.sent_at.timestamp() * 1000)),
                },
            }
            for number, message in enumerate(batch)
        ]
    }


def hint_batches(bench: Bench) -> HintBatches:
    return entrypoints.hint_batches(bench)


@pytest.fixture
def sqs(bench: Bench) -> Sqs:
    """Two partners' connections, each with an invoice."""
    bench.psa.put(a_customer(), an_invoice(1001))
    bench.connect(a_connection(OTHER_CONNECTION, partner_id=OTHER_PARTNER))
    other = FakePsa(bench.clock)
    owner: dict[str, Any] = {"partner_id": OTHER_PARTNER, "connection_id": OTHER_CONNECTION}
    other.put(a_customer(**owner), an_invoice(1001, **owner))
    bench.fake_gateway.others[OTHER_CONNECTION] = other
    return Sqs(bench)


def poison(bench: Bench, times: int = 99) -> None:
    def kill() -> None:
        raise WorkerKilledError

    for _ in range(times):
        bench.psa.meanwhile("fetch_invoices", kill)


def is_innocent_mirrored(bench: Bench) -> bool:
    stored = bench.records.get_mirrored(INVOICES, OTHER_PARTNER, OTHER_CONNECTION, [1001])
    return stored[1001].value is not None


def test_poison_ends_as_a_problem_of_its_own_record_alone(bench: Bench, sqs: Sqs) -> None:
    poison(bench)
    sqs.put(POISON, INNOCENT)

    sqs.work_off()

    assert set(bench.open_problems()) == {(ProblemCode.RECORD_PARKED, "invoice/1001")}
    assert bench.problems.open_of_connection(OTHER_PARTNER, OTHER_CONNECTION) == {}
    assert is_innocent_mirrored(bench)
    assert sqs.kills == 1 + MAX_RECEIVES_ALONE


def test_whoever_was_in_a_killed_batch_is_read_at_its_next_receive(bench: Bench, sqs: Sqs) -> None:
    poison(bench)
    sqs.put(POISON, INNOCENT)

    sqs.deliver(QUEUE, 10)
    sqs.deliver(QUEUE, 10)
    assert sqs.messages[QUEUE] == []
    assert len(sqs.messages[ALONE]) == 2
    sqs.messages[ALONE].reverse()
    sqs.deliver(ALONE, 1)

    assert is_innocent_mirrored(bench)


def test_a_hint_that_comes_again_is_moved_before_others_of_its_batch_are_read(
    bench: Bench, sqs: Sqs
) -> None:
    poison(bench)
    sqs.put(INNOCENT)
    sqs.messages[QUEUE][0].receives = 1
    sqs.put(POISON)

    sqs.deliver(QUEUE, 10)

    assert [hint.connection_id for hint in bench.hints_alone.sent] == [OTHER_CONNECTION]


def test_poison_that_was_cured_ends_well(bench: Bench, sqs: Sqs) -> None:
    poison(bench, times=2)
    sqs.put(POISON)

    sqs.work_off()

    assert bench.invoice(1001) == an_invoice(1001)
    assert bench.open_problems() == {}


def test_a_hint_keeps_the_time_at_which_it_came(bench: Bench, sqs: Sqs) -> None:
    bench.clock.advance(seconds=0.123)
    came_at = bench.clock.now()
    sqs.put(POISON)
    sqs.messages[QUEUE][0].receives = 1
    bench.clock.advance(minutes=6)

    sqs.deliver(QUEUE, 10)

    assert [hint.came_at for hint in bench.hints_alone.sent] == [came_at]
    assert read_hint(write_hint(bench.hints_alone.sent[0])).came_at == came_at


def test_a_hint_that_cannot_be_moved_comes_again(bench: Bench, sqs: Sqs) -> None:
    bench.hints_alone.error = UnavailableError("SQS is down")
    sqs.put(POISON, INNOCENT)
    sqs.messages[QUEUE][0].receives = 1

    sqs.deliver(QUEUE, 10)

    assert [read_hint(each.body) for each in sqs.messages[QUEUE]] == [POISON]
    assert is_innocent_mirrored(bench)


def test_an_unreadable_message_is_handed_back_and_kills_nobody(bench: Bench, sqs: Sqs) -> None:
    sqs.put(INNOCENT)
    sqs.messages[QUEUE].append(Message(json.dumps({"reason": "none"}), bench.clock.now(), 3))

    sqs.deliver(QUEUE, 10)

    assert [message.receives for message in sqs.messages[QUEUE]] == [4]
    assert is_innocent_mirrored(bench)


def test_a_message_says_no_more_than_the_release_before_understands() -> None:
    """Workers of both releases run side by side during a deploy."""
    old = Hint(CONNECTION, INVOICE, 7, HintReason.CALLBACK)
    assert set(json.loads(write_hint(old))) == {
        "connection_id", "record_kind", "source_id", "reason", "attempts",
    }  # fmt: skip
    assert read_hint(write_hint(old)) == old
    came_at = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(milliseconds=7)
    full = replace(old, partner_id=PARTNER, came_at=came_at, times_put_off=3)
    assert read_hint(write_hint(full)) == full


@pytest.mark.parametrize("came_at_ms", [-1, 10**30, "soon", 1.5])
def test_a_message_of_no_time_is_unreadable(came_at_ms: object) -> None:
    content = {**json.loads(write_hint(POISON)), "came_at_ms": came_at_ms}
    with pytest.raises(ValueError, match="message"):
        read_hint(json.dumps(content))
