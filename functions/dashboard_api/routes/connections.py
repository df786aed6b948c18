"""Connections to ConnectWise."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from bridge.domain.connection import Connection
from bridge.runtime.dashboard_services import DashboardServices
from bridge.sync.owned_connections import OwnedConnections
from dashboard_api.dependencies import Partner, Services, new_router
from dashboard_api.models.connections import (
    BillingStatusList,
    ConnectInput,
    ConnectionDetail,
    ConnectionList,
    ConnectionPatch,
    ConnectionView,
    VerificationView,
)
from dashboard_api.models.values import RecordId

router = new_router()
_TAGS = ["connections"]


@router.post(
    "/v1/connections",
    operation_id="connect",
    summary="Connect a ConnectWise company",
    description="Address, credentials and rights are proven first; nothing is stored if they fail.",
    tags=_TAGS,
    status_code=HTTPStatus.CREATED.value,
)
def connect(partner: Partner, services: Services, form: ConnectInput) -> ConnectionDetail:
    connection = services.connecting.connect(form.to_request(partner.partner_id))
    return _detail(services, connection)


@router.get(
    "/v1/connections", operation_id="listConnections", summary="All connections", tags=_TAGS
)
def list_connections(partner: Partner, services: Services) -> ConnectionList:
    connections = services.connections.list_of_partner(partner.partner_id)
    return ConnectionList(items=[ConnectionView.of(connection) for connection in connections])


@router.get(
    "/v1/connections/<connection_id>",
    operation_id="getConnection",
    summary="One connection with its health",
    tags=_TAGS,
)
def get_connection(
    partner: Partner, services: Services, connection_id: RecordId
) -> ConnectionDetail:
    return _detail(services, _owned(services).get(partner.partner_id, connection_id))


@router.patch(
    "/v1/connections/<connection_id>",
    operation_id="changeConnection",
    summary="Change name, keys, filters or how payments are written back",
    description="New keys are proven first. New filters start an import.",
    tags=_TAGS,
)
def change_connection(
    partner: Partner, services: Services, connection_id: RecordId, patch: ConnectionPatch
) -> ConnectionDetail:
    scope = (partner.partner_id, connection_id)
    connection = _owned(services).get(*scope)
    if patch.credentials:
        connection = services.verifier.change_keys(
            _owned(services).get_syncing(*scope),
            public_key=patch.credentials.public_key.get_secret_value(),
            private_key=patch.credentials.private_key.get_secret_value(),
        ).connection
    if patch.write_back:
        connection = services.payment_preferences.change(*scope, patch.write_back.apply_to)
    filters = patch.import_filters
    if filters is not None:
        connection, _ = services.filter_changes.apply(*scope, filters)
    name = patch.name
    if name is not None:
        connection = _owned(services).change(*scope, lambda known: replace(known, name=name))
    return _detail(services, connection)


@router.post(
    "/v1/connections/<connection_id>/verify",
    operation_id="verifyConnection",
    summary="Ask ConnectWise for every right, and repair the callbacks",
    tags=_TAGS,
)
def verify_connection(
    partner: Partner, services: Services, connection_id: RecordId
) -> VerificationView:
    connection = _owned(services).get_syncing(partner.partner_id, connection_id)
    return VerificationView.of(services.verifier.verify(connection))


@router.get(
    "/v1/connections/<connection_id>/billing-statuses",
    operation_id="listBillingStatuses",
    summary="The ConnectWise's own billing statuses, one of which can mark invoices as paid",
    tags=_TAGS,
)
def list_billing_statuses(
    partner: Partner, services: Services, connection_id: RecordId
) -> BillingStatusList:
    return BillingStatusList.of(
        services.payment_preferences.list_billing_statuses(partner.partner_id, connection_id)
    )


@router.post(
    "/v1/connections/<connection_id>/rotate-callback-secret",
    operation_id="rotateCallbackSecret",
    summary="Change the secret in the callback URL",
    description="The old URL stays valid until the secret is changed again.",
    tags=_TAGS,
)
def rotate_callback_secret(
    partner: Partner, services: Services, connection_id: RecordId
) -> ConnectionView:
    connection = _owned(services).get_syncing(partner.partner_id, connection_id)
    return ConnectionView.of(services.verifier.rotate_callback_secret(connection))


@router.delete(
    "/v1/connections/<connection_id>",
    operation_id="disconnect",
    summary="Disconnect; what is mirrored stays",
    tags=_TAGS,
    status_code=HTTPStatus.NO_CONTENT.value,
)
def disconnect(partner: Partner, services: Services, connection_id: RecordId) -> Response[None]:
    services.connecting.disconnect(partner.partner_id, connection_id)
    return Response(HTTPStatus.NO_CONTENT.value)


def _owned(services: DashboardServices) -> OwnedConnections:
    return OwnedConnections(services.connections)


def _detail(services: DashboardServices, connection: Connection) -> ConnectionDetail:
    scope = (connection.partner_id, connection.connection_id)
    runs = services.runs.list_of_connection(connection.connection_id, limit=1).items
    return ConnectionDetail.with_status(
        connection,
        latest_run=runs[0] if runs else None,
        problems=services.problems.open_of_connection(*scope).values(),
        egress_addresses=services.egress_addresses,
    )
