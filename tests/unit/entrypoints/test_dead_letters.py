"""What failed for ever becomes a problem, and its message waits for an operator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from bridge.aws.messages import write_key_request, write_write_back
from bridge.domain.problem import Action, Problem, ProblemCode, ProblemReport, ProblemState
from bridge.domain.work_messages import SigningKeyRequest, WriteBackMessage
from bridge.domain.write_back import Reason, WriteBack
from bridge.domain.write_back.changes import LONGEST_WAIT, confirm, follow_up, hand_over
from bridge.payments.write_back_problems import REASON_TEXTS
from bridge.wiring import entrypoints, use_cases
from tests.builders.operations import a_connection
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION, PARTNER
from tests.fakes.clock import START, FakeClock
from tests.fakes.ports import InMemoryPorts
from tests.unit.mirror.psa import FakeGateway, FakePsa

QUEUE = "bridge-test-writebacks-dead"


class Bench(InMemoryPorts):
    """The dead letters of one system, with one write-back that was recorded."""

    def __init__(self) -> None:
        super().__init__(FakeGateway(FakePsa(FakeClock())))
        payment = a_platform_payment()
        (self.write_back,) = write_backs_for(payment)
        self.ledger.record(payment, [self.write_back])
        self.dead_letters = entrypoints.dead_letters(self)

    def move(self, change: Callable[[WriteBack], WriteBack]) -> None:
        """Let a worker store a next state, without showing anything."""
        stored = self.ledger.get_write_back(CONNECTION, self.write_back.write_back_id)
        assert stored.value is not None
        self.ledger.save_write_back(change(stored.value), expected_version=stored.version)

    def die(self, body: str | None = None) -> dict[str, Any]:
        message = WriteBackMessage(CONNECTION, self.write_back.write_back_id)
        return self.dead_letters.park(
            {
                "Records": [
                    {
                        "messageId": "m-1",
                        "eventSourceARN": f"arn:aws:sqs:us-east-1:1:{QUEUE}",
                        "body": write_write_back(message) if body is None else body,
                    }
                ]
            }
        )

    def open_problems(self) -> list[Problem]:
        return list(self.problems.list(PARTNER, state=ProblemState.OPEN, limit=10).items)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def confirmed(write_back: WriteBack) -> WriteBack:
    return follow_up(confirm(write_back, 7001, START), Reason.NONE)


def test_a_write_back_that_keeps_failing_is_an_open_problem(bench: Bench) -> None:
    assert bench.die() == {"batchItemFailures": []}
    (problem,) = bench.open_problems()
    assert (problem.code, problem.subject, problem.detail) == (
        ProblemCode.PAYMENT_NOT_WRITTEN,
        "write_back/pay-1.1001",
        REASON_TEXTS[Reason.OUR_FAULT],
    )
    assert Action.RETRY in problem.actions


def test_the_message_waits_for_an_operator_with_the_queue_that_it_failed_in(bench: Bench) -> None:
    bench.die()
    ((body, source),) = bench.parked_queue.messages
    assert (body, source) == (
        write_write_back(WriteBackMessage(CONNECTION, "pay-1.1001")), QUEUE,
    )  # fmt: skip


def test_the_write_back_itself_is_found_again_but_makes_room_for_others(bench: Bench) -> None:
    """Else as many as are looked at in one go could keep all others waiting."""
    bench.die()
    assert bench.ledger.list_due(START, limit=10) == ()
    (later,) = bench.ledger.list_due(START + LONGEST_WAIT, limit=10)
    assert later.due_at == START + LONGEST_WAIT


def test_the_problem_is_over_when_a_later_message_brings_the_payment_in(bench: Bench) -> None:
    bench.die()
    bench.move(confirmed)
    use_cases.write_back_problems(bench).show_stored(
        bench.ledger, CONNECTION, bench.write_back.write_back_id
    )
    assert bench.open_problems() == []


def test_a_message_of_what_was_done_meanwhile_opens_nothing(bench: Bench) -> None:
    bench.move(confirmed)
    bench.die()
    assert bench.open_problems() == []


def test_what_waits_for_a_person_keeps_the_reason_that_it_waits_for(bench: Bench) -> None:
    """A worker may have died between storing the reason and showing it."""
    bench.move(lambda write_back: hand_over(write_back, Reason.INVOICE_LOCKED))
    bench.die()
    (problem,) = bench.open_problems()
    assert problem.detail == REASON_TEXTS[Reason.INVOICE_LOCKED]


def test_what_is_finished_while_its_problem_is_opened_has_none_in_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = bench.problems.report

    def report_after_another_worker(trouble: ProblemReport, now: datetime) -> None:
        bench.move(confirmed)
        report(trouble, now)

    monkeypatch.setattr(bench.problems, "report", report_after_another_worker)
    bench.die()
    assert bench.open_problems() == []


@pytest.mark.parametrize(
    "body",
    [
        '{"connection_id":"c","write_back_id":"unknown.1"}',
        '{"connection_id":"c"}',
        "no json",
        "[]",
    ],
)
def test_a_message_about_nothing_known_is_kept_and_opens_nothing(bench: Bench, body: str) -> None:
    assert bench.die(body) == {"batchItemFailures": []}
    assert bench.open_problems() == []
    assert bench.parked_queue.messages == [(body, QUEUE)]


def test_a_message_stays_when_its_problem_cannot_be_opened(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(bench.problems, "report", fail)
    assert bench.die() == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert bench.parked_queue.messages == []


def test_an_unreadable_message_that_names_its_connection_opens_a_problem() -> None:
    bench = Bench()
    bench.connections.save(a_connection(CONNECTION), expected_version=0)
    bodies = [f'{{"connection_id": "{CONNECTION}", "reason": "nonsense"}}', "no json", "[]"]
    records = [
        {"messageId": str(number), "eventSourceARN": "arn:aws:sqs:r:1:bridge-hints-dead", "body": b}
        for number, b in enumerate(bodies)
    ]

    assert bench.dead_letters.park({"Records": records}) == {"batchItemFailures": []}

    assert [body for body, _ in bench.parked_queue.messages] == bodies
    page = bench.problems.list(PARTNER, state=ProblemState.OPEN, limit=10)
    assert [problem.code for problem in page.items] == [ProblemCode.MESSAGE_UNREADABLE]


def test_a_request_for_a_signing_key_is_kept_and_opens_nothing(bench: Bench) -> None:
    bench.connections.save(a_connection(), expected_version=0)
    body = write_key_request(SigningKeyRequest(PARTNER, CONNECTION, "d" * 64))
    record = {
        "messageId": "m-1",
        "eventSourceARN": "arn:aws:sqs:us-east-1:1:bridge-test-hints-dead",
    }

    answer = bench.dead_letters.park({"Records": [{**record, "body": body}]})

    assert answer == {"batchItemFailures": []}
    assert bench.open_problems() == []
    assert bench.parked_queue.messages == [(body, "bridge-test-hints-dead")]
