"""The webhook receiver reads a connection's own item where the table callbacks lacks it still.

The release before this one kept a connection's endpoint in the connection alone. The hourly look at
each connection writes missing ones, so the release after this one drops this module and the
receiver's right to read operations (decision 0010).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from bridge.domain.callback_endpoint import CallbackEndpoint, CallbackSecret, PsaAddress
from bridge.store import keys

if TYPE_CHECKING:
    from bridge.store.attributes import Item
    from bridge.store.table import Table

# A test compares these names with ``domain.connection.SYNCING_STATES``.
SYNCING = frozenset({"importing", "active", "degraded"})


class ConnectionEndpoints:
    """The operations table fulfils :class:`bridge.ports.CallbackEndpointStore`.

    It spares the codec and the domain's classes, whose imports would slow a cold start.
    """

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
            partner_id=str(data["partner_id"]),
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
    previous, ends_at = fields.get("previous_sha256"), fields.get("previous_ends_at")
    return CallbackSecret(
        str(fields["current_sha256"]),
        str(previous) if previous else None,
        datetime.fromisoformat(str(ends_at)) if ends_at else None,
    )
