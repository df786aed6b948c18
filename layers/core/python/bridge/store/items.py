"""The shape of the tables' items.

Every record's item has ``pk``, ``sk`` and index keys, ``schema``, ``version``, ``write_token``
and ``data``, the record itself as a map of its fields. The attributes by which lists and
sweeps choose stand beside ``data``. An invoice's lines lie apart, compressed, because lists leave
them out, and so do its payments when they are many.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from bridge.domain.errors import MalformedRecordError
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import MirroredRecord, kind_of
from bridge.domain.payment import Payment
from bridge.ports import Stored
from bridge.store import keys
from bridge.store.attributes import Item, Plain
from bridge.store.codec import decode, encode
from bridge.store.keys import Key
from bridge.store.kinds import STORED_KINDS

T = TypeVar("T")

SCHEMA = 1
MAX_PAYMENTS_IN_DATA = 20
"""More payments lie apart. These few are read by workers of 0.1.0, too."""
MAX_BYTES_APART = 3 * 1024 * 1024
"""Before compression. The API shows an invoice in one answer of 6 MB at most, and needs nearly
twice as many bytes for the same content."""
_LINES = "line_items"
_PAYMENTS = "payments"
_UNLISTED_PAYMENTS = "unlisted_payments"


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


def read_stored(record_type: type[T], item: Mapping[str, Plain] | None) -> Stored[T]:
    """Return a record with its version; a missing item and a tombstone have the value None."""
    if item is None:
        return Stored(None, 0)
    version = int(str(item["version"]))
    if "data" not in item:
        return Stored(None, version)
    return Stored(read_record(record_type, item), version, str(item.get("marks", "")))


def read_record(record_type: type[T], item: Mapping[str, Plain]) -> T:
    """Return the record of an item, with lines and payments if the item was read with them.

    Raises MalformedRecordError for a schema of a later release.
    """
    apart = {name: _decompress(item[name]) for name in (_LINES, _PAYMENTS) if name in item}
    return decode(record_type, {**_data(item), **apart})


# --- records -----------------------------------------------------------------------------------


def mirrored_item(record: MirroredRecord, *, version: int, change_fingerprint: str) -> Item:
    """Return a record's item. ``marks`` is the stored name of the change fingerprint.

    Raises MalformedRecordError for more lines and payments than MAX_BYTES_APART.
    """
    kind = kind_of(record)
    stored = STORED_KINDS[kind.record_kind]
    data = encode(record)
    apart = {_LINES: data.pop(_LINES, None)}
    if kind.payments_of and len(kind.payments_of(record)) > MAX_PAYMENTS_IN_DATA:
        apart[_PAYMENTS] = data.pop(_PAYMENTS)
    return record_item(
        _record_key(record.partner_id, kind.record_kind, kind.id_of(record)),
        stored.index_keys(record),
        version,
        data,
        marks=change_fingerprint,
        **stored.beside(record),
        **_compressed(apart),
    )


def with_unlisted(item: Item, payments: Sequence[Payment]) -> Item:
    """Return an invoice's item that names payments whose own items are still to be written."""
    named = _compress([encode(payment) for payment in payments])
    return {**item, "marks": as_unlisted(str(item["marks"])), _UNLISTED_PAYMENTS: named}


def as_unlisted(change_fingerprint: str) -> str:
    """Return the fingerprint of an invoice some of whose payments are still to be listed.

    It differs from all that ConnectWise lists, so that the next refresh writes the invoice again.
    """
    return f"unlisted {change_fingerprint}"


def unlisted_payments(item: Mapping[str, Plain]) -> tuple[Payment, ...]:
    """Return the payments of an invoice's item whose own items may be missing."""
    if _UNLISTED_PAYMENTS not in item:
        return ()
    return tuple(decode(Payment, each) for each in _decompress(item[_UNLISTED_PAYMENTS]))


def payment_item(payment: Payment, *, version: int) -> Item:
    """Return a payment's item; its version is that of the invoice it was written with."""
    return record_item(
        _record_key(payment.partner_id, RecordKind.PAYMENT, payment.payment_id),
        keys.payment_index_keys(payment),
        version,
        encode(payment),
    )


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


def _compressed(apart: Mapping[str, Plain]) -> dict[str, Plain]:
    texts = {name: _json(content) for name, content in apart.items() if content}
    if sum(map(len, texts.values())) > MAX_BYTES_APART:
        raise MalformedRecordError(
            "it has too many lines and payments, as the bridge keeps "
            f"{MAX_BYTES_APART // 1024**2} MB of them; divide the invoice in ConnectWise"
        )
    return {name: gzip.compress(text, mtime=0) for name, text in texts.items()}


def _compress(content: Plain) -> bytes:
    return gzip.compress(_json(content), mtime=0)


def _decompress(content: Plain) -> Any:
    if not isinstance(content, bytes):
        raise MalformedRecordError("stored content is not compressed")
    return json.loads(gzip.decompress(content))


def _json(plain: Plain) -> bytes:
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def _data(item: Mapping[str, Plain]) -> Item:
    data = item.get("data")
    if item.get("schema") != SCHEMA or not isinstance(data, dict):
        raise MalformedRecordError("stored record has another schema", field="schema")
    return data
