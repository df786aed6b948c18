"""A connection that ConnectWise turned away, and takes again, needs nobody to say so."""

from __future__ import annotations

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.errors import CredentialsRejectedError, PermissionMissingError
from bridge.domain.job import Job
from bridge.domain.problem import CONNECTION_SUBJECT, ProblemCode, ProblemReport
from tests.unit.connections.test_connect import REQUEST
from tests.unit.dashboard_api.world import World
from tests.unit.mirror.bench import Bench


def turned_away(bench: Bench, error: Exception) -> None:
    bench.psa.fail("ensure_callbacks", error)
    bench.do_job(Job.CALLBACKS)
    assert bench.connection.state is ConnectionState.DEGRADED


def test_keys_that_are_accepted_again_make_the_connection_active() -> None:
    bench = Bench()
    turned_away(bench, CredentialsRejectedError("no"))

    bench.do_job(Job.CALLBACKS)

    assert bench.connection.state is ConnectionState.ACTIVE
    assert bench.open_problems() == {}


def test_a_missing_right_stays_until_somebody_verifies() -> None:
    bench = Bench()
    turned_away(bench, CredentialsRejectedError("no"))
    bench.health.report_failure(bench.connection, PermissionMissingError("no"))

    bench.do_job(Job.CALLBACKS)

    assert bench.connection.state is ConnectionState.DEGRADED
    assert {code for code, _ in bench.open_problems()} == {ProblemCode.RIGHT_MISSING}


def test_a_connection_without_a_secret_of_its_own_proves_nothing() -> None:
    # Given that nothing is asked of ConnectWise
    bench = Bench()
    turned_away(bench, CredentialsRejectedError("no"))
    credentials = bench.vault.get_credentials(bench.connection.connection_id)
    bench.vault.put_credentials(
        bench.connection.connection_id,
        type(credentials)(credentials.company_id, "public", "private"),
    )

    bench.do_job(Job.CALLBACKS)

    assert bench.connection.state is ConnectionState.DEGRADED


@pytest.mark.parametrize("code", [ProblemCode.CREDENTIALS_REJECTED, ProblemCode.RIGHT_MISSING])
def test_connecting_again_ends_what_was_wrong_with_the_keys_before(code: ProblemCode) -> None:
    # Given a connection that was given up because its keys did not work
    world = World()
    before = world.connector.connect(REQUEST)
    scope = (before.partner_id, before.connection_id)
    world.problems.report(ProblemReport(*scope, code, CONNECTION_SUBJECT), world.clock.now())
    world.disconnector.disconnect(*scope)

    # When it is connected with keys that do
    world.connector.connect(REQUEST)

    assert world.problems.open_of_connection(*scope) == {}


def test_registering_late_also_tells_who_our_api_member_is() -> None:
    # Given a connection whose callbacks could not be registered when it was set up
    bench = Bench()
    bench.change_connection(member_identifier="")

    bench.do_job(Job.CALLBACKS)

    # Then payments, which need to be told from those of others, can be written
    assert bench.connection.member_identifier == "BridgeApi"


def test_a_member_that_may_not_be_read_is_not_forgotten() -> None:
    bench = Bench()
    known = bench.connection.member_identifier

    def ensure_callbacks(url: str) -> str:
        return ""

    bench.psa.ensure_callbacks = ensure_callbacks  # type: ignore[method-assign]

    bench.do_job(Job.CALLBACKS)

    assert bench.connection.member_identifier == known != ""
