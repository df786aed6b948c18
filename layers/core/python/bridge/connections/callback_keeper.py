"""An hourly job keeps a connection's callback registrations and claim of its company in order."""

from __future__ import annotations

import logging

from bridge.connections.callback_endpoints import CallbackEndpoints
from bridge.connections.callback_url import callback_url
from bridge.connections.callbacks import callbacks_broken, keep_member_beside_keys
from bridge.connections.company_check import CompanyCheck
from bridge.connections.health import CONNECTION_ERRORS, ConnectionHealth
from bridge.connections.visit import Visit, visit_that_ended_with
from bridge.domain.connection import Connection
from bridge.domain.errors import BridgeError
from bridge.ports import Clock, ProblemStore, PsaGateway, SecretVault

_logger = logging.getLogger(__name__)


class CallbackKeeper:
    """The keeper restores a connection's callback registrations, and checks its company.

    ConnectWise disables a callback after three days of failed deliveries, and people delete
    unfamiliar ones (developer guide, callbacks).
    """

    def __init__(
        self,
        *,
        gateway: PsaGateway,
        vault: SecretVault,
        problems: ProblemStore,
        health: ConnectionHealth,
        company_check: CompanyCheck,
        endpoints: CallbackEndpoints,
        clock: Clock,
        webhook_base_url: str,
    ) -> None:
        self._gateway = gateway
        self._vault = vault
        self._problems = problems
        self._health = health
        self._company_check = company_check
        self._endpoints = endpoints
        self._clock = clock
        self._webhook_base_url = webhook_base_url

    def keep(self, connection: Connection) -> Visit:
        """Restore the registrations and check the claim, or open a problem; return how the server
        behaved."""
        self._endpoints.keep(connection)
        broken = callbacks_broken(connection)
        try:
            self._restore(connection)
        except CONNECTION_ERRORS as error:
            self._health.report_failure(connection, error)
            return Visit.ANSWERED
        except BridgeError as error:
            _logger.warning("callbacks not kept: %s", type(error).__name__)
            self._problems.report(broken, self._clock.now())
            return visit_that_ended_with(error)
        self._problems.resolve(connection.partner_id, broken.problem_id, self._clock.now())
        return self._check_company(connection)

    def _check_company(self, connection: Connection) -> Visit:
        """Check the connection's claim; after a failure the next start checks it again."""
        credentials = self._vault.get_credentials(connection.connection_id)
        psa = self._gateway.open(connection)
        try:
            self._company_check.check(connection, credentials.public_key, psa)
        except BridgeError as error:
            _logger.warning("company not checked: %s", type(error).__name__)
            return visit_that_ended_with(error)
        return Visit.ANSWERED

    def _restore(self, connection: Connection) -> None:
        # The secret in the callbacks' URL, which may have been replaced lately.
        credentials = self._vault.get_credentials(connection.connection_id, is_fresh=True)
        secret = credentials.callback_secret
        if secret:
            url = callback_url(self._webhook_base_url, connection.connection_id, secret)
            member = self._gateway.open(connection).ensure_callbacks(url)
            keep_member_beside_keys(self._vault, connection.connection_id, credentials, member)
            self._health.remember_member(connection, member)
            self._health.keys_were_accepted(connection)
