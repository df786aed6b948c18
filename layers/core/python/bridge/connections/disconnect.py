"""A partner's ConnectWise company is disconnected here."""

from __future__ import annotations

import logging
from dataclasses import replace

from bridge.connections.callback_url import callback_url_prefix
from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.connection import ConnectionState
from bridge.domain.errors import BridgeError
from bridge.ports import ConnectionStore, PsaGateway, SecretVault
from bridge.runs.control import RunControl

_logger = logging.getLogger(__name__)


class Disconnector:
    """The disconnector takes connections down."""

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        gateway: PsaGateway,
        vault: SecretVault,
        run_control: RunControl,
        webhook_base_url: str,
    ) -> None:
        self._owned = OwnedConnections(connections)
        self._gateway = gateway
        self._vault = vault
        self._run_control = run_control
        self._webhook_base_url = webhook_base_url

    def disconnect(self, partner_id: str, connection_id: str) -> None:
        """Stop syncing and delete the secrets; records, runs and problems stay.

        The state is stored first, so that callbacks are refused and workers stop; the rest can
        be repeated by disconnecting again. ConnectWise may be out of reach: registrations that
        stay there meet a refusal and are disabled by ConnectWise itself.
        """
        connection = self._owned.change(
            partner_id,
            connection_id,
            lambda stored: replace(
                stored, state=ConnectionState.DISCONNECTED, callback_secret=None
            ),
        )
        try:
            self._run_control.cancel_all(connection)
            prefix = callback_url_prefix(self._webhook_base_url, connection_id)
            self._gateway.open(connection).remove_callbacks(prefix)
        except BridgeError as error:
            _logger.warning("left registered at ConnectWise: %s", type(error).__name__)
        self._vault.delete_credentials(connection_id)
