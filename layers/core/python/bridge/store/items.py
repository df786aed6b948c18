"""The shape of the tables' items.

Every record's item has ``pk``, ``sk`` and index keys, ``schema``, ``version``, ``write_token``
and ``data``, the record itself as a map of its fields. A mirrored record's ``data`` is that map
packed (see ``content``), and the attributes by which sweeps choose stand beside it. An invoice's
lines and payments lie apart, because lists leave them out. Items of version 0.1.0, with the schema
1, are read too: their ``data`` is the map itself, with up to 20 payments in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from bridge.domain.errors import MalformedRecordError
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import MirroredRecord, kind_of
from bridge.domain.payment import Payment
from bridge.ports import Stored
from bridge.store import keys
from bridge.store.attributes import Item, Plain
from bridge.store.codec import decode, encode, encode_value
from bridge.store.content import json_of, pack, unpack, unpack_json, unzip_json
from bridge.store.keys import Key
from bridge.store.kinds import STORED_KINDS

T = TypeVar("T")

SCHEMA = 1
PACKED_SCHEMA = 2
"""Mirrored records and the ledger's histories have it: their content is packed."""
MAX_BYTES_APART = 3 * 1024 * 1024
"""Before compression. The API shows an invoice in one answer of 6 MB at most, and needs nearly
twice as many bytes for the same content."""
_LINES = "line_items"
_PAYMENTS = "payments"
_PAYMENTS_COMPLETE = "payments_complete"
LACKS_PAYMENTS = "lacks_payments"
"""An invoice's item has it as long as its payments are still to be read."""
_UNLISTED_PAYMENTS = "unlisted_payments"
_UNLISTED = "unlisted "


def record_item(
    key: Key, index_keys: Mapping[str, str], version: int, data: Item, **beside: Plain
) -> Item:
    """Return the item of a record at ``key``."""
    return {
        **key.attributes(),
        **index_keys,
        "schema": SCHEMA,
        "version": version,
        "data": data,
        **beside,
    }


def packed_item(key: Key, version: int, data: Item, **beside: Plain) -> Item:
    """Return the item of a record that is kept for auditors, in few bytes."""
    return {
        **key.attributes(),
        "schema": PACKED_SCHEMA,
        "version": version,
        "data": pack(json_of(data)),
        **beside,
    }


def read_stored(record_type: type[T], item: Mapping[str, Plain] | None) -> Stored[T]:
    """Return a record with its version; a missing item and a tombstone have the value None."""
    if item is None:
        return Stored(None, 0)
    version = int(str(item["version"]))
    if "data" not in item:
        return Stored(None, version)
    return Stored(read_record(record_type, item), version, stored_fingerprint(item))


def read_record(record_type: type[T], item: Mapping[str, Plain]) -> T:
    """Return the record of an item, with lines and payments if the item was read with them.

    Raises MalformedRecordError for a schema of a later release.
    """
    packed = item.get("schema") == PACKED_SCHEMA
    read = unpack_json if packed else unzip_json
    apart = {name: read(item[name]) for name in (_LINES, _PAYMENTS) if name in item}
    data = unpack_json(item.get("data")) if packed else _plain_data(item)
    if item.get(LACKS_PAYMENTS) is True:
        apart[_PAYMENTS_COMPLETE] = False
    return decode(record_type, {**data, **apart})


def stored_fingerprint(item: Mapping[str, Plain]) -> str:
    """Return the change fingerprint that a record's item was written with."""
    marks = item.get("marks", "")
    return unpack(marks).decode() if isinstance(marks, bytes) else str(marks)


# --- records -----------------------------------------------------------------------------------


def mirrored_item(record: MirroredRecord, *, version: int, change_fingerprint: str) -> Item:
    """Return a record's item. ``marks`` is the stored name of the change fingerprint.

    Raises MalformedRecordError for more lines and payments than MAX_BYTES_APART.
    """
    kind = kind_of(record)
    stored = STORED_KINDS[kind.record_kind]
    data = encode(record)
    parts = {name: data.pop(name, None) for name in (_LINES, _PAYMENTS)}
    # Beside the data alone, so that payments which are read later leave the indexes as they are.
    data.pop(_PAYMENTS_COMPLETE, None)
    key = _record_key(record.partner_id, kind.record_kind, kind.id_of(record))
    return {
        **key.attributes(),
        **stored.index_keys(record),
        "schema": PACKED_SCHEMA,
        "version": version,
        "data": pack(json_of(data)),
        "marks": pack(change_fingerprint.encode()),
        **stored.beside(record),
        **_packed({name: content for name, content in parts.items() if content}),
    }


def with_unlisted(item: Item, payments: Sequence[Payment]) -> Item:
    """Return an invoice's item that names payments whose own items are still to be written."""
    named = pack(json_of([encode_value(payment) for payment in payments]))
    marks = pack(as_unlisted(stored_fingerprint(item)).encode())
    return {**item, "marks": marks, _UNLISTED_PAYMENTS: named}


def repacked(record: MirroredRecord, item: Item) -> Item:
    """Return the item of a record that 0.1.0 stored, packed and else as it was."""
    unlisted = unlisted_payments(item)
    fingerprint = stored_fingerprint(item)
    packed = mirrored_item(
        record,
        version=int(str(item["version"])),
        change_fingerprint=fingerprint.removeprefix(_UNLISTED) if unlisted else fingerprint,
    )
    return with_unlisted(packed, unlisted) if unlisted else packed


def as_unlisted(change_fingerprint: str) -> str:
    """Return the fingerprint of an invoice some of whose payments are still to be listed.

    It differs from all that ConnectWise lists, so that the next refresh writes the invoice again.
    """
    return f"{_UNLISTED}{change_fingerprint}"


def unlisted_payments(item: Mapping[str, Plain]) -> tuple[Payment, ...]:
    """Return the payments of an invoice's item whose own items may be missing."""
    if _UNLISTED_PAYMENTS not in item:
        return ()
    read = unpack_json if item.get("schema") == PACKED_SCHEMA else unzip_json
    return tuple(decode(Payment, each) for each in read(item[_UNLISTED_PAYMENTS]))


def payment_item(payment: Payment, *, version: int) -> Item:
    """Return a payment's item; its version is that of the invoice it was written with."""
    return record_item(
        _record_key(payment.partner_id, RecordKind.PAYMENT, payment.payment_id),
        keys.payment_index_keys(payment),
        version,
        encode(payment),
    )


def has_search_keys(item: Item) -> bool:
    """Tell whether the search keys of an item's record are stored; 0.1.0 stored none."""
    return item.get("schema") == PACKED_SCHEMA


def new_search_keys(record: MirroredRecord, known: MirroredRecord | None) -> tuple[Item, ...]:
    """Return the items of the search keys that a record has beyond those of the known one."""
    keys_of = STORED_KINDS[kind_of(record).record_kind].search_keys
    gained = keys_of(record) - (keys_of(known) if known else frozenset())
    return tuple(dict[str, Plain](key.attributes()) for key in sorted(gained, key=str))


def tombstone_item(key: Key) -> Item:
    """Return the item that marks a record as absent in ConnectWise."""
    return {**key.attributes(), "schema": SCHEMA, "version": 1}


def _record_key(partner_id: str, kind: RecordKind, record_id: str) -> Key:
    key = keys.record_key(partner_id, kind, record_id)
    if key is None:
        raise MalformedRecordError("record has no proper id", field="id")
    return key


# --- times -------------------------------------------------------------------------------------


def read_time(item: Mapping[str, Plain], name: str) -> datetime:
    return datetime.fromisoformat(str(item[name])).astimezone(UTC)


# --- content -----------------------------------------------------------------------------------


def _packed(apart: Mapping[str, Plain]) -> dict[str, Plain]:
    texts = {name: json_of(content) for name, content in apart.items()}
    if sum(map(len, texts.values())) > MAX_BYTES_APART:
        raise MalformedRecordError(
            "it has too many lines and payments, as the bridge keeps "
            f"{MAX_BYTES_APART // 1024**2} MB of them; divide the invoice in ConnectWise"
        )
    return {name: pack(text) for name, text in texts.items()}


def _plain_data(item: Mapping[str, Plain]) -> Item:
    data = item.get("data")
    if item.get("schema") != SCHEMA or not isinstance(data, dict):
        raise MalformedRecordError("stored record has another schema", field="schema")
    return data
