"""Connections to ConnectWise are made, changed and ended here."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from bridge.domain.connection import Connection, PaymentsStop
from bridge.entrypoints.dashboard_services import DashboardServices
from bridge.ports import Activity
from dashboard_api.dependencies import Partner
from dashboard_api.models.billing_statuses import BillingStatusList
from dashboard_api.models.connections import (
    ConnectInput,
    ConnectionDetail,
    ConnectionList,
    ConnectionPatch,
    ConnectionView,
    MoveInput,
    VerificationView,
)
from dashboard_api.models.values import RecordId, below
from dashboard_api.resource import Resource

resource = Resource("connections")
_PATH = "/v1/connections/<connection_id>"


@resource.route("POST", "/v1/connections", status=HTTPStatus.CREATED)
def connect(partner: Partner, form: ConnectInput) -> ConnectionDetail:
    """Connect a ConnectWise company.

    Address, credentials and rights are proven first; a connection is stored only if they hold.
    """
    partner.take_share(Activity.CONNECTING)
    with below("filters"):
        connection = partner.services.connector.connect(form.to_request(partner.id))
    return _detail(partner.services, connection)


@resource.route("GET", "/v1/connections")
def list_connections(partner: Partner) -> ConnectionList:
    """List all connections, each with its health."""
    connections = partner.services.connections.list_of_partner(partner.id)
    return ConnectionList(items=[_detail(partner.services, each) for each in connections])


@resource.route("GET", _PATH)
def get_connection(partner: Partner, connection_id: RecordId) -> ConnectionDetail:
    """Return one connection with its health."""
    connection = partner.connection(connection_id)
    return _detail(partner.services, connection)


@resource.route("PATCH", _PATH)
def change_connection(
    partner: Partner, connection_id: RecordId, patch: ConnectionPatch
) -> ConnectionDetail:
    """Change name, keys, filters or the way in which payments are written back.

    New keys are proven first. New filters start an import.
    """
    services, scope = partner.services, (partner.id, connection_id)
    connection = partner.connection(connection_id)
    if patch.credentials:
        partner.take_share(Activity.VERIFYING)
        connection = services.verifier.change_keys(
            partner.syncing_connection(connection_id),
            public_key=patch.credentials.public_key.get_secret_value(),
            private_key=patch.credentials.private_key.get_secret_value(),
        ).connection
    if patch.write_back or patch.filters:
        partner.take_share(Activity.SETUP_LISTS)
    if patch.write_back:
        connection = services.payment_preferences.change(*scope, patch.write_back.apply_to)
    if patch.filters:
        with below("filters"):
            connection, _ = services.filter_preferences.apply(*scope, patch.filters.apply_to)
    if (name := patch.name) is not None:
        connection = services.owned_connections.change(
            *scope, lambda known: replace(known, name=name)
        )
    return _detail(services, connection)


@resource.route("POST", f"{_PATH}/verify")
def verify_connection(partner: Partner, connection_id: RecordId) -> VerificationView:
    """Ask ConnectWise for every right, and repair the callbacks."""
    connection = partner.syncing_connection(connection_id)
    partner.take_share(Activity.VERIFYING)
    return VerificationView.of(partner.services.verifier.verify(connection))


@resource.route("POST", f"{_PATH}/move")
def move_connection(partner: Partner, connection_id: RecordId, form: MoveInput) -> VerificationView:
    """Follow the ConnectWise company to another host, company id or the cloud.

    Keys, rights and the connection's own records are proven there first; its id stays.
    """
    partner.take_share(Activity.CONNECTING)
    move = partner.services.connection_move.move
    return VerificationView.of(move(partner.id, connection_id, form.to_request()))


@resource.route("POST", f"{_PATH}/stop-payments")
def stop_payments(partner: Partner, connection_id: RecordId) -> ConnectionView:
    """Stop writing payments into ConnectWise; reading goes on, and what is recorded waits."""
    connection = partner.connection(connection_id)
    stops = partner.services.payment_stops
    return ConnectionView.of(stops.stop(connection, PaymentsStop.BY_PERSON))


@resource.route("POST", f"{_PATH}/allow-payments")
def allow_payments(partner: Partner, connection_id: RecordId) -> ConnectionView:
    """Write payments again that a person stopped; other reasons to stop them stay."""
    connection = partner.connection(connection_id)
    stops = partner.services.payment_stops
    return ConnectionView.of(stops.allow(connection, PaymentsStop.BY_PERSON))


@resource.route("GET", f"{_PATH}/billing-statuses")
def list_billing_statuses(partner: Partner, connection_id: RecordId) -> BillingStatusList:
    """List the ConnectWise's own billing statuses, one of which can mark invoices as paid."""
    partner.take_share(Activity.SETUP_LISTS)
    return BillingStatusList.of(
        partner.services.payment_preferences.list_billing_statuses(partner.id, connection_id)
    )


@resource.route("POST", f"{_PATH}/rotate-callback-secret")
def rotate_callback_secret(partner: Partner, connection_id: RecordId) -> ConnectionView:
    """Change the secret in the callback URL.

    The old URL stays valid for a day, or until the secret is changed again.
    """
    connection = partner.syncing_connection(connection_id)
    partner.take_share(Activity.VERIFYING)
    return ConnectionView.of(partner.services.verifier.rotate_callback_secret(connection))


@resource.route("DELETE", _PATH, status=HTTPStatus.NO_CONTENT)
def disconnect(partner: Partner, connection_id: RecordId) -> Response[None]:
    """Disconnect from ConnectWise; the mirrored records stay."""
    partner.services.disconnector.disconnect(partner.id, connection_id)
    return Response(HTTPStatus.NO_CONTENT.value)


def _detail(services: DashboardServices, connection: Connection) -> ConnectionDetail:
    scope = (connection.partner_id, connection.connection_id)
    runs = services.runs.list_of_connection(connection.connection_id, limit=1).items
    return ConnectionDetail.with_status(
        connection,
        latest_run=runs[0] if runs else None,
        current_run=next(iter(services.runs.list_active(connection.connection_id)), None),
        known_until=services.watermarks.known_until(connection.connection_id),
        problems=services.problems.open_of_connection(*scope).values(),
        egress_addresses=services.egress_addresses,
    )
