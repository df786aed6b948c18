"""The table callbacks holds an endpoint for the webhook receiver for each connection that syncs.

An item is written and deleted in the transaction that writes its connection.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bridge.domain.callback_endpoint import CallbackEndpoint, CallbackSecret, PsaAddress
from bridge.store.callback_keys import endpoint_key
from bridge.store.key_parts import timestamp
from bridge.store.table import Write

if TYPE_CHECKING:
    from bridge.ports import CallbackEndpointStore
    from bridge.store.attributes import Item
    from bridge.store.table import Table


class DynamoCallbackEndpoints:
    """The table callbacks fulfils :class:`bridge.ports.CallbackEndpointStore`.

    ``before`` is asked for connections that the release before stored, which lack an item here.
    """

    def __init__(self, table: Table, before: CallbackEndpointStore | None = None) -> None:
        self._table = table
        self._before = before

    def get(self, connection_id: str) -> CallbackEndpoint | None:
        item = self._table.get(endpoint_key(connection_id))
        if item is not None:
            return _endpoint(connection_id, item)
        return self._before.get(connection_id) if self._before else None

    def write_of(self, connection_id: str, endpoint: CallbackEndpoint | None) -> Write:
        """Return the part of a transaction that keeps the endpoint; None deletes it."""
        key = endpoint_key(connection_id)
        if endpoint is None:
            return Write(key=key, table=self._table.name)
        return Write({**key.attributes(), **_attributes(endpoint)}, table=self._table.name)


def _attributes(endpoint: CallbackEndpoint) -> Item:
    attributes: Item = {
        "partner_id": endpoint.partner_id,
        "company_id": endpoint.company_id,
        "site_url": endpoint.address.site_url,
        "api_origin": endpoint.address.api_origin,
        "codebase": endpoint.address.codebase,
        "is_cloud": endpoint.address.is_cloud,
    }
    secret = endpoint.secret
    if secret:
        attributes["current_sha256"] = secret.current_sha256
        attributes["previous_sha256"] = secret.previous_sha256 or ""
        ends_at = secret.previous_ends_at
        attributes["previous_ends_at"] = timestamp(ends_at) if ends_at else ""
    return attributes


def _endpoint(connection_id: str, item: Item) -> CallbackEndpoint:
    return CallbackEndpoint(
        connection_id=connection_id,
        partner_id=str(item["partner_id"]),
        company_id=str(item["company_id"]),
        address=PsaAddress(
            site_url=str(item["site_url"]),
            api_origin=str(item["api_origin"]),
            codebase=str(item["codebase"]),
            is_cloud=bool(item["is_cloud"]),
        ),
        secret=_secret(item) if "current_sha256" in item else None,
    )


def _secret(item: Item) -> CallbackSecret:
    ends_at = str(item["previous_ends_at"])
    return CallbackSecret(
        str(item["current_sha256"]),
        str(item["previous_sha256"]) or None,
        datetime.fromisoformat(ends_at) if ends_at else None,
    )
