"""What the schedules start and mend, for every connection."""

from __future__ import annotations

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.errors import (
    CredentialsRejectedError,
    PermissionMissingError,
    UnavailableError,
)
from bridge.domain.job import Job
from bridge.domain.problem import ProblemCode
from bridge.domain.run import RunKind, RunState
from bridge.runs.schedule import STALLED_AFTER
from tests.builders.operations import CREDENTIALS, a_connection
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER
from tests.fakes.ports import WEBHOOK_BASE_URL
from tests.unit.mirror.bench import Bench
from tests.unit.mirror.psa import FakePsa

SYNCING = (ConnectionState.ACTIVE, ConnectionState.DEGRADED)


def runs_of(bench: Bench, connection_id: str = CONNECTION) -> list[RunKind]:
    page = bench.runs.list_of_connection(connection_id, limit=50)
    return [run.kind for run in page.items]


def other_connection(bench: Bench) -> FakePsa:
    bench.connect(a_connection(OTHER_CONNECTION, partner_id=OTHER_PARTNER))
    bench.fake_gateway.others[OTHER_CONNECTION] = FakePsa(bench.clock)
    return bench.fake_gateway.others[OTHER_CONNECTION]


# --- scheduled runs -------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(ConnectionState))
def test_runs_start_on_connections_that_have_been_imported(
    bench: Bench, state: ConnectionState
) -> None:
    bench.change_connection(state=state)

    bench.do_job(Job.CUSTOMERS)

    assert runs_of(bench) == ([RunKind.CUSTOMERS] if state in SYNCING else [])


def test_a_connection_with_such_a_run_going_on_is_passed(bench: Bench) -> None:
    other_connection(bench)
    bench.starter.start(bench.connection, RunKind.CUSTOMERS)

    bench.do_job(Job.CUSTOMERS)

    assert runs_of(bench, OTHER_CONNECTION) == [RunKind.CUSTOMERS]
    assert runs_of(bench) == [RunKind.CUSTOMERS]


def test_a_schedule_that_ticks_twice_starts_once(bench: Bench) -> None:
    bench.do_job(Job.SWEEP)
    bench.do_job(Job.SWEEP)

    assert runs_of(bench) == [RunKind.SWEEP]


def test_one_connections_failure_does_not_keep_the_others_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_connection(bench)
    failures = iter([UnavailableError("SQS is down")])
    send = bench.run_queue.send

    def fail_once(*arguments: object, **named: object) -> None:
        for error in failures:
            raise error
        send(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.run_queue, "send", fail_once)

    bench.do_job(Job.INVOICE_DELTA)

    started = [runs_of(bench, each) for each in (CONNECTION, OTHER_CONNECTION)]
    assert sorted(started) == [[], [RunKind.INVOICES]]


# --- stalled runs ---------------------------------------------------------------------------------


def test_a_run_whose_message_got_lost_is_queued_again(bench: Bench) -> None:
    run = bench.starter.start(bench.connection, RunKind.IMPORT)
    bench.run_queue.waiting.clear()
    bench.clock.advance(seconds=STALLED_AFTER.total_seconds())

    bench.do_job(Job.INVOICE_DELTA)

    assert bench.finish(run).state is RunState.SUCCEEDED


def test_a_run_that_moved_lately_is_left_alone(bench: Bench) -> None:
    run = bench.starter.start(bench.connection, RunKind.IMPORT)
    bench.clock.advance(seconds=STALLED_AFTER.total_seconds() - 1)

    bench.do_job(Job.INVOICE_DELTA)

    assert [message.run_id for message in bench.run_queue.sent].count(run.run_id) == 1


def test_an_ended_run_is_never_queued_again(bench: Bench) -> None:
    bench.run(RunKind.IMPORT)
    bench.run_queue.sent.clear()
    bench.clock.advance(hours=5)

    bench.do_job(Job.INVOICE_DELTA)

    assert [message.run_id for message in bench.run_queue.sent] == [
        run.run_id for run in bench.runs.list_active(CONNECTION)
    ]


# --- callbacks ------------------------------------------------------------------------------------


def test_registrations_are_kept_at_the_connections_own_secret_url(bench: Bench) -> None:
    bench.do_job(Job.CALLBACKS)

    (url,) = bench.psa.callback_urls
    path = f"/webhooks/connectwise/{CONNECTION}/{CREDENTIALS.callback_secret}"
    assert url.startswith(f"{WEBHOOK_BASE_URL}{path}")


def test_a_failure_is_a_problem_and_the_others_are_kept(bench: Bench) -> None:
    other = other_connection(bench)
    bench.psa.fail("ensure_callbacks", UnavailableError("down"))

    bench.do_job(Job.CALLBACKS)

    assert (ProblemCode.CALLBACKS_BROKEN, "connection") in bench.open_problems()
    assert len(other.callback_urls) == 1


def test_the_problem_closes_with_the_next_success(bench: Bench) -> None:
    bench.psa.fail("ensure_callbacks", UnavailableError("down"))
    bench.do_job(Job.CALLBACKS)
    bench.clock.advance(minutes=1)

    bench.do_job(Job.CALLBACKS)

    assert bench.open_problems() == {}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CredentialsRejectedError("no"), ProblemCode.CREDENTIALS_REJECTED),
        (PermissionMissingError("no"), ProblemCode.RIGHT_MISSING),
    ],
)
def test_a_connection_that_is_turned_away_is_degraded(
    bench: Bench, error: Exception, code: ProblemCode
) -> None:
    bench.psa.fail("ensure_callbacks", error)

    bench.do_job(Job.CALLBACKS)

    assert bench.connection.state is ConnectionState.DEGRADED
    assert {problem for problem, _ in bench.open_problems()} == {code}


def test_a_connection_without_a_secret_is_left_to_its_set_up(bench: Bench) -> None:
    bench.vault.put_credentials(CONNECTION, type(CREDENTIALS)("acme_c", "public", "private"))

    bench.do_job(Job.CALLBACKS)

    assert bench.psa.callback_urls == []
