"""A person's request may have ConnectWise called many times, so each partner has a share of them.

The server is one of the partner's choice. The share holds for all processes together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from bridge.domain.errors import ShareUsedUpError
from bridge.ports import Activity, Clock, PartnerPlaces

MINUTE: Final = timedelta(minutes=1)
TIMES_A_MINUTE: Final[Mapping[Activity, int]] = {
    Activity.CONNECTING: 5,
    Activity.VERIFYING: 10,
    Activity.FILTER_PREVIEW: 20,
    Activity.SETUP_LISTS: 20,
    Activity.RECORD_SEARCH: 20,
    Activity.RECORD_FETCH: 20,
    Activity.OUTSTANDING_SUMS: 1,
}
"""More than a person does. Connecting and verifying take about 20 calls each, a page of a preview
four, reading all lists of a setup ten, and a search up to seven: 600 a minute at most."""


class MinuteShares:
    """A share is counted by places that are held for a minute each."""

    def __init__(self, places: PartnerPlaces, clock: Clock) -> None:
        self._places = places
        self._clock = clock

    def take(self, partner_id: str, activity: Activity) -> None:
        """Count one request. Raises ShareUsedUpError once this minute's are used up."""
        place = self._places.take(
            partner_id,
            activity,
            places=TIMES_A_MINUTE[activity],
            until=self._clock.now() + MINUTE,
        )
        if place is None:
            wait_seconds = MINUTE.total_seconds()
            raise ShareUsedUpError(f"too much {activity}", retry_after_seconds=wait_seconds)
