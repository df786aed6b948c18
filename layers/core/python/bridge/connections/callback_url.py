"""ConnectWise calls back at the URL built here, which has a secret in its path."""

from __future__ import annotations


def callback_url_prefix(webhook_base_url: str, connection_id: str) -> str:
    """Return the start of a connection's callback URLs, up to the secret."""
    return f"{webhook_base_url.rstrip('/')}/webhooks/connectwise/{connection_id}/"


def callback_url(webhook_base_url: str, connection_id: str, secret: str) -> str:
    """Return the URL to register.

    ConnectWise appends the record's id to it, so it ends in a parameter that takes the id as its
    value (developer guide, callbacks).
    """
    return f"{callback_url_prefix(webhook_base_url, connection_id)}{secret}?recordId="
