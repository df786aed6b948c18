"""An hourly job keeps callback registrations in order."""

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
    """The keeper restores every connection's callback registrations.

    ConnectWise disables a callback after three days of failed deliveries, and people delete
    unfamiliar ones (developer guide, callbacks).
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
        """Restore registrations, and return the number of connections that have them in order.

        After one connection's failure the others go on. When time runs out, the connections left
        wait for the job's next start.
        """
        kept = 0
        for connection in syncing_connections(self._connections):
            try:
                kept += self._restore_or_report(connection)
            except OutOfTimeError:
                _logger.warning("no time for all callbacks", extra={"kept": kept})
                break
            except Exception:
                # The boundary of one connection: the others are independent of it.
                _logger.exception(
                    "callbacks failed", extra={"connection_id": connection.connection_id}
                )
        return kept

    def _restore_or_report(self, connection: Connection) -> bool:
        """Restore the registrations and return True, or open a problem and return False.

        Raises OutOfTimeError when the job's own time is used up.
        """
        broken = callbacks_broken(connection)
        try:
            self._restore(connection)
        except CONNECTION_ERRORS as error:
            self._health.report_failure(connection, error)
            return False
        except BridgeError as error:
            is_job_out_of_time = self._clock.remaining_seconds() < MIN_SECONDS_FOR_CONNECTION
            if is_job_out_of_time and isinstance(error, OutOfTimeError):
                raise
            _logger.warning(
                "callbacks not kept",
                extra={"connection_id": connection.connection_id, "error": type(error).__name__},
            )
            self._problems.report(broken, self._clock.now())
            return False
        self._problems.resolve(connection.partner_id, broken.problem_id, self._clock.now())
        return True

    def _restore(self, connection: Connection) -> None:
        secret = self._vault.get_credentials(connection.connection_id).callback_secret
        if secret:
            url = callback_url(self._webhook_base_url, connection.connection_id, secret)
            member = self._gateway.open(connection).ensure_callbacks(url)
            self._health.remember_member(connection, member)
            self._health.keys_were_accepted(connection)
