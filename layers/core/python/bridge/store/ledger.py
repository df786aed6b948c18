"""The ledger keeps the platform's payments and their write-backs in DynamoDB.

Payments and write-backs stay for ever; only a lease, and an ownership that was given up, are
deleted. A step is one transaction: a payment with its write-backs; a write-back with the lease
that allows the change and the ConnectWise payment that becomes its own. Every change also adds an
entry to the record's history, for auditors. ``keys`` lists the key of each item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bridge.domain.errors import ConflictError, InvalidInputError, LeaseTakenError
from bridge.domain.identity import new_id, parse_mirrored_id, write_back_id_of
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.write_back import Lease, WriteBack
from bridge.ports import NO_OWNER, Clock, Page, Stored
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.codec import encode
from bridge.store.cursors import check_limit, read_cursor, write_cursor
from bridge.store.errors import ConditionFailedError
from bridge.store.expressions import IS_NEW, Condition
from bridge.store.items import read_record, read_stored, read_time, record_item
from bridge.store.keys import Key
from bridge.store.listing import read_page
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
        self, partner_id: str, *, customer_id: str | None, limit: int, cursor: str | None = None
    ) -> Page[PlatformPayment]:
        check_limit(limit)
        pk = keys.platform_payments_pk(partner_id)
        wanted = Range(pk, keys.FIRST, keys.LAST, keys.LISTING_INDEX, is_descending=True)
        if customer_id is not None:
            prefix = keys.PLATFORM_PAYMENT_PREFIX
            pk = keys.of_customer_pk(partner_id, customer_id)
            wanted = Range(pk, prefix, prefix + keys.LAST, keys.CUSTOMER_INDEX, is_descending=True)
        items, last = read_page(
            self._table,
            [wanted],
            after=read_cursor(cursor, wanted.index, pk),
            limit=limit,
            key_of=lambda payment_id: keys.platform_payment_key(partner_id, payment_id),
        )
        payments = tuple(read_record(PlatformPayment, item) for item in items)
        return Page(payments, write_cursor(last, wanted.index, pk))

    # --- write-backs ---------------------------------------------------------------------------

    def get_write_back(self, connection_id: str, write_back_id: str) -> Stored[WriteBack]:
        key = keys.write_back_key(connection_id, write_back_id)
        return read_stored(WriteBack, self._table.get(key) if key else None)

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
        self, connection_id: str, *, limit: int, cursor: str | None = None
    ) -> Page[WriteBack]:
        check_limit(limit)
        pk = keys.write_backs_of_connection_pk(connection_id)
        items, last = read_page(
            self._table,
            [Range(pk, keys.FIRST, keys.LAST, keys.CUSTOMER_INDEX)],
            after=read_cursor(cursor, pk),
            limit=limit,
            key_of=lambda write_back_id: _key_of(connection_id, write_back_id),
        )
        return Page(tuple(read_record(WriteBack, item) for item in items), write_cursor(last, pk))

    def list_due(self, now: datetime, *, limit: int) -> tuple[WriteBack, ...]:
        check_limit(limit)
        high = keys.timestamp(now) + keys.LAST
        wanted = Range(keys.DUE_WRITE_BACKS_PK, keys.FIRST, high, keys.LISTING_INDEX)
        items = self._table.query(wanted, limit=limit).items
        return tuple(read_record(WriteBack, item) for item in items)

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
        version = expected_version + 1
        writes = self._write_back_writes(write_back, version, _stands_at(expected_version))
        if holding:
            writes.append(_lease_write(holding, extend_until))
        if own_psa_payment_id is not None:
            writes.append(_ownership_write(write_back, own_psa_payment_id))
        if disown_psa_payment_id not in (None, own_psa_payment_id):
            writes.append(_disownment_write(write_back, disown_psa_payment_id))
        self._table.transact(writes)
        return version

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
        is_free = Condition(
            "attribute_not_exists(#pk) OR #until <= :now", {"now": keys.timestamp(now)}
        )
        for _ in range(MAX_LEASE_ATTEMPTS):
            try:
                self._table.put(_lease_item(lease, until), is_free)
            except ConditionFailedError as error:
                taken = error.found[0]
                held_until = read_time(taken, "until")
                if taken["holder_id"] != holder_id:
                    raise LeaseTakenError(held_until) from error
                # A request of the earlier worker may still take effect: keep the later end.
                longer = replace(lease, until=max(until, held_until))
                if self._retake(longer, str(taken["token"])):
                    return longer
            else:
                return lease
        raise ConflictError("the invoice's lease keeps moving")

    def _retake(self, lease: Lease, token: str) -> bool:
        """Take the lease over from the holder's earlier worker; return whether it still had it."""
        try:
            self._table.put(_lease_item(lease, lease.until), _has_token(token))
        except ConditionFailedError:
            return False
        return True

    def release_lease(self, lease: Lease) -> None:
        try:
            end = Write(key=_lease_key(lease), condition=_has_token(lease.token))
            self._table.transact([end])
        except ConditionFailedError:
            # Somebody else holds it by now, or nobody does.
            return

    def owners(self, connection_id: str, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
        wanted = {each: keys.psa_payment_key(connection_id, each) for each in psa_payment_ids}
        found = self._table.get_many(list(wanted.values()))
        return {
            each: str(found[key]["write_back_id"]) for each, key in wanted.items() if key in found
        }

    def disclaim(self, connection_id: str, psa_payment_ids: Sequence[int]) -> None:
        for psa_payment_id in psa_payment_ids:
            with suppress(ConditionFailedError):
                self._table.put(
                    _owner_item(connection_id, psa_payment_id, NO_OWNER),
                    Condition("attribute_not_exists(#pk)"),
                )

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
        data = encode(write_back)
        return [
            Write(record_item(key, index_keys, version, data), condition=condition),
            self._event_write(keys.write_back_event_key(key, version), version, data),
        ]

    def _event_write(self, key: Key, version: int, data: Item) -> Write:
        now = keys.timestamp(self._clock.now())
        item = record_item(key, {}, version, data, recorded_at=now, written_by=self._written_by)
        return Write(item, condition=IS_NEW)


# --- rules that every ledger holds ---------------------------------------------------------------


def write_backs_by_payment(payment: PlatformPayment) -> list[tuple[str, str]]:
    """Return (connection id, write-back id) for each allocation of a payment.

    Allocations to the platform's own invoices are left out: ConnectWise has no such invoice.
    """
    mirrored = [parse_mirrored_id(allocation.invoice_id) for allocation in payment.allocations]
    return [
        (invoice.connection_id, write_back_id_of(payment.payment_id, invoice.source_id))
        for invoice in mirrored
        if invoice
    ]


def check_belonging(payment: PlatformPayment, write_backs: Sequence[WriteBack]) -> None:
    """Raise InvalidInputError unless each write-back belongs to the payment, and is named once."""
    allowed = set(write_backs_by_payment(payment))
    named = [(write_back.connection_id, write_back.write_back_id) for write_back in write_backs]
    is_own = all(
        write_back.partner_id == payment.partner_id and write_back.payment_id == payment.payment_id
        for write_back in write_backs
    )
    if not is_own or not allowed.issuperset(named) or len(set(named)) < len(named):
        raise InvalidInputError("not the payment's own write-backs", field="write_backs")


def check_lease(
    write_back: WriteBack, holding: Lease | None, extend_until: datetime | None
) -> None:
    """Raise ValueError for a lease of another invoice, or an extension that names no lease."""
    if extend_until is not None and holding is None:
        raise ValueError("only a lease that is held can be extended")
    place = (write_back.connection_id, write_back.invoice_source_id)
    if holding and (holding.connection_id, holding.invoice_source_id) != place:
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


def _lease_item(lease: Lease, until: datetime) -> Item:
    return {
        **_lease_key(lease).attributes(),
        "holder_id": lease.holder_id,
        "token": lease.token,
        "until": keys.timestamp(until),
    }


def _lease_write(lease: Lease, extend_until: datetime | None) -> Write:
    """Return the part of a transaction that insists on the lease's token, and may extend it."""
    condition = _has_token(lease.token)
    if extend_until is not None:
        return Write(_lease_item(lease, extend_until), condition=condition)
    return Write(key=_lease_key(lease), condition=condition, is_check=True)


def _lease_key(lease: Lease) -> Key:
    return keys.lease_key(lease.connection_id, lease.invoice_source_id)


def _has_token(token: str) -> Condition:
    return Condition("#token = :token", {"token": token})


def _ownership_write(write_back: WriteBack, psa_payment_id: int) -> Write:
    item = _owner_item(write_back.connection_id, psa_payment_id, write_back.write_back_id)
    return Write(item, condition=_is_nobodys_or_of(write_back))


def _owner_item(connection_id: str, psa_payment_id: int, owner_id: str) -> Item:
    key = keys.psa_payment_key(connection_id, psa_payment_id)
    return {**key.attributes(), "write_back_id": owner_id}


def _disownment_write(write_back: WriteBack, psa_payment_id: int) -> Write:
    key = keys.psa_payment_key(write_back.connection_id, psa_payment_id)
    return Write(key=key, condition=_is_nobodys_or_of(write_back))


def _is_nobodys_or_of(write_back: WriteBack) -> Condition:
    return Condition(
        "attribute_not_exists(#pk) OR #write_back_id = :write_back_id",
        {"write_back_id": write_back.write_back_id},
    )
