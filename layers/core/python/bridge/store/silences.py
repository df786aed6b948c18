"""The store keeps the few silent servers of all partners in one partition."""

from __future__ import annotations

from datetime import timedelta

from bridge.ports import Silence
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.cursors import check_limit
from bridge.store.errors import ConditionFailedError
from bridge.store.expiry import epoch_seconds
from bridge.store.expressions import IS_NEW, Condition
from bridge.store.items import read_time
from bridge.store.table import Range, Table

LIFE_WITHOUT_PROBE = timedelta(days=1)


class DynamoSilenceStore:
    """The coordination table fulfils :class:`bridge.ports.SilenceStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, connection_id: str) -> Silence | None:
        item = self._table.get(keys.silence_key(connection_id))
        return _silence(item) if item else None

    def list(self, *, limit: int) -> tuple[Silence, ...]:
        check_limit(limit)
        every = Range(keys.SILENCES_PK, keys.FIRST, keys.LAST)
        return tuple(_silence(item) for item in self._table.query(every, limit=limit).items)

    def put(self, silence: Silence, *, replaces: str | None) -> bool:
        item: Item = {
            **keys.silence_key(silence.connection_id).attributes(),
            "wait_seconds": int(silence.wait.total_seconds()),
            "next_probe_at": keys.timestamp(silence.next_probe_at),
            "token": silence.token,
            "expires_at": epoch_seconds(silence.next_probe_at + LIFE_WITHOUT_PROBE),
        }
        stands = Condition("#token = :token", {"token": replaces}) if replaces else IS_NEW
        try:
            self._table.put(item, stands)
        except ConditionFailedError:
            return False
        return True

    def clear(self, connection_id: str) -> None:
        self._table.delete(keys.silence_key(connection_id))


def _silence(item: Item) -> Silence:
    return Silence(
        connection_id=str(item["sk"]),
        wait=timedelta(seconds=int(str(item["wait_seconds"]))),
        next_probe_at=read_time(item, "next_probe_at"),
        token=str(item["token"]),
    )
