"""A partner's ConnectWise company is disconnected here."""

from __future__ import annotations

import logging
from dataclasses import replace

from bridge.connections.callback_url import callback_url_prefix
from bridge.connections.company_claims import CompanyClaims
from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.connection import ConnectionState
from bridge.domain.errors import BridgeError, NotFoundError
from bridge.ports import PsaGateway, SecretVault
from bridge.runs.control import RunControl

_logger = logging.getLogger(__name__)


class Disconnector:
    """The disconnector takes connections down."""

    def __init__(
        self,
        *,
        owned: OwnedConnections,
        gateway: PsaGateway,
        vault: SecretVault,
        claims: CompanyClaims,
        run_control: RunControl,
        webhook_base_url: str,
    ) -> None:
        self._owned = owned
        self._gateway = gateway
        self._vault = vault
        self._claims = claims
        self._run_control = run_control
        self._webhook_base_url = webhook_base_url

    def disconnect(self, partner_id: str, connection_id: str) -> None:
        """Stop syncing and delete the secrets; records, runs and problems stay.

        The state is stored first, so that callbacks are refused and workers stop, then the claim
        of the company ends; the rest can be repeated by disconnecting again. ConnectWise may be
        out of reach: registrations that stay there meet a refusal and are disabled by ConnectWise
        itself.
        """
        before = self._owned.get(partner_id, connection_id)
        connection = self._owned.change(
            partner_id,
            connection_id,
            lambda stored: replace(
                stored, state=ConnectionState.DISCONNECTED, callback_secret=None
            ),
        )
        self._claims.end(
            replace(before, company_key=connection.company_key), self._public_key(connection_id)
        )
        try:
            self._run_control.cancel_all(connection)
            prefix = callback_url_prefix(self._webhook_base_url, connection_id)
            self._gateway.open(connection).remove_callbacks(prefix)
        except BridgeError as error:
            _logger.warning("left registered at ConnectWise: %s", type(error).__name__)
        self._delete_credentials(partner_id, connection_id)

    def _delete_credentials(self, partner_id: str, connection_id: str) -> None:
        """Delete the secrets, unless they are those of somebody who connects again already.

        Asking ConnectWise takes its time, in which the partner may have done so.
        """
        if self._owned.get(partner_id, connection_id).state is ConnectionState.DISCONNECTED:
            self._vault.delete_credentials(connection_id)

    def _public_key(self, connection_id: str) -> str:
        """Return the public key, "" once the secrets are deleted."""
        try:
            return self._vault.get_credentials(connection_id, is_fresh=True).public_key
        except NotFoundError:
            return ""
