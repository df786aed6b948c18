"""The store keeps a small item for each record that was read lately because of a hint."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from bridge.domain.hint import RecordKey
from bridge.domain.read_mark import ReadMark
from bridge.ports import Clock
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.errors import ConditionFailedError
from bridge.store.expiry import epoch_seconds
from bridge.store.expressions import IS_NEW, Condition
from bridge.store.items import read_time
from bridge.store.table import Table

MARK_LIFE = timedelta(hours=1)
_TIMES = ("began_at", "reading_since", "reading_until", "waiting_since")


class DynamoReadMarks:
    """The coordination table fulfils :class:`bridge.ports.ReadMarks`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def get(
        self, connection_id: str, records: Collection[RecordKey]
    ) -> Mapping[RecordKey, ReadMark]:
        wanted = {keys.read_mark_key(connection_id, *record): record for record in records}
        found = self._table.get_many(list(wanted))
        return {
            record: _mark(found[key]) if key in found else ReadMark()
            for key, record in wanted.items()
        }

    def put(self, connection_id: str, record: RecordKey, mark: ReadMark, *, replaces: str) -> bool:
        moments = {name: getattr(mark, name) for name in _TIMES}
        item: Item = {
            **keys.read_mark_key(connection_id, *record).attributes(),
            **{name: keys.timestamp(moment) for name, moment in moments.items() if moment},
            "token": mark.token,
            "expires_at": epoch_seconds(self._clock.now() + MARK_LIFE),
        }
        stands = Condition("#token = :token", {"token": replaces}) if replaces else IS_NEW
        try:
            self._table.put(item, stands)
        except ConditionFailedError:
            return False
        return True


def _mark(item: Item) -> ReadMark:
    moments = {name: read_time(item, name) for name in _TIMES if name in item}
    return ReadMark(str(item["token"]), **moments)
