"""Customers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from bridge.domain.errors import NotFoundError
from bridge.domain.identity import is_record_id
from bridge.ports import CustomerQuery
from dashboard_api.dependencies import Partner, Services, new_router
from dashboard_api.models.customers import (
    CustomerInput,
    CustomerPage,
    CustomerPatch,
    CustomerView,
)
from dashboard_api.models.values import (
    DEFAULT_PAGE_SIZE,
    ConnectionIdQuery,
    Cursor,
    Flag,
    Limit,
    RecordId,
)

router = new_router()
_TAGS = ["customers"]


@router.get("/v1/customers", operation_id="listCustomers", summary="Customers by name", tags=_TAGS)
def list_customers(
    *,
    partner: Partner,
    services: Services,
    archived: Flag = False,
    connection_id: ConnectionIdQuery = None,
    name: Annotated[
        str | None, Query(min_length=1, max_length=100, description="How the name begins.")
    ] = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> CustomerPage:
    query = CustomerQuery(is_archived=archived, connection_id=connection_id, name=name)
    page = services.records.list_customers(partner.partner_id, query, limit=limit, cursor=cursor)
    return CustomerPage(
        items=[CustomerView.of(customer) for customer in page.items], next_cursor=page.next_cursor
    )


@router.post(
    "/v1/customers",
    operation_id="createCustomer",
    summary="Create a customer on the platform; ConnectWise never hears of it",
    tags=_TAGS,
    status_code=HTTPStatus.CREATED.value,
)
def create_customer(partner: Partner, services: Services, customer: CustomerInput) -> CustomerView:
    return CustomerView.of(
        services.platform_records.create_customer(partner.partner_id, customer.to_details())
    )


@router.get(
    "/v1/customers/<customer_id>",
    operation_id="getCustomer",
    summary="One customer",
    tags=_TAGS,
)
def get_customer(partner: Partner, services: Services, customer_id: RecordId) -> CustomerView:
    customer = None
    if is_record_id(customer_id):
        customer = services.records.get_customer(partner.partner_id, customer_id).value
    if customer is None:
        raise NotFoundError("no such customer")
    return CustomerView.of(customer)


@router.patch(
    "/v1/customers/<customer_id>",
    operation_id="changeCustomer",
    summary="Change a customer that was made on the platform",
    tags=_TAGS,
)
def change_customer(
    partner: Partner, services: Services, customer_id: RecordId, patch: CustomerPatch
) -> CustomerView:
    return CustomerView.of(
        services.platform_records.change_customer(partner.partner_id, customer_id, patch.apply_to)
    )


@router.delete(
    "/v1/customers/<customer_id>",
    operation_id="archiveCustomer",
    summary="Archive a customer that was made on the platform",
    tags=_TAGS,
    status_code=HTTPStatus.NO_CONTENT.value,
)
def archive_customer(partner: Partner, services: Services, customer_id: RecordId) -> Response[None]:
    services.platform_records.archive_customer(partner.partner_id, customer_id)
    return Response(HTTPStatus.NO_CONTENT.value)
