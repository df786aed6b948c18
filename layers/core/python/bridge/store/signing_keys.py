"""The store keeps callback signing keys for an hour, and all receivers share them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.store import keys
from bridge.store.expiry import epoch_seconds, has_expired

if TYPE_CHECKING:
    from bridge.ports import Clock
    from bridge.store.table import Table

SIGNING_KEY_LIFE = timedelta(hours=1)


class DynamoSigningKeyStore:
    """The receiver's own table, callbacks, fulfils :class:`bridge.ports.SigningKeyStore`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def get(self, connection_id: str, key_url: str) -> str | None:
        item = self._table.get(keys.signing_key_key(connection_id, key_url))
        if item is None or has_expired(item, self._clock.now()):
            return None
        return str(item["signing_key"])

    def put(self, connection_id: str, key_url: str, key: str) -> None:
        self._table.put(
            {
                **keys.signing_key_key(connection_id, key_url).attributes(),
                "signing_key": key,
                "expires_at": epoch_seconds(self._clock.now() + SIGNING_KEY_LIFE),
            }
        )
