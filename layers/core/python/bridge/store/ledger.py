"""The ledger keeps the platform's payments and their write-backs in DynamoDB.

Payments and write-backs stay for ever; only a lease, and an ownership that was given up, are
deleted. A step is one transaction: a payment with its write-backs; a write-back with the lease
that allows the change and the ConnectWise payment that becomes its own. Every change also adds an
entry to the record's history, for auditors. ``keys`` lists the key of each item.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bridge.domain.errors import ConflictError, InvalidInputError, LeaseTakenError
from bridge.domain.identity import new_id
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import Books, Lease, WriteBack
from bridge.ports import (
    SHARE_OF_DUE,
    Clock,
    Page,
    PlatformPaymentQuery,
    Stored,
)
from bridge.store import keys, payment_owners
from bridge.store.attributes import Item
from bridge.store.codec import encode, encode_said
from bridge.store.cursors import check_limit, read_cursor, write_cursor
from bridge.store.due_listing import in_turn, read_due
from bridge.store.errors import ConditionFailedError
from bridge.store.expressions import IS_NEW, Condition
from bridge.store.items import packed_item, read_record, read_stored, read_time, record_item
from bridge.store.keys import Key
from bridge.store.listing import read_page
from bridge.store.payment_lists import read_payments
from bridge.store.payment_parts import check_belonging, write_backs_by_payment
from bridge.store.table import Range, Table, Write

MAX_LEASE_ATTEMPTS = 4
MAX_PAGES_OF_INVOICE = 10


class DynamoLedgerStore:
    """The ledger table fulfils :class:`bridge.ports.LedgerStore`.

    Single records, an invoice's write-backs and owners are read as of now. Lists of payments and
    of due write-backs come from indexes, which follow within moments. ``written_by`` is the part
    of the bridge that writes, as the histories name it.
    """

    def __init__(self, table: Table, clock: Clock, *, written_by: str) -> None:
        self._table = table
        self._clock = clock
        self._written_by = written_by

    # --- payments ------------------------------------------------------------------------------

    def record(self, payment: PlatformPayment, write_backs: Sequence[WriteBack]) -> None:
        check_belonging(payment, write_backs)
        writes = self._payment_writes(payment, 1, IS_NEW)
        for write_back in write_backs:
            writes += self._write_back_writes(write_back, 1, IS_NEW)
        self._table.transact(writes)

    def get_payment(self, partner_id: str, payment_id: str) -> Stored[PlatformPayment]:
        key = keys.platform_payment_key(partner_id, payment_id)
        return read_stored(PlatformPayment, self._table.get(key))

    def move_payment(
        self,
        payment: PlatformPayment,
        *,
        expected_version: int,
        write_backs: Sequence[tuple[WriteBack, int]],
    ) -> None:
        check_belonging(payment, [write_back for write_back, _ in write_backs])
        writes = self._payment_writes(payment, expected_version + 1, _stands_at(expected_version))
        for write_back, version in write_backs:
            writes += self._write_back_writes(write_back, version + 1, _stands_at(version))
        self._table.transact(writes)

    def list_payments(
        self,
        partner_id: str,
        query: PlatformPaymentQuery,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> Page[PlatformPayment]:
        return read_payments(self._table, partner_id, query, limit=limit, cursor=cursor)

    # --- write-backs ---------------------------------------------------------------------------

    def get_write_back(self, connection_id: str, write_back_id: str) -> Stored[WriteBack]:
        key = keys.write_back_key(connection_id, write_back_id)
        return read_stored(WriteBack, self._table.get(key) if key else None)

    def get_write_backs(
        self, connection_id: str, write_back_ids: Collection[str]
    ) -> Mapping[str, WriteBack]:
        wanted = {each: keys.write_back_key(connection_id, each) for each in write_back_ids}
        found = self._table.get_many([key for key in wanted.values() if key])
        return {
            each: read_record(WriteBack, found[key])
            for each, key in wanted.items()
            if key is not None and key in found
        }

    def write_backs_of_payment(
        self, partner_id: str, payment_id: str
    ) -> tuple[Stored[WriteBack], ...]:
        payment = self.get_payment(partner_id, payment_id).value
        if payment is None:
            return ()
        wanted = [_key_of(*place) for place in write_backs_by_payment(payment)]
        found = self._table.get_many(wanted)
        return tuple(read_stored(WriteBack, found[key]) for key in wanted if key in found)

    def write_backs_of_invoice(
        self, connection_id: str, invoice_source_id: int
    ) -> tuple[WriteBack, ...]:
        prefix = keys.WRITE_BACK_PREFIX
        pk = keys.ledger_invoice_pk(connection_id, invoice_source_id)
        wanted = Range(pk, prefix, prefix + keys.LAST)
        items = self._table.walk(wanted, max_pages=MAX_PAGES_OF_INVOICE)
        return tuple(sorted((read_record(WriteBack, item) for item in items), key=_age))

    def list_write_backs(
        self,
        connection_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        is_resting: bool = False,
        after_invoice: int = 0,
    ) -> Page[WriteBack]:
        check_limit(limit)
        pk = keys.write_backs_of_connection_pk(connection_id, is_resting=is_resting)
        first = keys.past_invoice(after_invoice)
        items, last = read_page(
            self._table,
            [Range(pk, first, keys.LAST, keys.CUSTOMER_INDEX)],
            after=read_cursor(cursor, pk),
            limit=limit,
            key_of=lambda write_back_id: _key_of(connection_id, write_back_id),
        )
        return Page(tuple(read_record(WriteBack, item) for item in items), write_cursor(last, pk))

    def set_resting(self, write_back: WriteBack, *, is_resting: bool) -> bool:
        key = _key_of(write_back.connection_id, write_back.write_back_id)
        item = self._table.get(key)
        if item is None or read_record(WriteBack, item) != write_back:
            return False
        listed = keys.write_back_index_keys(write_back, is_resting=is_resting)
        version = int(str(item["version"]))
        try:
            self._table.put({**item, **listed}, _stands_at(version))
        except ConditionFailedError:
            return False
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
        due = read_due(self._table, now, share=share)
        return in_turn(due, limit=limit, share=share, silent=silent)

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
        version = expected_version + 1
        writes = self._write_back_writes(write_back, version, _stands_at(expected_version))
        if holding:
            writes += _lease_writes(holding, extend_until, releases=releases)
        if holding and own_psa_payment_id is not None:
            writes += payment_owners.ownership_writes(holding.books, write_back, own_psa_payment_id)
        if holding and disown_psa_payment_id not in (None, own_psa_payment_id):
            writes += payment_owners.disownment_writes(
                holding.books, write_back, disown_psa_payment_id
            )
        self._table.transact(writes)
        return version

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
        # One that is taken under the first key only is over soon by itself: where it was extended,
        # a request of the same holder may still take effect, so it must not be given up here.
        lease = Lease(books, invoice_source_id, holder_id, new_id(), until)
        ends = {}
        for key in _lease_keys(lease):
            lease = self._take(lease, key, now)
            ends[key] = lease.until
        for key, end in ends.items():
            # Only a worker of the release before extends one key alone.
            if end < lease.until and not self._retake(lease, key, lease.token):
                raise ConflictError("the invoice's lease moved on")
        return lease

    def _take(self, lease: Lease, key: Key, now: datetime) -> Lease:
        """Take the lease under one key, and return it with the later end."""
        is_free = Condition(
            "attribute_not_exists(#pk) OR #until <= :now", {"now": keys.timestamp(now)}
        )
        for _ in range(MAX_LEASE_ATTEMPTS):
            try:
                self._table.put(_lease_item(lease, key, lease.until), is_free)
            except ConditionFailedError as error:
                taken = error.found[0]
                held_until = read_time(taken, "until")
                if taken["holder_id"] != lease.holder_id:
                    raise LeaseTakenError(held_until) from error
                # A request of the earlier worker may still take effect: keep the later end.
                longer = replace(lease, until=max(lease.until, held_until))
                if self._retake(longer, key, str(taken["token"])):
                    return longer
            else:
                return lease
        raise ConflictError("the invoice's lease keeps moving")

    def _retake(self, lease: Lease, key: Key, token: str) -> bool:
        """Take the lease over from the holder's earlier worker; return whether it still had it."""
        try:
            self._table.put(_lease_item(lease, key, lease.until), _has_token(token))
        except ConditionFailedError:
            return False
        return True

    def release_lease(self, lease: Lease) -> None:
        for key in _lease_keys(lease):
            # Somebody else may hold it by now, or nobody does.
            with suppress(ConditionFailedError):
                self._table.delete(key, _has_token(lease.token))

    def owners(self, books: Books, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
        return payment_owners.find(self._table, books, psa_payment_ids)

    def disputed(self, books: Books, owners: Mapping[int, str]) -> tuple[int, ...]:
        return payment_owners.disputed(self._table, books, owners)

    def disclaim(self, books: Books, psa_payment_ids: Sequence[int]) -> None:
        payment_owners.disclaim(self._table, books, psa_payment_ids)

    def give_up(self, books: Books, psa_payment_id: int, owner_id: str) -> None:
        payment_owners.give_up(self._table, books, psa_payment_id, owner_id)

    def move_owners(self, books: Books, owners: Mapping[int, str]) -> tuple[int, ...]:
        return payment_owners.move(self._table, books, owners)

    # --- items ---------------------------------------------------------------------------------

    def _payment_writes(
        self, payment: PlatformPayment, version: int, condition: Condition
    ) -> list[Write]:
        key = keys.platform_payment_key(payment.partner_id, payment.payment_id)
        event_key = keys.platform_payment_event_key(payment.partner_id, payment.payment_id, version)
        index_keys = keys.platform_payment_index_keys(payment)
        data = encode(payment)
        return [
            Write(record_item(key, index_keys, version, data), condition=condition),
            self._event_write(event_key, version, data),
        ]

    def _write_back_writes(
        self, write_back: WriteBack, version: int, condition: Condition
    ) -> list[Write]:
        key = _key_of(write_back.connection_id, write_back.write_back_id)
        index_keys = keys.write_back_index_keys(write_back)
        item = record_item(key, index_keys, version, encode_said(write_back))
        audited = encode_said(write_back.audited)
        return [
            Write(item, condition=condition),
            self._event_write(keys.write_back_event_key(key, version), version, audited),
        ]

    def _event_write(self, key: Key, version: int, data: Item) -> Write:
        now = keys.timestamp(self._clock.now())
        item = packed_item(key, version, data, recorded_at=now, written_by=self._written_by)
        return Write(item, condition=IS_NEW)


# --- rules that every ledger holds ---------------------------------------------------------------


def check_lease(
    write_back: WriteBack,
    holding: Lease | None,
    extend_until: datetime | None,
    *,
    is_owning: bool = False,
    releases: bool = False,
) -> None:
    """Raise ValueError for a lease of another invoice, or a step that needs a lease and lacks it:
    an extension, a release, and a change of owners."""
    if (extend_until is not None or is_owning or releases) and holding is None:
        raise ValueError("only who holds the lease extends it, or owns a payment")
    if extend_until is not None and releases:
        raise ValueError("a lease is extended or given up")
    place = (write_back.connection_id, write_back.invoice_source_id)
    if holding and (holding.books.connection_id, holding.invoice_source_id) != place:
        raise ValueError("the lease is of another invoice")


def _stands_at(version: int) -> Condition:
    """Return the condition that an item is stored with this version."""
    return Condition("#version = :expected_version", {"expected_version": version})


def _key_of(connection_id: str, write_back_id: str) -> Key:
    key = keys.write_back_key(connection_id, write_back_id)
    if key is None:
        raise InvalidInputError("not a write-back's id", field="write_back_id")
    return key


def _age(write_back: WriteBack) -> tuple[datetime, str]:
    return write_back.created_at, write_back.write_back_id


def _lease_item(lease: Lease, key: Key, until: datetime) -> Item:
    return {
        **key.attributes(),
        "holder_id": lease.holder_id,
        "token": lease.token,
        "until": keys.timestamp(until),
    }


def _lease_writes(lease: Lease, extend_until: datetime | None, *, releases: bool) -> list[Write]:
    """Return the part of a transaction that insists on the lease's token, and may extend the lease
    or give it up."""
    condition = _has_token(lease.token)
    if releases:
        return [Write(key=key, condition=condition) for key in _lease_keys(lease)]
    if extend_until is None:
        return [Write(key=key, condition=condition, is_check=True) for key in _lease_keys(lease)]
    return [
        Write(_lease_item(lease, key, extend_until), condition=condition)
        for key in _lease_keys(lease)
    ]


def _lease_keys(lease: Lease) -> list[Key]:
    return [keys.lease_key(each, lease.invoice_source_id) for each in lease.books.keys]


def _has_token(token: str) -> Condition:
    return Condition("#token = :token", {"token": token})
