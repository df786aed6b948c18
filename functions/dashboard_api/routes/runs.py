"""Runs of a connection are listed, read and cancelled here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from bridge.domain.run import RunKind, RunState
from bridge.domain.window import WINDOW_LENGTHS, Window
from bridge.entrypoints.fetch_models import FetchKind, FetchWindowList, FetchWindowView
from bridge.ports import RunQuery
from dashboard_api.dependencies import Partner
from dashboard_api.models.runs import RunPage, RunView, WatermarkInput, WatermarkView
from dashboard_api.models.values import (
    DEFAULT_PAGE_SIZE,
    Cursor,
    DateQuery,
    Limit,
    RecordId,
    refuse_reversed,
)
from dashboard_api.resource import Resource

resource = Resource("runs")
_PATH = "/v1/connections/<connection_id>/runs"
_RUNS = {kind: RunKind(kind.value) for kind in FetchKind}


@resource.route("GET", _PATH)
def list_runs(
    *,
    partner: Partner,
    connection_id: RecordId,
    kind: Annotated[RunKind | None, Query(description="Only runs of this kind.")] = None,
    state: Annotated[RunState | None, Query(description="Only in this state.")] = None,
    created_from: DateQuery = None,
    created_to: DateQuery = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> RunPage:
    """List the runs of a connection, latest first."""
    partner.connection(connection_id)
    refuse_reversed(created_from, created_to, "created_from")
    query = RunQuery(kind, state, created_from, created_to)
    page = partner.services.runs.list_of_connection(
        connection_id, query, limit=limit, cursor=cursor
    )
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


@resource.route("GET", "/v1/connections/<connection_id>/fetches")
def list_fetch_windows(partner: Partner, connection_id: RecordId) -> FetchWindowList:
    """Tell when each manual fetch may be started again."""
    partner.connection(connection_id)
    now = partner.services.clock.now()
    windows = partner.services.runs.get_window
    return FetchWindowList(
        items=[_fetch_window(kind, windows(connection_id, _RUNS[kind]), now) for kind in FetchKind]
    )


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


def _fetch_window(kind: FetchKind, taken: Window | None, now: datetime) -> FetchWindowView:
    is_free = taken is None or taken.free_at <= now
    return FetchWindowView(
        kind=kind,
        is_free=is_free,
        free_at=None if taken is None or is_free else taken.free_at,
        every_seconds=int(WINDOW_LENGTHS[_RUNS[kind]].total_seconds()),
    )
