"""Each partner has a share of the requests that this process answers.

API Gateway throttles a route for all partners together. The flood of one partner is answered here
at once, so that the other partners find room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.domain.identity import is_platform_id
from bridge.domain.shares import Shares
from bridge.entrypoints.callers import PartnerUser, PlatformService
from bridge.ports import Clock, ConnectionStore
from dashboard_api.route_access import connection_of_services_path

REQUESTS_PER_SECOND, REQUEST_BURST = 5, 100
"""A page asks for some 15 things at once, and long lists are read at five pages a second."""
PAYMENTS_PER_SECOND, PAYMENT_BURST = 10, 200
"""A platform that records a partner's day at once tells 600 payments a minute to one process."""


class RequestShares:
    """A partner's users have one share, and the services that record his payments another."""

    def __init__(self, connections: ConnectionStore, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock
        self._requests = Shares(per_second=REQUESTS_PER_SECOND, burst=REQUEST_BURST)
        self._payments = Shares(per_second=PAYMENTS_PER_SECOND, burst=PAYMENT_BURST)

    def take(self, event: Mapping[str, Any], caller: PartnerUser | PlatformService) -> None:
        """Count a request. Raises ShareUsedUpError once the partner's share is used up.

        The partner of a payment is that of the stored connection; an unknown connection is left to
        the route.
        """
        now = self._clock.now()
        if isinstance(caller, PartnerUser):
            self._requests.take(caller.partner_id, now)
            return
        connection_id = connection_of_services_path(event)
        if is_platform_id(connection_id):
            connection = self._connections.get(connection_id).value
            if connection is not None:
                self._payments.take(connection.partner_id, now)
