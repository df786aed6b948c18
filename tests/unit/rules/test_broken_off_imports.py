"""A connection whose import did not come to its end can be brought there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.run import Run, RunKind, RunState
from tests.unit.connections.test_connect import REQUEST
from tests.unit.dashboard_api.world import World as Dashboard


def _cancel(dashboard: Dashboard, run: Run) -> None:
    dashboard.run_control.cancel(run.connection_id, run.run_id)


def _fail(dashboard: Dashboard, run: Run) -> None:
    stored = dashboard.runs.get(run.connection_id, run.run_id)
    failed = run.failed("message_parked", dashboard.clock.now())
    dashboard.runs.save(failed, expected_version=stored.version)


@pytest.mark.parametrize("end", [_cancel, _fail])
def test_verifying_starts_the_import_that_a_connection_still_waits_for(
    end: Callable[[Dashboard, Run], None],
) -> None:
    # Given a connection whose first import ended without success, so that no schedule runs for it
    dashboard = Dashboard()
    connection = dashboard.connector.connect(REQUEST)
    (run,) = dashboard.runs.list_of_connection(connection.connection_id, limit=10).items
    end(dashboard, run)

    for _ in range(2):
        dashboard.verifier.verify(connection)

    # Then there is one import going on
    runs = dashboard.runs.list_of_connection(connection.connection_id, limit=10).items
    assert [each.kind for each in runs if not each.has_ended] == [RunKind.IMPORT]


def test_a_connection_that_was_known_before_gets_its_import_by_verifying_too() -> None:
    # Given a company that is connected again, and a worker that dies before the import starts
    dashboard = Dashboard()
    first = dashboard.connector.connect(REQUEST)
    dashboard.disconnector.disconnect(first.partner_id, first.connection_id)
    start = dashboard.runs.start

    def killed(*_: object, **__: object) -> None:
        raise _KilledError

    dashboard.runs.start = killed  # type: ignore[method-assign]
    with pytest.raises(_KilledError):
        dashboard.connector.connect(REQUEST)
    dashboard.runs.start = start  # type: ignore[method-assign]

    again = dashboard.connections.get(first.connection_id).value
    assert again is not None
    dashboard.verifier.verify(again)

    runs = dashboard.runs.list_of_connection(first.connection_id, limit=10).items
    assert [each.state for each in runs if not each.has_ended] == [RunState.QUEUED]
    assert again.state is ConnectionState.IMPORTING


class _KilledError(BaseException):
    """The worker is gone: nothing after this runs."""
