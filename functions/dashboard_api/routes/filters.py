"""Import filters of a connection are saved, tried out and enforced here."""

from __future__ import annotations

from bridge.ports import Activity
from dashboard_api.dependencies import Partner
from dashboard_api.models.archivings import ArchivingList, ArchivingView, UndoInput
from dashboard_api.models.filters import (
    FilterChoicesView,
    FiltersInput,
    FiltersView,
    PreviewView,
    SavedFiltersView,
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
    partner.take_share(Activity.SETUP_LISTS)
    connection, run = partner.services.filter_preferences.apply(
        partner.id, connection_id, lambda _: filters.to_domain()
    )
    return SavedFiltersView(filters=FiltersView.of(connection.filters), run=RunView.of(run))


@resource.route("GET", "/v1/connections/<connection_id>/filter-choices")
def list_filter_choices(partner: Partner, connection_id: RecordId) -> FilterChoicesView:
    """List the ConnectWise's own statuses, types and places, from which filters are chosen.

    The lists are at most five minutes old. One that ConnectWise denies names the missing right.
    """
    partner.take_share(Activity.SETUP_LISTS)
    choices = partner.services.filter_choices.list_all(partner.id, connection_id)
    return FilterChoicesView.of(choices)


@resource.route("POST", f"{_PATH}/preview")
def preview_filters(
    partner: Partner, connection_id: RecordId, filters: FiltersInput, cursor: Cursor = None
) -> PreviewView:
    """Compute the effect of other filters and leave everything as it is."""
    connection = partner.syncing_connection(connection_id)
    partner.take_share(Activity.FILTER_PREVIEW)
    preview = partner.services.filter_preview.preview(
        connection, filters.to_domain(), cursor=cursor
    )
    return PreviewView.of(preview)


@resource.route("POST", f"{_PATH}/archive-left")
def archive_left(partner: Partner, connection_id: RecordId, cursor: Cursor = None) -> ArchivingView:
    """Archive mirrored records that are outside the saved filters."""
    connection = partner.syncing_connection(connection_id)
    return ArchivingView.of(partner.services.filter_archive.archive_left(connection, cursor=cursor))


@resource.route("GET", "/v1/connections/<connection_id>/archivings")
def list_archivings(partner: Partner, connection_id: RecordId) -> ArchivingList:
    """List archivings by filters, latest first, and whether they may be undone."""
    connection = partner.connection(connection_id)
    return ArchivingList.of(partner.services.filter_archive.list_latest(connection))


@resource.route("POST", f"{_PATH}/undo-archive")
def undo_archive(
    partner: Partner, connection_id: RecordId, undo: UndoInput, cursor: Cursor = None
) -> ArchivingView:
    """Bring back the records that one of the listed archivings archived."""
    connection = partner.syncing_connection(connection_id)
    step = partner.services.filter_archive.undo(connection, undo.undo_id, cursor=cursor)
    return ArchivingView.of(step)
