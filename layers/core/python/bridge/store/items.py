"""The shape of the tables' items.

Every record's item has ``pk``, ``sk`` and index keys, ``schema``, ``version``, ``write_token``
and ``data``, the record itself as a map of its fields. The attributes by which lists and
sweeps choose stand beside ``data``. Lines lie apart, compressed, because lists leave them out.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
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
_LINES = "line_items"


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
    """Return the record of an item, with its lines if the item was read with them.

    Raises MalformedRecordError for a schema of a later release.
    """
    lines = item.get(_LINES)
    apart = {_LINES: _decompress(lines)} if isinstance(lines, bytes) else {}
    return decode(record_type, {**_data(item), **apart})


# --- records -----------------------------------------------------------------------------------


def mirrored_item(record: MirroredRecord, *, version: int, change_fingerprint: str) -> Item:
    """Return a record's item. ``marks`` is the stored name of the change fingerprint."""
    kind = kind_of(record)
    stored = STORED_KINDS[kind.record_kind]
    data = encode(record)
    lines = data.pop(_LINES, None)
    return record_item(
        _record_key(record.partner_id, kind.record_kind, kind.id_of(record)),
        stored.index_keys(record),
        version,
        data,
        marks=change_fingerprint,
        **stored.beside(record),
        **({_LINES: _compress(lines)} if lines else {}),
    )


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


def _compress(lines: Plain) -> bytes:
    return gzip.compress(_json(lines), mtime=0)


def _decompress(content: bytes) -> Any:
    return json.loads(gzip.decompress(content))


def _json(plain: Plain) -> bytes:
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def _data(item: Mapping[str, Plain]) -> Item:
    data = item.get("data")
    if item.get("schema") != SCHEMA or not isinstance(data, dict):
        raise MalformedRecordError("stored record has another schema", field="schema")
    return data
