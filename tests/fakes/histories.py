"""Tests read the ledger's histories: the audit trail that the product writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import WriteBack
from bridge.ports import LedgerStore
from bridge.store import keys
from bridge.store.items import read_record, read_time
from bridge.store.keys import Key
from bridge.store.ledger import DynamoLedgerStore
from bridge.store.table import Range

T = TypeVar("T")
_LAST_VERSION = 10**10 - 1


@dataclass(frozen=True, slots=True)
class LedgerEntry(Generic[T]):
    """One entry of a history: a record at ``version``, and the part of the bridge that wrote it."""

    version: int
    recorded_at: datetime
    written_by: str
    value: T


class ReadableLedger(LedgerStore, Protocol):
    """A ledger whose histories can be read, latest entries first."""

    def payment_history(
        self, partner_id: str, payment_id: str, *, limit: int
    ) -> tuple[LedgerEntry[PlatformPayment], ...]: ...

    def write_back_history(
        self, connection_id: str, write_back_id: str, *, limit: int
    ) -> tuple[LedgerEntry[WriteBack], ...]: ...


class ReadableDynamoLedger(DynamoLedgerStore):
    """The ledger of the product, and the histories in its table."""

    def payment_history(
        self, partner_id: str, payment_id: str, *, limit: int
    ) -> tuple[LedgerEntry[PlatformPayment], ...]:
        first, last = (
            keys.platform_payment_event_key(partner_id, payment_id, version)
            for version in (0, _LAST_VERSION)
        )
        return self._history(PlatformPayment, first, last, limit)

    def write_back_history(
        self, connection_id: str, write_back_id: str, *, limit: int
    ) -> tuple[LedgerEntry[WriteBack], ...]:
        key = keys.write_back_key(connection_id, write_back_id)
        if key is None:
            return ()
        first, last = (keys.write_back_event_key(key, version) for version in (0, _LAST_VERSION))
        return self._history(WriteBack, first, last, limit)

    def _history(
        self, record_type: type[T], first: Key, last: Key, limit: int
    ) -> tuple[LedgerEntry[T], ...]:
        wanted = Range(first.pk, first.sk, last.sk, is_descending=True)
        return tuple(
            LedgerEntry(
                version=int(str(item["version"])),
                recorded_at=read_time(item, "recorded_at"),
                written_by=str(item["written_by"]),
                value=read_record(record_type, item),
            )
            for item in self._table.query(wanted, limit=limit).items
        )
