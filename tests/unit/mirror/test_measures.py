"""What the person on call watches: how runs end, whether jobs start, and what stays open."""

from __future__ import annotations

from bridge.aws.messages import write_run
from bridge.domain.connection import ConnectionState
from bridge.domain.errors import CredentialsRejectedError
from bridge.domain.job import Job
from bridge.domain.run import RunKind
from bridge.domain.work_messages import RunMessage
from bridge.entrypoints.batches import run_messages_in
from bridge.ports import Measure
from tests.builders.records import CONNECTION, PARTNER
from tests.unit.conftest import LogLines
from tests.unit.mirror.bench import Bench, fill


def test_a_run_that_ends_is_counted_by_its_result(bench: Bench) -> None:
    fill(bench)
    done = bench.run(RunKind.INVOICES)
    bench.psa.fail("list_records", CredentialsRejectedError("no"))
    bench.run(RunKind.CUSTOMERS)
    (succeeded,) = bench.metrics.of(Measure.RUN_SUCCEEDED)
    (failed,) = bench.metrics.of(Measure.RUN_FAILED)
    assert succeeded.names == {
        "partner_id": PARTNER,
        "connection_id": CONNECTION,
        "run_id": done.run_id,
        "kind": "invoices",
    }
    assert failed.names["kind"] == "customers"


def test_a_run_of_a_connection_that_ended_is_cancelled(bench: Bench) -> None:
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.change_connection(state=ConnectionState.DISCONNECTED)
    bench.finish(run)
    assert len(bench.metrics.of(Measure.RUN_CANCELLED)) == 1


def test_each_start_of_a_schedule_is_counted_by_its_jobs(bench: Bench) -> None:
    bench.jobs.start({"jobs": ["invoice_delta", "heal_write_backs"], "part": 0})
    assert [noted.of for noted in bench.metrics.of(Measure.TICK)] == [
        "invoice_delta",
        "heal_write_backs",
    ]


def test_open_problems_are_counted_for_each_connection(bench: Bench) -> None:
    bench.do_job(Job.HEAL_WRITE_BACKS)
    bench.psa.fail("list_records", CredentialsRejectedError("no"))
    bench.run(RunKind.INVOICES)
    bench.do_job(Job.HEAL_WRITE_BACKS)
    counted = bench.metrics.of(Measure.OPEN_PROBLEMS)
    assert counted[0].value == 0
    assert counted[-1].value == len(bench.open_problems()) > 0
    assert counted[-1].names == {"partner_id": PARTNER, "connection_id": CONNECTION}


def test_the_line_of_a_message_names_partner_connection_and_record(
    bench: Bench, named_lines: LogLines
) -> None:
    fill(bench)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    body = write_run(RunMessage(run.connection_id, run.run_id, 0))
    run_messages_in({"Records": [{"messageId": "m1", "body": body}]}).work_each(
        bench.run_worker.work
    )
    (line,) = named_lines("message done")
    names = {"partner_id": PARTNER, "connection_id": CONNECTION, "run_id": run.run_id}
    assert line.items() >= {**names, "message_id": "m1"}.items()
