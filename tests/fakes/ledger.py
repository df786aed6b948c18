"""The ledger of payments and write-backs in memory, and the queue of write-backs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from bridge.domain.errors import ConflictError, LeaseTakenError
from bridge.domain.identity import new_id
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import Lease, WriteBack
from bridge.ports import NO_OWNER, Clock, Page, Stored
from bridge.store import keys
from bridge.store.cursors import Position, check_limit
from bridge.store.keys import Key
from bridge.store.ledger import check_belonging, check_lease, write_backs_by_payment
from tests.fakes.histories import LedgerEntry
from tests.fakes.pages import cut_page

T = TypeVar("T")


class InMemoryLedgerStore:
    """One lock makes every method a transaction.

    No method goes through another public one, so that a test may replace any of them alone.
    """

    def __init__(self, clock: Clock, *, written_by: str = "test") -> None:
        self._clock = clock
        self._written_by = written_by
        self._payments: dict[Key, Stored[PlatformPayment]] = {}
        self._write_backs: dict[Key, Stored[WriteBack]] = {}
        self._payment_events: dict[Key, list[LedgerEntry[PlatformPayment]]] = {}
        self._write_back_events: dict[Key, list[LedgerEntry[WriteBack]]] = {}
        self._leases: dict[Key, Lease] = {}
        self._owners: dict[Key, str] = {}
        self._lock = threading.Lock()

    # --- payments ------------------------------------------------------------------------------

    def record(self, payment: PlatformPayment, write_backs: Sequence[WriteBack]) -> None:
        check_belonging(payment, write_backs)
        self._store(payment, 0, [(write_back, 0) for write_back in write_backs])

    def get_payment(self, partner_id: str, payment_id: str) -> Stored[PlatformPayment]:
        return self._payment(partner_id, payment_id)

    def move_payment(
        self,
        payment: PlatformPayment,
        *,
        expected_version: int,
        write_backs: Sequence[tuple[WriteBack, int]],
    ) -> None:
        check_belonging(payment, [write_back for write_back, _ in write_backs])
        _insist(min([expected_version, *(version for _, version in write_backs)]) > 0)
        self._store(payment, expected_version, write_backs)

    def list_payments(
        self, partner_id: str, *, customer_id: str | None, limit: int, cursor: str | None = None
    ) -> Page[PlatformPayment]:
        listed = [stored.value for stored in list(self._payments.values()) if stored.value]
        entries = [
            (Position(0, keys.platform_payment_index_keys(payment)["gsi1sk"]), payment)
            for payment in listed
            if payment.partner_id == partner_id
            if customer_id in (None, payment.customer_id)
        ]
        return cut_page(
            entries,
            "payments",
            partner_id,
            customer_id,
            limit=limit,
            cursor=cursor,
            is_descending=True,
        )

    def payment_history(
        self, partner_id: str, payment_id: str, *, limit: int
    ) -> tuple[LedgerEntry[PlatformPayment], ...]:
        key = keys.platform_payment_key(partner_id, payment_id)
        return _latest(self._payment_events.get(key, []), limit)

    # --- write-backs ---------------------------------------------------------------------------

    def get_write_back(self, connection_id: str, write_back_id: str) -> Stored[WriteBack]:
        return self._write_back(connection_id, write_back_id)

    def write_backs_of_payment(
        self, partner_id: str, payment_id: str
    ) -> tuple[Stored[WriteBack], ...]:
        payment = self._payment(partner_id, payment_id).value
        places = write_backs_by_payment(payment) if payment else []
        found = (self._write_back(*place) for place in places)
        return tuple(stored for stored in found if stored.value)

    def write_backs_of_invoice(
        self, connection_id: str, invoice_source_id: int
    ) -> tuple[WriteBack, ...]:
        place = (connection_id, invoice_source_id)
        return self._sorted(
            lambda w: (w.connection_id, w.invoice_source_id) == place, lambda w: w.created_at
        )

    def list_write_backs(
        self, connection_id: str, *, limit: int, cursor: str | None = None
    ) -> Page[WriteBack]:
        listed = [stored.value for stored in list(self._write_backs.values()) if stored.value]
        entries = [
            (Position(0, keys.write_back_index_keys(write_back)["gsi2sk"]), write_back)
            for write_back in listed
            if write_back.connection_id == connection_id
        ]
        return cut_page(entries, "write-backs", connection_id, limit=limit, cursor=cursor)

    def list_due(self, now: datetime, *, limit: int) -> tuple[WriteBack, ...]:
        check_limit(limit)
        return self._sorted(
            lambda w: w.due_at is not None and w.due_at <= now and not w.has_ended,
            lambda w: w.due_at or now,
        )[:limit]

    def save_write_back(
        self,
        write_back: WriteBack,
        *,
        expected_version: int,
        holding: Lease | None = None,
        extend_until: datetime | None = None,
        own_psa_payment_id: int | None = None,
        disown_psa_payment_id: int | None = None,
    ) -> int:
        check_lease(write_back, holding, extend_until)
        with self._lock:
            _insist(expected_version > 0)
            _insist(self._version_of(write_back) == expected_version)
            _insist(holding is None or self._stands(holding))
            for each in (own_psa_payment_id, disown_psa_payment_id):
                _insist(each is None or self._is_nobodys_or_of(write_back, each))
            self._put_write_back(write_back, expected_version + 1)
            if holding and extend_until:
                self._leases[_lease_key(holding)] = replace(holding, until=extend_until)
            if disown_psa_payment_id is not None:
                self._owners.pop(_owner_key(write_back, disown_psa_payment_id), None)
            if own_psa_payment_id is not None:
                key = _owner_key(write_back, own_psa_payment_id)
                self._owners[key] = write_back.write_back_id
        return expected_version + 1

    def write_back_history(
        self, connection_id: str, write_back_id: str, *, limit: int
    ) -> tuple[LedgerEntry[WriteBack], ...]:
        key = keys.write_back_key(connection_id, write_back_id)
        return _latest(self._write_back_events.get(key, []), limit) if key else ()

    # --- leases and owners ---------------------------------------------------------------------

    def take_lease(
        self,
        *,
        connection_id: str,
        invoice_source_id: int,
        holder_id: str,
        now: datetime,
        until: datetime,
    ) -> Lease:
        lease = Lease(connection_id, invoice_source_id, holder_id, new_id(), until)
        with self._lock:
            taken = self._leases.get(_lease_key(lease))
            if taken and taken.until > now:
                if taken.holder_id != holder_id:
                    raise LeaseTakenError(taken.until)
                lease = replace(lease, until=max(until, taken.until))
            self._leases[_lease_key(lease)] = lease
        return lease

    def release_lease(self, lease: Lease) -> None:
        with self._lock:
            if self._stands(lease):
                del self._leases[_lease_key(lease)]

    def owners(self, connection_id: str, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
        wanted = {each: keys.psa_payment_key(connection_id, each) for each in psa_payment_ids}
        return {each: self._owners[key] for each, key in wanted.items() if key in self._owners}

    def disclaim(self, connection_id: str, psa_payment_ids: Sequence[int]) -> None:
        with self._lock:
            for each in psa_payment_ids:
                self._owners.setdefault(keys.psa_payment_key(connection_id, each), NO_OWNER)

    # --- what is stored ------------------------------------------------------------------------

    def _payment(self, partner_id: str, payment_id: str) -> Stored[PlatformPayment]:
        key = keys.platform_payment_key(partner_id, payment_id)
        return self._payments.get(key, Stored(None, 0))

    def _write_back(self, connection_id: str, write_back_id: str) -> Stored[WriteBack]:
        key = keys.write_back_key(connection_id, write_back_id)
        return self._write_backs.get(key, Stored(None, 0)) if key else Stored(None, 0)

    def _store(
        self,
        payment: PlatformPayment,
        expected_version: int,
        write_backs: Sequence[tuple[WriteBack, int]],
    ) -> None:
        with self._lock:
            stored = self._payment(payment.partner_id, payment.payment_id)
            _insist(stored.version == expected_version)
            for write_back, version in write_backs:
                _insist(self._version_of(write_back) == version)
            key = keys.platform_payment_key(payment.partner_id, payment.payment_id)
            self._payments[key] = Stored(payment, expected_version + 1)
            self._note(self._payment_events, key, payment, expected_version + 1)
            for write_back, version in write_backs:
                self._put_write_back(write_back, version + 1)

    def _put_write_back(self, write_back: WriteBack, version: int) -> None:
        key = _write_back_key(write_back)
        self._write_backs[key] = Stored(write_back, version)
        self._note(self._write_back_events, key, write_back, version)

    def _note(
        self, events: dict[Key, list[LedgerEntry[T]]], key: Key, value: T, version: int
    ) -> None:
        entry = LedgerEntry(version, self._clock.now(), self._written_by, value)
        events.setdefault(key, []).append(entry)

    def _version_of(self, write_back: WriteBack) -> int:
        return self._write_back(write_back.connection_id, write_back.write_back_id).version

    def _stands(self, lease: Lease) -> bool:
        taken = self._leases.get(_lease_key(lease))
        return taken is not None and taken.token == lease.token

    def _is_nobodys_or_of(self, write_back: WriteBack, psa_payment_id: int) -> bool:
        owner_id = self._owners.get(_owner_key(write_back, psa_payment_id))
        return owner_id in (None, write_back.write_back_id)

    def _sorted(
        self, is_wanted: Callable[[WriteBack], bool], moment: Callable[[WriteBack], datetime]
    ) -> tuple[WriteBack, ...]:
        values = [stored.value for stored in list(self._write_backs.values()) if stored.value]
        found = [write_back for write_back in values if is_wanted(write_back)]
        return tuple(sorted(found, key=lambda w: (moment(w), w.write_back_id)))


def _insist(condition: bool) -> None:
    if not condition:
        raise ConflictError("the ledger moved on")


def _latest(entries: list[LedgerEntry[T]], limit: int) -> tuple[LedgerEntry[T], ...]:
    return tuple(reversed(entries))[:limit]


def _write_back_key(write_back: WriteBack) -> Key:
    key = keys.write_back_key(write_back.connection_id, write_back.write_back_id)
    if key is None:
        raise ValueError("not a write-back's id")
    return key


def _lease_key(lease: Lease) -> Key:
    return keys.lease_key(lease.connection_id, lease.invoice_source_id)


def _owner_key(write_back: WriteBack, psa_payment_id: int) -> Key:
    return keys.psa_payment_key(write_back.connection_id, psa_payment_id)
