"""The hourly job that keeps callback registrations as they should be."""

from __future__ import annotations

import logging

from bridge.connections.callback_url import callback_url
from bridge.connections.callbacks import callbacks_broken
from bridge.connections.health import CONNECTION_ERRORS, ConnectionHealth
from bridge.domain.connection import Connection
from bridge.domain.errors import BridgeError, OutOfTimeError
from bridge.ports import (
    Clock,
    ConnectionStore,
    ProblemStore,
    PsaGateway,
    SecretVault,
    syncing_connections,
)

MIN_SECONDS_FOR_CONNECTION = 30.0
_logger = logging.getLogger(__name__)


class CallbackKeeper:
    """Keeps every connection's callback registrations as they should be.

    ConnectWise disables a callback after three days of failed deliveries, and people delete what
    they do not know (developer guide, callbacks).
    """

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        gateway: PsaGateway,
        vault: SecretVault,
        problems: ProblemStore,
        health: ConnectionHealth,
        clock: Clock,
        webhook_base_url: str,
    ) -> None:
        self._connections = connections
        self._gateway = gateway
        self._vault = vault
        self._problems = problems
        self._health = health
        self._clock = clock
        self._webhook_base_url = webhook_base_url

    def keep_all(self) -> int:
        """Return the number of connections whose registrations are in order now.

        One connection's failure does not keep the others waiting. When time runs out, nothing is
        wrong with those that are left: they come with the next start.
        """
        kept = 0
        for connection in syncing_connections(self._connections):
            try:
                kept += self._is_kept(connection)
            except OutOfTimeError:
                _logger.warning("no time for all callbacks", extra={"kept": kept})
                break
            except Exception:
                # The boundary of one connection: the others do not depend on it.
                _logger.exception(
                    "callbacks failed", extra={"connection_id": connection.connection_id}
                )
        return kept

    def _is_kept(self, connection: Connection) -> bool:
        """Put the registrations in order, or open the problem that says why not."""
        broken = callbacks_broken(connection)
        try:
            self._keep(connection)
        except CONNECTION_ERRORS as error:
            self._health.report_failure(connection, error)
            return False
        except BridgeError as error:
            is_out = self._clock.remaining_seconds() < MIN_SECONDS_FOR_CONNECTION
            if is_out and isinstance(error, OutOfTimeError):
                raise
            _logger.warning(
                "callbacks not kept",
                extra={"connection_id": connection.connection_id, "error": type(error).__name__},
            )
            self._problems.report(broken, self._clock.now())
            return False
        self._problems.resolve(connection.partner_id, broken.problem_id, self._clock.now())
        return True

    def _keep(self, connection: Connection) -> None:
        secret = self._vault.get_credentials(connection.connection_id).callback_secret
        if secret:
            url = callback_url(self._webhook_base_url, connection.connection_id, secret)
            member = self._gateway.open(connection).ensure_callbacks(url)
            self._health.remember_member(connection, member)
            self._health.keys_were_accepted(connection)
