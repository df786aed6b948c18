"""The ledger of payments and write-backs in memory, and the queue of write-backs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from bridge.domain.errors import ConflictError, LeaseTakenError
from bridge.domain.identity import new_id, parse_mirrored_id, write_back_id_of
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import Books, Lease, WriteBack
from bridge.domain.write_back.change_table import faults_of
from bridge.ports import NO_OWNER, SHARE_OF_DUE, Clock, Page, PlatformPaymentQuery, Stored
from bridge.store import keys
from bridge.store.cursors import Position, check_limit
from bridge.store.due_listing import in_turn
from bridge.store.keys import Key
from bridge.store.ledger import check_lease
from bridge.store.payment_parts import check_belonging, write_backs_by_payment
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
        self._of_invoice: dict[tuple[str, int], tuple[Key, ...]] = {}
        self._listed: dict[str, tuple[tuple[Position, Key], ...]] = {}
        """The write-backs of each connection, in the order of its list."""
        self._resting: set[Key] = set()
        self._waking: dict[Key, WriteBack] = {}
        """The write-backs that are looked at again at some moment."""
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
        self,
        partner_id: str,
        query: PlatformPaymentQuery,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> Page[PlatformPayment]:
        listed = [stored.value for stored in list(self._payments.values()) if stored.value]
        entries = [
            (Position(0, keys.platform_payment_index_keys(payment)["gsi1sk"]), payment)
            for payment in listed
            if payment.partner_id == partner_id and query.matches(payment)
            if query.invoice_id is None or self._is_for(payment, query.invoice_id)
        ]
        return cut_page(entries, partner_id, query, limit=limit, cursor=cursor, is_descending=True)

    def payment_history(
        self, partner_id: str, payment_id: str, *, limit: int
    ) -> tuple[LedgerEntry[PlatformPayment], ...]:
        key = keys.platform_payment_key(partner_id, payment_id)
        return _latest(self._payment_events.get(key, []), limit)

    # --- write-backs ---------------------------------------------------------------------------

    def get_write_back(self, connection_id: str, write_back_id: str) -> Stored[WriteBack]:
        return self._write_back(connection_id, write_back_id)

    def get_write_backs(
        self, connection_id: str, write_back_ids: Collection[str]
    ) -> Mapping[str, WriteBack]:
        found = {each: self._write_back(connection_id, each).value for each in write_back_ids}
        return {each: write_back for each, write_back in found.items() if write_back}

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
        found = self._of_invoice.get((connection_id, invoice_source_id), ())
        return _sorted(map(self._standing, found), lambda w: w.created_at)

    def list_write_backs(
        self,
        connection_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        is_resting: bool = False,
        after_invoice: int = 0,
    ) -> Page[WriteBack]:
        first = keys.past_invoice(after_invoice)
        entries = [
            (position, self._standing(key))
            for position, key in self._listed.get(connection_id, ())
            if position.sort_key >= first and (key in self._resting) is is_resting
        ]
        bound_to = "write-backs", connection_id, is_resting
        return cut_page(entries, *bound_to, limit=limit, cursor=cursor)

    def set_resting(self, write_back: WriteBack, *, is_resting: bool) -> bool:
        key = _write_back_key(write_back)
        with self._lock:
            if self._standing(key) != write_back:
                return False
            if is_resting:
                self._resting.add(key)
            else:
                self._resting.discard(key)
        return True

    def list_due(
        self,
        now: datetime,
        *,
        limit: int,
        share: int = SHARE_OF_DUE,
        silent: Collection[str] = (),
    ) -> tuple[WriteBack, ...]:
        check_limit(limit)
        waking = list(self._waking.values())
        due = [each for each in waking if each.next_look_at and each.next_look_at <= now]
        ordered = _sorted(due, lambda w: w.next_look_at or now)
        return in_turn(ordered, limit=limit, share=share, silent=silent)

    def save_write_back(
        self,
        write_back: WriteBack,
        *,
        expected_version: int,
        holding: Lease | None = None,
        extend_until: datetime | None = None,
        own_psa_payment_id: int | None = None,
        disown_psa_payment_id: int | None = None,
        releases: bool = False,
    ) -> int:
        is_owning = own_psa_payment_id is not None or disown_psa_payment_id is not None
        check_lease(write_back, holding, extend_until, is_owning=is_owning, releases=releases)
        with self._lock:
            _insist(expected_version > 0)
            _insist(self._version_of(write_back) == expected_version)
            _insist(holding is None or self._stands(holding))
            for each in (own_psa_payment_id, disown_psa_payment_id):
                for key in _owner_keys(holding, each):
                    _insist(self._owners.get(key) in (None, write_back.write_back_id))
            self._put_write_back(write_back, expected_version + 1)
            if holding and extend_until:
                for key in _lease_keys(holding):
                    self._leases[key] = replace(holding, until=extend_until)
            for key in _lease_keys(holding) if holding and releases else ():
                self._leases.pop(key, None)
            for key in _owner_keys(holding, disown_psa_payment_id):
                self._owners.pop(key, None)
            for key in _owner_keys(holding, own_psa_payment_id):
                self._owners[key] = write_back.write_back_id
        return expected_version + 1

    def arrange(self, write_back: WriteBack) -> None:
        """Put a write-back as a test needs it, whatever way leads there."""
        with self._lock:
            key = _write_back_key(write_back)
            version = self._version_of(write_back)
            self._write_backs[key] = Stored(None, version)
            self._put_write_back(write_back, version + 1)

    def write_back_history(
        self, connection_id: str, write_back_id: str, *, limit: int
    ) -> tuple[LedgerEntry[WriteBack], ...]:
        key = keys.write_back_key(connection_id, write_back_id)
        entries = _latest(self._write_back_events.get(key, []), limit) if key else ()
        return tuple(replace(each, value=each.value.audited) for each in entries)

    # --- leases and owners ---------------------------------------------------------------------

    def take_lease(
        self,
        *,
        books: Books,
        invoice_source_id: int,
        holder_id: str,
        now: datetime,
        until: datetime,
    ) -> Lease:
        lease = Lease(books, invoice_source_id, holder_id, new_id(), until)
        with self._lock:
            taken = [self._leases[key] for key in _lease_keys(lease) if key in self._leases]
            held = [each for each in taken if each.until > now]
            foreign = [each.until for each in held if each.holder_id != holder_id]
            if foreign:
                raise LeaseTakenError(max(foreign))
            lease = replace(lease, until=max([until, *(each.until for each in held)]))
            for key in _lease_keys(lease):
                self._leases[key] = lease
        return lease

    def release_lease(self, lease: Lease) -> None:
        with self._lock:
            for key in _lease_keys(lease):
                if key in self._leases and self._leases[key].token == lease.token:
                    del self._leases[key]

    def owners(self, books: Books, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
        found: dict[int, str] = {}
        for books_key in reversed(books.read_keys):
            for each in psa_payment_ids:
                key = keys.psa_payment_key(books_key, each)
                if key in self._owners:
                    found[each] = self._owners[key]
        return found

    def disclaim(self, books: Books, psa_payment_ids: Sequence[int]) -> None:
        with self._lock:
            for books_key in books.keys:
                for each in psa_payment_ids:
                    self._owners.setdefault(keys.psa_payment_key(books_key, each), NO_OWNER)

    def disputed(self, books: Books, owners: Mapping[int, str]) -> tuple[int, ...]:
        known = {
            each: {
                self._owners.get(keys.psa_payment_key(books_key, each), NO_OWNER)
                for books_key in books.read_keys
            }
            for each in owners
        }
        return tuple(each for each in owners if known[each] - {owners[each], NO_OWNER})

    def give_up(self, books: Books, psa_payment_id: int, owner_id: str) -> None:
        with self._lock:
            for books_key in books.keys:
                key = keys.psa_payment_key(books_key, psa_payment_id)
                if self._owners.get(key) == owner_id:
                    del self._owners[key]

    def move_owners(self, books: Books, owners: Mapping[int, str]) -> tuple[int, ...]:
        disputed: dict[int, None] = {}
        with self._lock:
            for psa_payment_id, owner_id in owners.items():
                for books_key in books.keys:
                    key = keys.psa_payment_key(books_key, psa_payment_id)
                    if self._owners.setdefault(key, owner_id) != owner_id:
                        disputed[psa_payment_id] = None
        return tuple(disputed)

    # --- what is stored ------------------------------------------------------------------------

    def _payment(self, partner_id: str, payment_id: str) -> Stored[PlatformPayment]:
        key = keys.platform_payment_key(partner_id, payment_id)
        return self._payments.get(key, Stored(None, 0))

    def _is_for(self, payment: PlatformPayment, invoice_id: str) -> bool:
        invoice = parse_mirrored_id(invoice_id)
        if invoice is None:
            return False
        write_back_id = write_back_id_of(payment.payment_id, invoice.source_id)
        found = self._write_back(invoice.connection_id, write_back_id).value
        return found is not None and found.partner_id == payment.partner_id

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
        if key not in self._write_backs:
            self._index(write_back, key)
        elif before := self._write_backs[key].value:
            check_change(before, write_back)
        self._write_backs[key] = Stored(write_back, version)
        self._resting.discard(key)
        if write_back.next_look_at is None:
            self._waking.pop(key, None)
        else:
            self._waking[key] = write_back
        self._note(self._write_back_events, key, write_back, version)

    def _index(self, write_back: WriteBack, key: Key) -> None:
        """Enter a new write-back in the lists in which it keeps its place for good."""
        connection_id = write_back.connection_id
        place = (connection_id, write_back.invoice_source_id)
        self._of_invoice[place] = (*self._of_invoice.get(place, ()), key)
        position = Position(0, keys.write_back_index_keys(write_back)["gsi2sk"])
        listed = [*self._listed.get(connection_id, ()), (position, key)]
        self._listed[connection_id] = tuple(sorted(listed, key=lambda entry: entry[0].sort_key))

    def _standing(self, key: Key) -> WriteBack:
        write_back = self._write_backs[key].value
        if write_back is None:
            raise LookupError("a write-back is never removed")
        return write_back

    def _note(
        self, events: dict[Key, list[LedgerEntry[T]]], key: Key, value: T, version: int
    ) -> None:
        entry = LedgerEntry(version, self._clock.now(), self._written_by, value)
        events.setdefault(key, []).append(entry)

    def _version_of(self, write_back: WriteBack) -> int:
        return self._write_back(write_back.connection_id, write_back.write_back_id).version

    def _stands(self, lease: Lease) -> bool:
        taken = [self._leases.get(key) for key in _lease_keys(lease)]
        return all(each is not None and each.token == lease.token for each in taken)


def _sorted(
    found: Iterable[WriteBack], moment: Callable[[WriteBack], datetime]
) -> tuple[WriteBack, ...]:
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


def _lease_keys(lease: Lease) -> list[Key]:
    return [keys.lease_key(each, lease.invoice_source_id) for each in lease.books.keys]


def _owner_keys(lease: Lease | None, psa_payment_id: int | None) -> list[Key]:
    if lease is None or psa_payment_id is None:
        return []
    return [keys.psa_payment_key(each, psa_payment_id) for each in lease.books.keys]


def check_change(before: WriteBack, after: WriteBack) -> None:
    """Raise AssertionError for a change of a write-back that may never be stored."""
    faults = faults_of(before, after)
    if faults:
        raise AssertionError(faults)
