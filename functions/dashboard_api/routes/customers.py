"""Customers are read here; those made on the platform are also written here."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from bridge.domain.mirrored_kinds import CUSTOMERS
from bridge.ports import CustomerQuery
from dashboard_api.dependencies import Partner
from dashboard_api.models.customers import CustomerInput, CustomerPage, CustomerPatch, CustomerView
from dashboard_api.models.values import (
    DEFAULT_PAGE_SIZE,
    ConnectionIdQuery,
    Cursor,
    Flag,
    Limit,
    RecordId,
)
from dashboard_api.resource import Resource

resource = Resource("customers")


@resource.route("GET", "/v1/customers")
def list_customers(
    *,
    partner: Partner,
    archived: Annotated[
        Flag, Query(description="Those that left the open view, instead of those in it.")
    ] = False,
    connection_id: ConnectionIdQuery = None,
    name: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=100,
            description="Words of the name, or how they begin, in any case and order.",
        ),
    ] = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> CustomerPage:
    """List customers by name; those found by a word by that word first."""
    query = CustomerQuery(is_archived=archived, connection_id=connection_id, name=name)
    page = partner.services.records.list_customers(partner.id, query, limit=limit, cursor=cursor)
    outside = partner.outside_filters(page.items)
    return CustomerPage.of(page, lambda customer: CustomerView.of(customer, outside))


@resource.route("POST", "/v1/customers", status=HTTPStatus.CREATED)
def create_customer(partner: Partner, customer: CustomerInput) -> CustomerView:
    """Create a customer on the platform, which stays unknown to ConnectWise."""
    return CustomerView.of(
        partner.services.platform_records.create_customer(partner.id, customer.to_details())
    )


@resource.route("GET", "/v1/customers/<customer_id>")
def get_customer(partner: Partner, customer_id: RecordId) -> CustomerView:
    """Return one customer."""
    customer = partner.record(CUSTOMERS, customer_id)
    return CustomerView.of(customer, partner.outside_filters([customer]))


@resource.route("PATCH", "/v1/customers/<customer_id>")
def change_customer(partner: Partner, customer_id: RecordId, patch: CustomerPatch) -> CustomerView:
    """Change a customer that was made on the platform."""
    return CustomerView.of(
        partner.services.platform_records.change_customer(partner.id, customer_id, patch.apply_to)
    )


@resource.route("DELETE", "/v1/customers/<customer_id>", status=HTTPStatus.NO_CONTENT)
def archive_customer(partner: Partner, customer_id: RecordId) -> Response[None]:
    """Archive a customer that was made on the platform."""
    partner.services.platform_records.archive_customer(partner.id, customer_id)
    return Response(HTTPStatus.NO_CONTENT.value)
