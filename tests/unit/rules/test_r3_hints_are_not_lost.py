"""R3: a hint is taken only after it is durable, and deleted only after it is looked into."""

from __future__ import annotations

import importlib
from typing import Any, cast

import pytest

from bridge.aws.messages import write_hint, write_run
from bridge.connectwise.callback_intake import Callback, Verdict
from bridge.domain.errors import PermanentError, UnavailableError
from bridge.domain.hint import MAX_HINT_ATTEMPTS, Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.run import RunKind
from bridge.domain.work_messages import RunMessage
from bridge.entrypoints.entry import LambdaContext
from bridge.store.callback_endpoints import DynamoCallbackEndpoints
from bridge.store.connection_endpoints import ConnectionEndpoints
from bridge.store.table import Table
from bridge.wiring import entrypoints, use_cases
from tests.builders.records import CONNECTION, a_customer, an_invoice
from tests.fakes.connections import InMemoryConnectionStore
from tests.fakes.ports import InMemoryCallbackPorts
from tests.unit.entrypoints.test_entry import Context
from tests.unit.mirror.bench import Bench

CONTEXT = cast(LambdaContext, Context())


def sqs(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m-{i}", "body": body} for i, body in enumerate(bodies)]}


def failed_ids(answer: dict[str, Any]) -> list[str]:
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_the_queue_keeps_just_the_hints_that_were_not_looked_into(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a hint that has waited as often as it may, one that is new, and no ConnectWise
    bench = Bench()
    handler = importlib.import_module("record_sync.handler")
    workers = entrypoints.hint_batches(bench), use_cases.signing_key_fetch(bench)
    monkeypatch.setattr(handler, "_workers", lambda: workers)
    bench.psa.fail("fetch_invoices", UnavailableError("down"))
    last, new = (
        write_hint(Hint(CONNECTION, RecordKind.INVOICE, source_id, HintReason.RETRY, attempts))
        for source_id, attempts in ((1001, MAX_HINT_ATTEMPTS - 1), (1002, 0))
    )

    answer = handler.lambda_handler(sqs(last, new, "{"), CONTEXT)

    # Then the first comes again and ends as a problem, the second waits for another try
    assert sorted(failed_ids(answer)) == ["m-0", "m-2"]
    assert len(bench.hints.waiting) == 1


def test_a_page_that_failed_for_an_unforeseen_reason_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    bench.psa.put(a_customer(11), an_invoice(1001))
    run = bench.starter.start(bench.connection, RunKind.IMPORT)
    handler = importlib.import_module("bulk_sync.handler")
    monkeypatch.setattr(handler, "_worker", lambda: bench.run_worker)
    bench.psa.fail("list_records", RuntimeError("nobody foresaw this"))
    event = sqs(write_run(RunMessage(run.connection_id, run.run_id, 0)))

    assert failed_ids(handler.lambda_handler(event, CONTEXT)) == ["m-0"]
    assert failed_ids(handler.lambda_handler(event, CONTEXT)) == []
    assert bench.stored_run(run).page_count == 1


@pytest.mark.parametrize("connection_id", ["a b", "x#y", "..", "c" * 3000, "C" * 32, "é"])
def test_a_path_that_can_be_no_connections_is_unknown_and_no_fault_of_ours(
    connection_id: str,
) -> None:
    # Given the deployed store, which no such id may reach
    ports = InMemoryCallbackPorts(
        InMemoryConnectionStore(), lambda: pytest.fail("nothing is asked for")
    )
    table = Table(cast(Any, None), "no such table", ports.clock)
    ports.callback_endpoints = DynamoCallbackEndpoints(table, before=ConnectionEndpoints(table))
    intake = use_cases.callback_intake(ports)

    verdict = intake.take(Callback(connection_id, "s" * 43, b"{}", None))

    assert verdict is Verdict.UNKNOWN


def test_a_hint_that_no_worker_can_work_on_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.psa.put(a_customer(11), an_invoice(1001), an_invoice(1002))
    bench.psa.fail("fetch_invoices", PermanentError("both"))
    bench.psa.fail("fetch_invoices", PermanentError("the first"))

    returned = bench.hint(RecordKind.INVOICE, 1001, 1002)

    assert [hint.source_id for hint in returned] == [1001]
    assert bench.stored_invoice(1002).value is not None
