"""A person asks here where a record of ConnectWise is."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from bridge.domain.errors import InvalidInputError
from dashboard_api.dependencies import Partner
from dashboard_api.models.record_search import FindingList, FindingView, RecordKindName
from dashboard_api.models.values import RecordId
from dashboard_api.resource import Resource

resource = Resource("connections")

SourceIdQuery = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="The record's id in ConnectWise.")
]
LabelQuery = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="An invoice's number, or a company's identifier.",
    ),
]


@resource.route("GET", "/v1/connections/<connection_id>/records/<kind>")
def search_records(
    partner: Partner,
    connection_id: RecordId,
    kind: Annotated[RecordKindName, Path(description="`customers` or `invoices`.")],
    source_id: SourceIdQuery = None,
    number: LabelQuery = None,
) -> FindingList:
    """Tell where a record of ConnectWise is, and why it is not here.

    Name its `source_id` or its `number`. ConnectWise is asked where the mirror has no answer, so
    a partner may search 20 times a minute.
    """
    connection = partner.syncing_connection(connection_id)
    if (source_id is None) == (number is None):
        raise InvalidInputError("name either source_id or number", field="source_id")
    search = partner.services.record_search
    if source_id is not None:
        findings = search.by_id(connection, kind.record_kind, source_id)
    else:
        findings = search.by_label(connection, kind.record_kind, number or "")
    return FindingList(items=[FindingView.of(finding) for finding in findings])
