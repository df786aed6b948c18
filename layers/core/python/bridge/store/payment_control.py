"""The store keeps stops of payments, the mark of a restored ledger, and rates."""

from __future__ import annotations

from bridge.domain.payment_control import (
    EVERY_PARTNER,
    PaymentRate,
    PaymentStop,
    RestoreMark,
)
from bridge.ports import Stored
from bridge.store import keys
from bridge.store.codec import encode
from bridge.store.expressions import version_is
from bridge.store.items import read_record, read_stored, record_item
from bridge.store.table import Table


class DynamoPaymentControlStore:
    """The operations table fulfils :class:`bridge.ports.PaymentControlStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def stop_of(self, partner_id: str) -> PaymentStop | None:
        wanted = [keys.payment_stop_key(each) for each in (EVERY_PARTNER, partner_id)]
        found = self._table.get_many(wanted)
        stops = [read_record(PaymentStop, found[key]) for key in wanted if key in found]
        return next(iter(stops), None)

    def put_stop(self, stop: PaymentStop) -> None:
        key = keys.payment_stop_key(stop.partner_id)
        self._table.put(record_item(key, {}, 1, encode(stop)))

    def clear_stop(self, partner_id: str) -> None:
        self._table.delete(keys.payment_stop_key(partner_id))

    def restore_mark(self) -> RestoreMark | None:
        item = self._table.get(keys.RESTORE_MARK_KEY)
        return read_record(RestoreMark, item) if item else None

    def put_restore_mark(self, mark: RestoreMark) -> None:
        self._table.put(record_item(keys.RESTORE_MARK_KEY, {}, 1, encode(mark)))

    def clear_restore_mark(self) -> None:
        self._table.delete(keys.RESTORE_MARK_KEY)

    def get_rate(self, connection_id: str) -> Stored[PaymentRate]:
        return read_stored(PaymentRate, self._table.get(keys.payment_rate_key(connection_id)))

    def save_rate(self, rate: PaymentRate, *, expected_version: int) -> int:
        version = expected_version + 1
        key = keys.payment_rate_key(rate.connection_id)
        item = record_item(key, {}, version, encode(rate))
        self._table.put(item, version_is(expected_version))
        return version
