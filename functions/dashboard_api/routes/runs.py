"""Runs of a connection."""

from __future__ import annotations

from bridge.sync.owned_connections import OwnedConnections
from dashboard_api.dependencies import Partner, Services, new_router
from dashboard_api.models.runs import RunPage, RunView
from dashboard_api.models.values import DEFAULT_PAGE_SIZE, Cursor, Limit, RecordId

router = new_router()
_TAGS = ["runs"]


@router.get(
    "/v1/connections/<connection_id>/runs",
    operation_id="listRuns",
    summary="Runs, latest first",
    tags=_TAGS,
)
def list_runs(
    partner: Partner,
    services: Services,
    connection_id: RecordId,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> RunPage:
    OwnedConnections(services.connections).get(partner.partner_id, connection_id)
    page = services.runs.list_of_connection(connection_id, limit=limit, cursor=cursor)
    return RunPage(items=[RunView.of(run) for run in page.items], next_cursor=page.next_cursor)


@router.get(
    "/v1/connections/<connection_id>/runs/<run_id>",
    operation_id="getRun",
    summary="One run with its progress",
    tags=_TAGS,
)
def get_run(
    partner: Partner, services: Services, connection_id: RecordId, run_id: RecordId
) -> RunView:
    OwnedConnections(services.connections).get(partner.partner_id, connection_id)
    return RunView.of(services.run_control.get(connection_id, run_id))


@router.post(
    "/v1/connections/<connection_id>/runs/<run_id>/cancel",
    operation_id="cancelRun",
    summary="End a run after its present page; what is stored stays",
    tags=_TAGS,
)
def cancel_run(
    partner: Partner, services: Services, connection_id: RecordId, run_id: RecordId
) -> RunView:
    OwnedConnections(services.connections).get(partner.partner_id, connection_id)
    return RunView.of(services.run_control.cancel(connection_id, run_id))
