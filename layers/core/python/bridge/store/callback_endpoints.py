"""The webhook receiver reads a few fields of a connection from the operations table.

It spares the codec and the domain's classes, whose imports would slow its cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bridge.domain.callback_endpoint import CallbackEndpoint, CallbackSecret, PsaAddress
from bridge.store import keys

if TYPE_CHECKING:
    from bridge.store.attributes import Item
    from bridge.store.table import Table

# A test compares these names with ``domain.connection.SYNCING_STATES``.
SYNCING = frozenset({"importing", "active", "degraded"})


class DynamoCallbackEndpoints:
    """The operations table fulfils :class:`bridge.ports.CallbackEndpointStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, connection_id: str) -> CallbackEndpoint | None:
        item = self._table.get(keys.connection_key(connection_id))
        if item is None:
            return None
        data = cast("Item", item["data"])
        if data["state"] not in SYNCING:
            return None
        address = cast("Item", data["address"])
        secret = cast("Item | None", data.get("callback_secret"))
        return CallbackEndpoint(
            connection_id=connection_id,
            company_id=str(data["company_id"]),
            address=PsaAddress(
                site_url=str(address["site_url"]),
                api_origin=str(address["api_origin"]),
                codebase=str(address["codebase"]),
                is_cloud=bool(address["is_cloud"]),
            ),
            secret=_secret(secret) if secret else None,
        )


def _secret(fields: Item) -> CallbackSecret:
    previous = fields.get("previous_sha256")
    return CallbackSecret(str(fields["current_sha256"]), str(previous) if previous else None)
