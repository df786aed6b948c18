"""This module builds every key of the table callbacks, which the webhook receiver reads.

It is apart from ``keys``, so that the receiver may go without the domain's keys.
"""

from __future__ import annotations

import hashlib

from bridge.store.key_parts import Key, connection_part, part


def endpoint_key(connection_id: str) -> Key:
    """Return the key of the item that a connection's callbacks are checked with."""
    return Key(connection_part(connection_id), "ENDPOINT")


def digest_of(key_url: str) -> str:
    """Return the text that stands for a signing key's URL, which is a secret too, in messages."""
    return hashlib.sha256(key_url.encode()).hexdigest()


def signing_key_key(connection_id: str, key_digest: str) -> Key:
    return Key(connection_part(connection_id), f"SIGNING_KEY#{part(key_digest)}")


def wanted_key_key(connection_id: str, key_digest: str) -> Key:
    """Return the key of the note that a worker is to fetch a signing key."""
    return Key(connection_part(connection_id), f"WANTED_KEY#{part(key_digest)}")
