"""The store gives out numbered places: an item exists while somebody holds the place."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from bridge.domain.identity import new_id
from bridge.ports import Activity, Clock, Place
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.errors import ConditionFailedError
from bridge.store.expiry import epoch_seconds
from bridge.store.expressions import Condition
from bridge.store.table import Table


class DynamoPartnerPlaces:
    """The coordination table fulfils :class:`bridge.ports.PartnerPlaces`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def take(
        self, partner_id: str, activity: Activity, *, places: int, until: datetime
    ) -> Place | None:
        now = keys.timestamp(self._clock.now())
        is_free = Condition("attribute_not_exists(#pk) OR #until <= :now", {"now": now})
        token = new_id()
        for number in range(places):
            item: Item = {
                **keys.partner_place_key(partner_id, activity, number).attributes(),
                "token": token,
                "until": keys.timestamp(until),
                "expires_at": epoch_seconds(until) + 1,
            }
            with suppress(ConditionFailedError):
                self._table.put(item, is_free)
                return Place(partner_id, activity, number, token)
        return None

    def release(self, place: Place) -> None:
        key = keys.partner_place_key(place.partner_id, place.activity, place.number)
        is_held = Condition("#token = :token", {"token": place.token})
        # It may be over, and somebody else's by now.
        with suppress(ConditionFailedError):
            self._table.delete(key, is_held)
