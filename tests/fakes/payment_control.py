"""Stops of payments and rates in memory."""

from __future__ import annotations

import threading

from bridge.domain.errors import ConflictError
from bridge.domain.payment_control import EVERY_PARTNER, PaymentRate, PaymentStop, RestoreMark
from bridge.ports import Stored


class InMemoryPaymentControlStore:
    def __init__(self) -> None:
        self._stops: dict[str, PaymentStop] = {}
        self._mark: RestoreMark | None = None
        self._rates: dict[str, Stored[PaymentRate]] = {}
        self._lock = threading.Lock()

    def stop_of(self, partner_id: str) -> PaymentStop | None:
        return self._stops.get(EVERY_PARTNER) or self._stops.get(partner_id)

    def put_stop(self, stop: PaymentStop) -> None:
        self._stops[stop.partner_id] = stop

    def clear_stop(self, partner_id: str) -> None:
        self._stops.pop(partner_id, None)

    def restore_mark(self) -> RestoreMark | None:
        return self._mark

    def put_restore_mark(self, mark: RestoreMark) -> None:
        self._mark = mark

    def clear_restore_mark(self) -> None:
        self._mark = None

    def get_rate(self, connection_id: str) -> Stored[PaymentRate]:
        return self._rates.get(connection_id, Stored(None, 0))

    def save_rate(self, rate: PaymentRate, *, expected_version: int) -> int:
        with self._lock:
            if self.get_rate(rate.connection_id).version != expected_version:
                raise ConflictError("the rate moved on")
            self._rates[rate.connection_id] = Stored(rate, expected_version + 1)
        return expected_version + 1
