"""R8: one connection's trouble keeps no other connection's callbacks waiting."""

from __future__ import annotations

from bridge.domain.errors import OutOfTimeError, UnavailableError
from bridge.entrypoints.reconciler_jobs import Job
from tests.builders.operations import a_connection
from tests.builders.records import (
    CONNECTION,
    OTHER_CONNECTION,
    OTHER_PARTNER,
)
from tests.unit.mirror.bench import Bench
from tests.unit.mirror.psa import FakePsa


def two_connections() -> tuple[Bench, FakePsa]:
    """A bench whose own connection comes first, and the ConnectWise of the other one."""
    bench = Bench()
    bench.connect(a_connection(OTHER_CONNECTION, partner_id=OTHER_PARTNER))
    other = bench.fake_gateway.others[OTHER_CONNECTION] = FakePsa(bench.clock)
    first, second = sorted([(CONNECTION, bench.psa), (OTHER_CONNECTION, other)])
    bench.fake_gateway.others[first[0]] = first[1]
    bench.psa = first[1]
    return bench, second[1]


def test_a_failure_that_nobody_foresaw_keeps_no_other_connections_callbacks_waiting() -> None:
    bench, other = two_connections()
    bench.psa.fail("ensure_callbacks", RuntimeError("a mistake of ours"))

    assert bench.jobs.do(Job.CALLBACKS) == {"kept": 1}
    assert len(other.callback_urls) == 1


def test_when_time_runs_out_nothing_is_said_to_be_wrong_with_those_that_are_left() -> None:
    bench, other = two_connections()
    bench.psa.fail("ensure_callbacks", UnavailableError("does not answer"))
    other.fail("ensure_callbacks", OutOfTimeError("no time left"))
    bench.clock.set_remaining(2)

    assert bench.jobs.do(Job.CALLBACKS) == {"kept": 0}

    troubled = {
        problem.connection_id
        for partner_id in (bench.connection.partner_id, OTHER_PARTNER)
        for connection_id in (CONNECTION, OTHER_CONNECTION)
        for problem in bench.problems.open_of_connection(partner_id, connection_id).values()
    }
    assert troubled == {min(CONNECTION, OTHER_CONNECTION)}
