"""A partner chooses here how payments appear in ConnectWise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.connection import Connection
from bridge.domain.errors import InvalidInputError
from bridge.domain.invoice import BillingStatus
from bridge.domain.platform_payment import WriteBackPolicy
from bridge.ports import PsaGateway


class PaymentPreferences:
    """The write-back policy of a partner's connection, and the choices for it."""

    def __init__(self, owned: OwnedConnections, gateway: PsaGateway) -> None:
        self._owned = owned
        self._gateway = gateway

    def list_billing_statuses(
        self, partner_id: str, connection_id: str
    ) -> tuple[BillingStatus, ...]:
        """Return the tenant's own statuses, one of which can mark an invoice as paid.

        Raises NotFoundError, NotPossibleError unless the connection is syncing, and the errors
        of ConnectWise.
        """
        connection = self._owned.get_syncing(partner_id, connection_id)
        return self._gateway.open(connection).list_billing_statuses()

    def change(
        self,
        partner_id: str,
        connection_id: str,
        change: Callable[[WriteBackPolicy], WriteBackPolicy],
    ) -> Connection:
        """Change the policy; payments follow it from their next change of state on.

        Only a new paid status is checked with ConnectWise. Raises InvalidInputError when the
        tenant's list lacks it, the errors of :meth:`list_billing_statuses` while checking,
        NotFoundError and ConflictError.
        """
        present = self._owned.get(partner_id, connection_id).write_back
        wanted_id = change(present).paid_status_id
        if wanted_id is not None and wanted_id != present.paid_status_id:
            statuses = self.list_billing_statuses(partner_id, connection_id)
            if wanted_id not in {status.source_id for status in statuses}:
                raise InvalidInputError(
                    "not one of this connection's billing statuses",
                    field="write_back.paid_status_id",
                )
        return self._owned.change(
            partner_id,
            connection_id,
            lambda stored: replace(stored, write_back=change(stored.write_back)),
        )
