"""A callback of a connection is checked against an endpoint, which has an address and a secret.

The module is apart from ``connection``, so that the webhook receiver loads little.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PsaAddress:
    """The address at which a ConnectWise company answers."""

    site_url: str
    """The bare origin, e.g. ``https://na.myconnectwise.net``."""
    api_origin: str
    """It differs from ``site_url`` in the cloud only (``https://api-na.myconnectwise.net``)."""
    codebase: str
    """It ends in a slash, e.g. ``v2025_1/``, and changes with every cloud upgrade."""
    is_cloud: bool


@dataclass(frozen=True, slots=True)
class CallbackSecret:
    """The secret part of the callback URL is kept as hashes only."""

    current_sha256: str
    previous_sha256: str | None = None
    """The earlier secret is valid, too, while the secret rotates."""
    previous_ends_at: datetime | None = None
    """The time at which the earlier secret ends (UTC); None until ConnectWise was told the new one.
    """


@dataclass(frozen=True, slots=True)
class CallbackEndpoint:
    """The data of a syncing connection that the webhook receiver works with."""

    connection_id: str
    partner_id: str
    company_id: str
    address: PsaAddress
    secret: CallbackSecret | None
