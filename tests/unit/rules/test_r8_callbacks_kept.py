"""R8: one connection's trouble keeps no other connection's callbacks waiting."""

from __future__ import annotations

from bridge.domain.job import Job
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

    bench.do_job(Job.CALLBACKS)

    assert len(other.callback_urls) == 1
