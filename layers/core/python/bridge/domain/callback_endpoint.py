"""Where ConnectWise answers, and what a callback of one connection has to prove.

Apart from ``connection``, so that the webhook receiver loads little.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PsaAddress:
    """Where a ConnectWise company answers.

    ``site_url`` is the origin without a path, e.g. ``https://na.myconnectwise.net``.
    ``api_origin`` differs from it on the cloud only (``https://api-na.myconnectwise.net``).
    ``codebase`` ends in a slash, e.g. ``v2025_1/``, and changes with every cloud upgrade.
    """

    site_url: str
    api_origin: str
    codebase: str
    is_cloud: bool


@dataclass(frozen=True, slots=True)
class CallbackSecret:
    """The secret part of the callback URL: only hashes are kept, two live ones while it rotates."""

    current_sha256: str
    previous_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class CallbackEndpoint:
    """What the receiver knows of a connection that is kept in step."""

    connection_id: str
    company_id: str
    address: PsaAddress
    secret: CallbackSecret | None
