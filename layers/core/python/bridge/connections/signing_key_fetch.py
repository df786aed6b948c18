"""A worker fetches signing keys that ConnectWise serves to API members only."""

from __future__ import annotations

import logging

from bridge.domain.errors import BridgeError
from bridge.domain.work_messages import SigningKeyRequest
from bridge.ports import ConnectionStore, SigningKeySource, SigningKeyStore

_logger = logging.getLogger(__name__)


class SigningKeyFetch:
    """Signing keys are fetched here with a member's keys, which the webhook receiver lacks.

    ConnectWise repeats a callback that was put off, so a fetch that fails is asked for again.
    """

    def __init__(
        self, connections: ConnectionStore, keys: SigningKeyStore, source: SigningKeySource
    ) -> None:
        self._connections = connections
        self._keys = keys
        self._source = source

    def fetch(self, request: SigningKeyRequest) -> None:
        """Fetch the key and keep it where the receiver looks. A failure is logged."""
        connection_id = request.connection_id
        connection = self._connections.get(connection_id).value
        endpoint = connection.callback_endpoint if connection else None
        if endpoint is None:
            return
        key_url = self._keys.wanted_url(connection_id, request.key_digest)
        if key_url is None:
            return
        try:
            key = self._source.fetch(endpoint, key_url)
        except BridgeError as error:
            _logger.warning(
                "signing key not fetched",
                extra={"connection_id": connection_id, "error": type(error).__name__},
            )
            return
        self._keys.put(connection_id, key_url, key)
