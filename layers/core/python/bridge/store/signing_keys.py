"""The store keeps callback signing keys for an hour, and notes those that a worker is to fetch."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.store.callback_keys import digest_of, signing_key_key, wanted_key_key
from bridge.store.errors import ConditionFailedError
from bridge.store.expiry import epoch_seconds, has_expired
from bridge.store.expressions import Condition
from bridge.store.key_parts import timestamp

if TYPE_CHECKING:
    from bridge.ports import Clock
    from bridge.store.table import Table

SIGNING_KEY_LIFE = timedelta(hours=1)
WANTED_KEY_LIFE = timedelta(minutes=15)
"""A worker that is later than that drops the request; the next callback asks again."""
WANTED_AGAIN_AFTER = timedelta(minutes=1)


class DynamoSigningKeyStore:
    """The table callbacks fulfils :class:`bridge.ports.SigningKeyStore`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def get(self, connection_id: str, key_url: str) -> str | None:
        item = self._table.get(signing_key_key(connection_id, digest_of(key_url)))
        if item is None or has_expired(item, self._clock.now()):
            return None
        return str(item["signing_key"])

    def put(self, connection_id: str, key_url: str, key: str) -> None:
        self._table.put(
            {
                **signing_key_key(connection_id, digest_of(key_url)).attributes(),
                "signing_key": key,
                "expires_at": epoch_seconds(self._clock.now() + SIGNING_KEY_LIFE),
            }
        )

    def want(self, connection_id: str, key_url: str) -> str | None:
        now = self._clock.now()
        digest = digest_of(key_url)
        is_time = Condition(
            "attribute_not_exists(#pk) OR #wanted_again_at <= :now", {"now": timestamp(now)}
        )
        try:
            self._table.put(
                {
                    **wanted_key_key(connection_id, digest).attributes(),
                    "key_url": key_url,
                    "wanted_again_at": timestamp(now + WANTED_AGAIN_AFTER),
                    "expires_at": epoch_seconds(now + WANTED_KEY_LIFE),
                },
                is_time,
            )
        except ConditionFailedError:
            return None
        return digest

    def wanted_url(self, connection_id: str, key_digest: str) -> str | None:
        item = self._table.get(wanted_key_key(connection_id, key_digest))
        if item is None or has_expired(item, self._clock.now()):
            return None
        return str(item["key_url"])
