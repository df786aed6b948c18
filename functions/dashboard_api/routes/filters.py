"""Import filters of a connection are saved, tried out and enforced here."""

from __future__ import annotations

from dashboard_api.dependencies import Partner
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
from dashboard_api.resource import Resource

resource = Resource("filters")
_PATH = "/v1/connections/<connection_id>/filters"


@resource.route("PUT", _PATH)
def save_filters(
    partner: Partner, connection_id: RecordId, filters: FiltersInput
) -> SavedFiltersView:
    """Save import filters and start an import.

    Records that the filters leave outside are kept until they are archived.
    """
    connection, run = partner.services.filter_preferences.apply(
        partner.id, connection_id, filters.to_domain()
    )
    return SavedFiltersView(filters=FiltersView.of(connection.filters), run=RunView.of(run))


@resource.route("POST", f"{_PATH}/preview")
def preview_filters(
    partner: Partner, connection_id: RecordId, filters: FiltersInput, cursor: Cursor = None
) -> PreviewView:
    """Compute the effect of other filters and leave everything as it is."""
    connection = partner.syncing_connection(connection_id)
    preview = partner.services.filter_preview.preview(
        connection, filters.to_domain(), cursor=cursor
    )
    return PreviewView.of(preview)


@resource.route("POST", f"{_PATH}/archive-left")
def archive_left(partner: Partner, connection_id: RecordId, cursor: Cursor = None) -> ArchivingView:
    """Archive mirrored records that are outside the saved filters."""
    connection = partner.syncing_connection(connection_id)
    return ArchivingView.of(partner.services.filter_archive.archive_left(connection, cursor=cursor))


@resource.route("POST", f"{_PATH}/undo-archive")
def undo_archive(
    partner: Partner, connection_id: RecordId, undo: UndoInput, cursor: Cursor = None
) -> ArchivingView:
    """Bring back the records that one archiving archived."""
    connection = partner.syncing_connection(connection_id)
    step = partner.services.filter_archive.undo(connection, undo.undo_id, cursor=cursor)
    return ArchivingView.of(step)
