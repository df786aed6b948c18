"""A run is started only where something is to be done, and its watermark moves all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.errors import CredentialsRejectedError, OutOfTimeError, UnavailableError
from bridge.domain.identity import RecordKind, new_id
from bridge.domain.job import CADENCES, Job
from bridge.domain.problem import CONNECTION_SUBJECT, ProblemCode, run_subject
from bridge.domain.run import RunKind
from bridge.domain.watermark import OVERLAP
from bridge.ports import Silence
from bridge.runs.quiet_look import MAX_LISTED
from tests.builders.records import CONNECTION, a_customer, an_invoice
from tests.unit.mirror.bench import Bench, fill

KINDS = {
    Job.INVOICE_DELTA: (RunKind.INVOICES, RecordKind.INVOICE),
    Job.CUSTOMERS: (RunKind.CUSTOMERS, RecordKind.CUSTOMER),
}
HOUR = timedelta(hours=1)
EITHER = pytest.mark.parametrize("job", KINDS)


@pytest.fixture
def mirrored(bench: Bench) -> Bench:
    """A connection whose records are mirrored, and older than any overlap."""
    fill(bench)
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=2)
    for job in KINDS:
        bench.run(KINDS[job][0])
    bench.psa.calls.clear()
    return bench


def started(bench: Bench, job: Job) -> bool:
    """Do the job, and tell whether it started a run."""
    bench.do_job(job)
    return any(run.kind is KINDS[job][0] for run in bench.runs.list_active(CONNECTION))


def watermark(bench: Bench, job: Job) -> datetime:
    found = bench.runs.get_watermark(CONNECTION, KINDS[job][1])
    assert found is not None
    return found


def pass_period(bench: Bench, job: Job) -> None:
    bench.clock.advance(seconds=CADENCES[job].period.total_seconds())


# --- nothing changed ---------------------------------------------------------------------------


def test_a_quiet_quarter_of_an_hour_costs_one_call_for_invoices(mirrored: Bench) -> None:
    pass_period(mirrored, Job.INVOICE_DELTA)
    assert not started(mirrored, Job.INVOICE_DELTA)
    assert mirrored.psa.calls == ["list_records"]


def test_a_quiet_hour_costs_two_calls_for_customers_and_their_contacts(mirrored: Bench) -> None:
    pass_period(mirrored, Job.CUSTOMERS)
    assert not started(mirrored, Job.CUSTOMERS)
    assert mirrored.psa.calls == ["list_records", "list_customers_with_changed_contacts"]


@EITHER
def test_a_watermark_follows_once_an_hour(
    mirrored: Bench, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = counted(mirrored, monkeypatch)
    for _ in range(8):
        mirrored.clock.advance(minutes=15)
        assert not started(mirrored, job)
    assert len(moves) == 2
    assert mirrored.clock.now() - watermark(mirrored, job) < HOUR


def counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    moves: list[datetime] = []
    move = bench.runs.set_watermark

    def set_watermark(
        connection_id: str,
        kind: RecordKind,
        watermark: datetime,
        *,
        taken_since: datetime | None = None,
    ) -> None:
        moves.append(watermark)
        move(connection_id, kind, watermark, taken_since=taken_since)

    monkeypatch.setattr(bench.runs, "set_watermark", set_watermark)
    return moves


@EITHER
def test_what_the_overlap_lists_again_is_no_change(mirrored: Bench, job: Job) -> None:
    # Given records that changed, and were mirrored by a run
    mirrored.psa.put(an_invoice(1001, reference="new"), a_customer(name="New"))
    mirrored.run(KINDS[job][0])
    mirrored.work_off_hints()
    # When its overlap lists them once more
    mirrored.clock.advance(minutes=1)
    # Then nothing is to be done
    assert not started(mirrored, job)


@EITHER
def test_a_quiet_look_ends_the_problems_of_an_outage(mirrored: Bench, job: Job) -> None:
    connection = mirrored.connection
    for code, subject in (
        (ProblemCode.CONNECTWISE_UNREACHABLE, CONNECTION_SUBJECT),
        (ProblemCode.RUN_FAILED, run_subject(KINDS[job][0])),
    ):
        mirrored.problems.report(connection.report(code, subject), mirrored.clock.now())

    assert not started(mirrored, job)

    assert mirrored.open_problems() == {}


# --- something may have changed ----------------------------------------------------------------


def test_a_changed_record_starts_a_run_that_takes_it(mirrored: Bench) -> None:
    pass_period(mirrored, Job.INVOICE_DELTA)
    mirrored.psa.put(an_invoice(1002, reference="changed"))

    assert started(mirrored, Job.INVOICE_DELTA)

    (run,) = mirrored.runs.list_active(CONNECTION)
    mirrored.finish(run)
    assert mirrored.invoice(1002).reference == "changed"


@EITHER
def test_a_new_record_starts_a_run(mirrored: Bench, job: Job) -> None:
    pass_period(mirrored, job)
    mirrored.psa.put(an_invoice(1099), a_customer(99))
    assert started(mirrored, job)


def test_a_changed_contact_starts_a_run(mirrored: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    pass_period(mirrored, Job.CUSTOMERS)
    monkeypatch.setattr(
        mirrored.psa, "list_customers_with_changed_contacts", lambda _: frozenset({11})
    )
    assert started(mirrored, Job.CUSTOMERS)


def test_more_than_a_look_compares_starts_a_run(mirrored: Bench) -> None:
    mirrored.psa.put(*(an_invoice(2000 + number) for number in range(MAX_LISTED + 1)))
    mirrored.run(RunKind.INVOICES)
    assert started(mirrored, Job.INVOICE_DELTA)


def without_watermark(bench: Bench) -> None:
    bench.runs._watermarks.clear()


def with_watermark_to_come(bench: Bench) -> None:
    for _, kind in KINDS.values():
        bench.runs.set_watermark(CONNECTION, kind, bench.clock.now() + HOUR)


def with_silent_server(bench: Bench) -> None:
    silence = Silence(CONNECTION, timedelta(minutes=1), bench.clock.now(), new_id())
    bench.silences.put(silence, replaces=None)


@EITHER
@pytest.mark.parametrize("given", [without_watermark, with_watermark_to_come, with_silent_server])
def test_what_only_a_run_can_do_starts_one_unasked(
    mirrored: Bench, job: Job, given: Callable[[Bench], None]
) -> None:
    given(mirrored)
    assert started(mirrored, job)
    assert mirrored.psa.calls == []


@EITHER
@pytest.mark.parametrize(
    "error", [UnavailableError("down"), OutOfTimeError("slow"), CredentialsRejectedError("no")]
)
def test_a_look_that_fails_leaves_it_to_a_run(mirrored: Bench, job: Job, error: Exception) -> None:
    mirrored.psa.fail("list_records", error)
    before = watermark(mirrored, job)
    assert started(mirrored, job)
    assert watermark(mirrored, job) == before
    assert mirrored.open_problems() == {}


@EITHER
def test_a_clock_that_fell_back_is_a_runs_to_follow(
    mirrored: Bench, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_records = mirrored.psa.list_records

    def an_hour_behind(*arguments: object, **named: object) -> object:
        page = list_records(*arguments, **named)  # type: ignore[arg-type]
        return replace(page, server_time=page.server_time - HOUR)

    monkeypatch.setattr(mirrored.psa, "list_records", an_hour_behind)
    before = watermark(mirrored, job)
    assert started(mirrored, job)
    assert watermark(mirrored, job) == before


@EITHER
def test_a_watermark_that_was_set_back_during_a_look_stays_there(
    mirrored: Bench, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_period(mirrored, Job.CUSTOMERS)
    earlier = watermark(mirrored, job) - OVERLAP - HOUR
    list_records = mirrored.psa.list_records

    def set_back_meanwhile(*arguments: object, **named: object) -> object:
        mirrored.runs.set_watermark_back(CONNECTION, KINDS[job][1], earlier)
        return list_records(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(mirrored.psa, "list_records", set_back_meanwhile)
    assert not started(mirrored, job)
    assert watermark(mirrored, job) == earlier


def test_a_connection_that_is_being_imported_is_not_looked_at(mirrored: Bench) -> None:
    mirrored.change_connection(state=ConnectionState.IMPORTING)
    assert not started(mirrored, Job.CUSTOMERS)
    assert mirrored.psa.calls == []
