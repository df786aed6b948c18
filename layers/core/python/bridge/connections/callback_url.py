"""ConnectWise calls back at the URL built here, which has a secret in its path."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PATH = "/webhooks/connectwise/"
_CALLBACK_URL = re.compile(
    r"(?P<base>https?://[^?#\s]{1,300}?)/webhooks/connectwise"
    r"/(?P<connection_id>[0-9a-f]{32})/(?P<secret>[A-Za-z0-9_-]{1,200})(?:\?.*)?"
)
_MAX_URL_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class CallbackAddress:
    """A callback URL of some installation of the bridge, in its parts."""

    base: str
    """The address of the installation."""
    connection_id: str
    secret: str = field(repr=False)


def callback_url_prefix(webhook_base_url: str, connection_id: str) -> str:
    """Return the start of a connection's callback URLs, up to the secret."""
    return f"{webhook_base_url.rstrip('/')}{_PATH}{connection_id}/"


def callback_url(webhook_base_url: str, connection_id: str, secret: str) -> str:
    """Return the URL to register.

    ConnectWise appends the record's id to it, so it ends in a parameter that takes the id as its
    value (developer guide, callbacks).
    """
    return f"{callback_url_prefix(webhook_base_url, connection_id)}{secret}?recordId="


def read_callback_url(url: str) -> CallbackAddress | None:
    """Return the parts of a URL that has the shape of ours, None for any other text."""
    match = _CALLBACK_URL.fullmatch(url) if len(url) <= _MAX_URL_CHARACTERS else None
    if match is None:
        return None
    return CallbackAddress(match["base"].rstrip("/"), match["connection_id"], match["secret"])
