"""This module packs an item's content into few bytes and reads it again.

Content is JSON, compressed with a dictionary of the texts that records mostly hold: field names
with their usual values. DynamoDB bills a write by whole kilobytes, and so a record with its lines
is mostly one. Version 0.1.0 compressed an invoice's lines by gzip.
"""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any, Final

from bridge.domain.errors import MalformedRecordError
from bridge.store.attributes import Plain

MAX_CONTENT_BYTES = 4 * 1024 * 1024
"""The most that is unpacked; stored content is far smaller."""

_RAW = -zlib.MAX_WBITS  # no header and no checksum: DynamoDB keeps its own
# It is part of what is stored: packed content can be read with this very dictionary only. Another
# one needs a new schema number. The likeliest texts stand last, where a reference is shortest.
_DICTIONARY: Final = (
    b'{"balance":["0","0","0","0"],"changed":["2026-"],"details":["Standard","Agreement","T00:00'
    b':00Z",],"payer":[,null],"status":[1,"New","Closed",true,false]}unlisted [{"description":"A'
    b'djustments","kind":"adjustment"},{"kind":"tax"},{"kind":"expense"},{"kind":"progress"},{"k'
    b'ind":"down_payment"}]{"amount_minor":0,"description":" services agreement monthly support '
    b'of for the and "}{"amount_minor":,"applied_by":"","connection_id":"","credit_source_id":,"'
    b'currency":{"code":"EUR","decimals":2},"kind":"credit","origin":"platform"},"applied_by":""'
    b',"currency":{"code":"USD","decimals":2},"customer_id":"","invoice_id":"","is_deleted":fals'
    b'e,"kind":"money","origin":"connectwise","paid_on":"2026-","partner_id":"","payment_id":"",'
    b'"source_id":{"account_number":"","address":{"city":"","country":"United States","line_1":"'
    b'","line_2":"","state":"","zip":""},"billing_terms":{"name":"Net 30 days","source_id":},"cc'
    b'_emails":[],"connection_id":"","contact_ids":[],"currency_code":"USD","customer_id":"","em'
    b'ail":"billing@","further_emails":[],"identifier":"","name":"","phone":"","status":{"name":'
    b'"Active","source_id":1},"territory":{"name":"Main","source_id":},"types":[{"name":"Client"'
    b',"source_id":1}]},"description":"","kind":"agreement","quantity":"1.00","source_id":","kin'
    b'd":"time","quantity":"","kind":"product","quantity":"1","source_id":","unit_price":".00"},'
    b'{"amount_minor":"agreement":{"name":"Managed Services","source_id":},"agreement_type":"","'
    b'archive":{"at":"2026-","reason":"left_filter"},"balance_minor":0,"billing_terms":{"name":"'
    b'Net 30 days","source_id":},"connection_id":"","credited_minor":0,"currency":{"code":"USD",'
    b'"decimals":2},"customer_id":"","customer_source_id":,"department_id":10,"due_on":"2026-","'
    b'invoice_id":"","is_batched":false,"issued_on":"2026-","location_id":2,"number":"","origin"'
    b':"connectwise","paid_minor":0,"partner_id":"","purchase_order":"","reference":"","source_i'
    b'd":,"status":{"is_closed":false,"name":"Sent","source_id":},"subtotal_minor":,"tax_minor":'
    b'0,"total_minor":,"type":"Standard"}'
)


def json_of(content: Plain) -> bytes:
    """Return the content as JSON, as it is packed. Raises MalformedRecordError for half letters."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise MalformedRecordError("record holds half a character") from error


def pack(content: bytes) -> bytes:
    """Return the content compressed."""
    packer = zlib.compressobj(zlib.Z_BEST_COMPRESSION, wbits=_RAW, zdict=_DICTIONARY)
    return packer.compress(content) + packer.flush()


def unpack(packed: Plain) -> bytes:
    """Return the content again; the reverse of :func:`pack`.

    Raises MalformedRecordError for anything else.
    """
    unpacker = zlib.decompressobj(wbits=_RAW, zdict=_DICTIONARY)
    try:
        content = unpacker.decompress(_as_bytes(packed), MAX_CONTENT_BYTES)
    except zlib.error as error:
        raise MalformedRecordError("stored content cannot be unpacked") from error
    if not unpacker.eof:
        raise MalformedRecordError("stored content is cut off or too large")
    return content


def unpack_json(packed: Plain) -> Any:
    return json.loads(unpack(packed))


def unzip_json(zipped: Plain) -> Any:
    """Return content as version 0.1.0 compressed it."""
    return json.loads(gzip.decompress(_as_bytes(zipped)))


def _as_bytes(packed: Plain) -> bytes:
    if not isinstance(packed, bytes):
        raise MalformedRecordError("stored content is not compressed")
    return packed
