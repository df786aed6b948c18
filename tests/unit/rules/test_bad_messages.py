"""A message that nobody can work on is kept for an operator, and quoted nowhere."""

from __future__ import annotations

import logging
from typing import Any, cast

import httpx
import pytest

from bridge.aws.messages import write_run
from bridge.domain.work_messages import RunMessage
from bridge.entrypoints.batches import hints_in, run_messages_in
from bridge.store.connections import DynamoConnectionStore
from bridge.store.table import Table
from bridge.wiring import entrypoints
from tests.builders.records import CONNECTION
from tests.fakes.runs import InMemoryRunStore
from tests.unit.mirror.bench import Bench


@pytest.mark.parametrize("connection_id", ["not an id", "a#b", "x" * 100])
@pytest.mark.parametrize(
    ("queue", "content"),
    [
        ("hints", {"record_kind": "invoice", "source_id": 7, "reason": "callback", "attempts": 0}),
        ("run-steps", {"run_id": "r" * 32, "page_count": 0}),
        ("pdfs", {"invoice_id": f"{CONNECTION}-7"}),
    ],
)
def test_a_message_for_what_can_be_nobodys_connection_is_parked(
    queue: str, content: dict[str, Any], connection_id: str
) -> None:
    # Given the deployed store, which refuses such an id, behind the dead letters
    bench = Bench()
    table = Table(cast(Any, None), "operations", bench.clock)
    bench.connections = DynamoConnectionStore(table, lambda: pytest.fail("nothing is saved"))
    bench.runs = _RunsOfNobody(bench.clock)
    body = httpx.Response(200, json={"connection_id": connection_id, **content}).text
    arn = f"arn:aws:sqs:eu-central-1:1:bridge-test-{queue}-dead"
    record = {"messageId": "m-1", "eventSourceARN": arn, "body": body}

    answer = entrypoints.dead_letters(bench).park({"Records": [record]})

    # Then it leaves the dead letters for the operator, once
    assert answer == {"batchItemFailures": []}
    assert [kept for kept, _ in bench.parked_queue.messages] == [body]


class _RunsOfNobody(InMemoryRunStore):
    """Refuses an id as the deployed store does."""

    def get(self, connection_id: str, run_id: str) -> Any:
        return DynamoConnectionStore(
            Table(cast(Any, None), "x", self._clock), lambda: pytest.fail("nothing is saved")
        ).get(connection_id)


def test_an_unreadable_value_of_a_message_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    canary = "canary@northwind.example"
    body = write_run(RunMessage(CONNECTION, "r" * 32, 0)).replace("run_id", canary)
    hint = f'{{"connection_id":"c","record_kind":"{canary}","source_id":1,"reason":"callback"}}'

    with caplog.at_level(logging.DEBUG):
        assert hints_in({"Records": [{"messageId": "m-1", "body": hint}]}).unparsable_ids
        assert run_messages_in({"Records": [{"messageId": "m-2", "body": body}]}).unparsable_ids

    assert canary not in caplog.text
