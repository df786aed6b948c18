"""Import filters of a connection."""

from __future__ import annotations

from bridge.domain.connection import Connection
from bridge.runtime.dashboard_services import DashboardServices
from bridge.sync.owned_connections import OwnedConnections
from dashboard_api.dependencies import Partner, Services, new_router
from dashboard_api.models.filters import (
    ArchivingView,
    FiltersInput,
    FiltersView,
    PreviewView,
    SavedFiltersView,
    UndoInput,
)
from dashboard_api.models.runs import RunView
from dashboard_api.models.values import Cursor, RecordId

router = new_router()
_TAGS = ["filters"]


@router.put(
    "/v1/connections/<connection_id>/filters",
    operation_id="saveFilters",
    summary="Save import filters and start an import",
    description="Records that the filters leave outside are kept until they are archived.",
    tags=_TAGS,
)
def save_filters(
    partner: Partner, services: Services, connection_id: RecordId, filters: FiltersInput
) -> SavedFiltersView:
    connection, run = services.filter_changes.apply(
        partner.partner_id, connection_id, filters.to_domain()
    )
    return SavedFiltersView(filters=FiltersView.of(connection.filters), run=RunView.of(run))


@router.post(
    "/v1/connections/<connection_id>/filters/preview",
    operation_id="previewFilters",
    summary="What other filters would change; nothing is changed",
    tags=_TAGS,
)
def preview_filters(
    partner: Partner,
    services: Services,
    connection_id: RecordId,
    filters: FiltersInput,
    cursor: Cursor = None,
) -> PreviewView:
    connection = _syncing(services, partner.partner_id, connection_id)
    preview = services.filter_preview.preview(connection, filters.to_domain(), cursor=cursor)
    return PreviewView.of(preview)


@router.post(
    "/v1/connections/<connection_id>/filters/archive-left",
    operation_id="archiveLeft",
    summary="Archive mirrored records that are outside the saved filters",
    tags=_TAGS,
)
def archive_left(
    partner: Partner, services: Services, connection_id: RecordId, cursor: Cursor = None
) -> ArchivingView:
    connection = _syncing(services, partner.partner_id, connection_id)
    return ArchivingView.of(services.filter_changes.archive_left(connection, cursor=cursor))


@router.post(
    "/v1/connections/<connection_id>/filters/undo-archive",
    operation_id="undoArchive",
    summary="Bring back what one archiving archived",
    tags=_TAGS,
)
def undo_archive(
    partner: Partner,
    services: Services,
    connection_id: RecordId,
    undo: UndoInput,
    cursor: Cursor = None,
) -> ArchivingView:
    connection = _syncing(services, partner.partner_id, connection_id)
    step = services.filter_changes.undo(connection, undo.undo_id, cursor=cursor)
    return ArchivingView.of(step)


def _syncing(services: DashboardServices, partner_id: str, connection_id: str) -> Connection:
    return OwnedConnections(services.connections).get_syncing(partner_id, connection_id)
