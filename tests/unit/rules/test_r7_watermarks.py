"""R7: a watermark overlaps, and a run is over only when all that follows from it is done."""

from __future__ import annotations

from bridge.domain.connection import ConnectionState
from bridge.domain.identity import RecordKind
from bridge.domain.run import Run, RunKind, RunState
from tests.builders.records import CONNECTION, a_customer, an_invoice
from tests.unit.mirror.bench import Bench


class _KilledError(BaseException):
    """The worker is gone: nothing after this runs."""


def test_a_change_that_connectwise_showed_late_is_taken_by_the_next_delta() -> None:
    # Given a delta that ended a moment before a change became visible, stamped a little earlier
    bench = Bench()
    bench.psa.put(a_customer(11), an_invoice(1001))
    bench.run(RunKind.INVOICES)
    bench.psa.put(an_invoice(1002))
    bench.psa.hidden.add((RecordKind.INVOICE, 1002))
    bench.clock.advance(minutes=4)
    bench.run(RunKind.INVOICES)
    bench.psa.hidden.clear()

    bench.clock.advance(minutes=15)
    bench.run(RunKind.INVOICES)

    assert bench.stored_invoice(1002).value is not None


def test_a_worker_killed_behind_an_imports_last_page_leaves_nothing_undone() -> None:
    # Given an import whose worker dies when the end of the run has just been stored
    bench = Bench()
    bench.change_connection(state=ConnectionState.IMPORTING)
    bench.psa.put(a_customer(11), an_invoice(1001))
    run = bench.starter.start(bench.connection, RunKind.IMPORT)
    save = bench.runs.save

    def stored_and_killed(run: Run, *, expected_version: int) -> int:
        version = save(run, expected_version=expected_version)
        if run.has_ended:
            raise _KilledError
        return version

    bench.runs.save = stored_and_killed  # type: ignore[method-assign]
    try:
        bench.finish(run)
    except _KilledError:
        bench.runs.save = save  # type: ignore[method-assign]

    # When its message comes again
    bench.work_once(run)

    # Then the connection is active and both watermarks are there
    assert bench.stored_run(run).state is RunState.SUCCEEDED
    assert bench.connection.state is ConnectionState.ACTIVE
    for kind in (RecordKind.CUSTOMER, RecordKind.INVOICE):
        assert bench.runs.get_watermark(CONNECTION, kind) is not None


def test_a_page_is_stored_before_the_next_one_is_asked_for() -> None:
    # Given a queue whose worker is there at once
    bench = Bench()
    bench.psa.put(a_customer(11), an_invoice(1001))
    send = bench.run_queue.send
    asked: list[int] = []

    def send_and_look(run: Run, *, delay_seconds: int = 0, times_put_off: int = 0) -> None:
        stored = bench.runs.get(run.connection_id, run.run_id).value
        assert stored is not None
        assert stored.page_count == run.page_count, "a worker would find nothing to do"
        asked.append(run.page_count)
        send(run, delay_seconds=delay_seconds)

    bench.run_queue.send = send_and_look  # type: ignore[method-assign]

    bench.run(RunKind.IMPORT)

    assert asked == [0, 1]
