"""Runs of a connection are listed, read and cancelled here."""

from __future__ import annotations

from dashboard_api.dependencies import Partner
from dashboard_api.models.runs import RunPage, RunView, WatermarkInput, WatermarkView
from dashboard_api.models.values import DEFAULT_PAGE_SIZE, Cursor, Limit, RecordId
from dashboard_api.resource import Resource

resource = Resource("runs")
_PATH = "/v1/connections/<connection_id>/runs"


@resource.route("GET", _PATH)
def list_runs(
    partner: Partner,
    connection_id: RecordId,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> RunPage:
    """List the runs of a connection, latest first."""
    partner.connection(connection_id)
    page = partner.services.runs.list_of_connection(connection_id, limit=limit, cursor=cursor)
    return RunPage.of(page, RunView.of)


@resource.route("GET", f"{_PATH}/<run_id>")
def get_run(partner: Partner, connection_id: RecordId, run_id: RecordId) -> RunView:
    """Return one run with its progress."""
    partner.connection(connection_id)
    return RunView.of(partner.services.run_control.get(connection_id, run_id))


@resource.route("POST", f"{_PATH}/<run_id>/cancel")
def cancel_run(partner: Partner, connection_id: RecordId, run_id: RecordId) -> RunView:
    """End a run after its present page; stored records stay."""
    partner.connection(connection_id)
    return RunView.of(partner.services.run_control.cancel(connection_id, run_id))


@resource.route("POST", "/v1/connections/<connection_id>/set-back-watermark")
def set_back_watermark(
    partner: Partner, connection_id: RecordId, form: WatermarkInput
) -> WatermarkView:
    """Have the changes of one kind taken again, from an earlier time on.

    It harms nothing, for a record that is as it was stays so. A watermark is never set forward.
    """
    partner.connection(connection_id)
    at = partner.services.watermarks.set_back(connection_id, form.kind, form.at)
    return WatermarkView(kind=form.kind, at=at)
