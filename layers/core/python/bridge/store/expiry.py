"""An item with a stored end of life expires then for its readers; DynamoDB removes it later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bridge.store.attributes import Plain


def epoch_seconds(moment: datetime) -> int:
    """Return seconds since 1970, as DynamoDB's expiry wants them."""
    return int(moment.timestamp())


def has_expired(item: Mapping[str, Plain], now: datetime) -> bool:
    """Tell whether an item's time is over; DynamoDB itself removes it days later."""
    expires_at = item.get("expires_at")
    return isinstance(expires_at, int) and expires_at <= now.timestamp()
