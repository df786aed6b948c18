"""The delivery queue retries callback deliveries, and gives them up, by ConnectWise's rules.

Any 2xx is success; 404, 409, 419 and 429 are retried after about 2 and 4 seconds; three days of
failure in a row disable the callback (ConnectWise developer guide, callbacks).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

ANSWER_LIMIT_SECONDS = 5.0
RETRY_DELAYS_SECONDS = (2.0, 4.0)
RETRIED_STATUSES = frozenset({404, 409, 419, 429})
DAYS_UNTIL_DISABLED = 3
MAX_HISTORY = 10_000
_SUCCESS = 2
_SERVER_ERROR = 5


class DeliveryState(StrEnum):
    """A delivery state says how far a delivery has come."""

    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    DELIVERED = "delivered"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery is one POST to a registered callback; a retry keeps its id and its body."""

    id: int
    callback_id: int
    record_id: int
    action: str
    type: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    due_at: datetime
    state: DeliveryState = DeliveryState.WAITING
    statuses: tuple[int | None, ...] = ()
    """The status answered to each attempt, None for silence."""


class DeliveryQueue:
    """The queue holds every delivery that waits, and the history of the last MAX_HISTORY."""

    def __init__(self) -> None:
        self.delivered: deque[Delivery] = deque(maxlen=MAX_HISTORY)
        """Successful deliveries in the order of their answers."""
        self._waiting: dict[int, Delivery] = {}
        self._in_flight: dict[int, Delivery] = {}
        self._finished: deque[Delivery] = deque(maxlen=MAX_HISTORY)
        self._failed_days: dict[int, list[date]] = {}
        self._last_id = 0

    def next_id(self) -> int:
        """Return a new delivery id."""
        self._last_id += 1
        return self._last_id

    def put(self, delivery: Delivery) -> None:
        """Let a delivery wait until it is due."""
        self._waiting[delivery.id] = delivery

    def take_due(self, now: datetime) -> list[Delivery]:
        """Return the deliveries that are due, earliest first, and count them as in flight."""
        due = sorted(
            (each for each in self._waiting.values() if each.due_at <= now),
            key=lambda each: (each.due_at, each.id),
        )
        taken = [replace(each, state=DeliveryState.IN_FLIGHT) for each in due]
        for each in taken:
            del self._waiting[each.id]
            self._in_flight[each.id] = each
        return taken

    def next_due(self) -> datetime | None:
        """Return the moment when the next waiting delivery falls due, None for an empty queue."""
        return min((each.due_at for each in self._waiting.values()), default=None)

    def record_result(
        self, delivery_id: int, status: int | None, now: datetime, *, retry_server_errors: bool
    ) -> Delivery:
        """Note the status answered to an attempt, None for silence, and finish or retry it.

        Raises KeyError if that delivery is not in flight.
        """
        delivery = self._in_flight.pop(delivery_id)
        attempts = len(delivery.statuses)
        delivery = replace(delivery, statuses=(*delivery.statuses, status))
        if status is not None and status // 100 == _SUCCESS:
            self._failed_days.pop(delivery.callback_id, None)
            return self._finish(delivery, DeliveryState.DELIVERED)
        if attempts < len(RETRY_DELAYS_SECONDS) and _is_retried(status, retry_server_errors):
            due_at = now + timedelta(seconds=RETRY_DELAYS_SECONDS[attempts])
            delivery = replace(delivery, state=DeliveryState.WAITING, due_at=due_at)
            self.put(delivery)
            return delivery
        days = self._failed_days.setdefault(delivery.callback_id, [])
        if not days or days[-1] != now.date():
            days.append(now.date())
        return self._finish(delivery, DeliveryState.LOST)

    def has_failed_for_days(self, callback_id: int) -> bool:
        """Return whether a callback has failed on three days in a row since its last success."""
        days = self._failed_days.get(callback_id, [])[-DAYS_UNTIL_DISABLED:]
        span = timedelta(days=DAYS_UNTIL_DISABLED - 1)
        return len(days) == DAYS_UNTIL_DISABLED and days[-1] - days[0] == span

    def forget_failures(self, callback_id: int) -> None:
        """Start counting failed days anew."""
        self._failed_days.pop(callback_id, None)

    def all(self) -> list[Delivery]:
        """Return finished, flying and waiting deliveries in order of id."""
        every = [*self._finished, *self._in_flight.values(), *self._waiting.values()]
        return sorted(every, key=lambda each: each.id)

    def is_idle(self) -> bool:
        """Return whether every delivery is finished."""
        return not self._waiting and not self._in_flight

    def _finish(self, delivery: Delivery, state: DeliveryState) -> Delivery:
        finished = replace(delivery, state=state)
        self._finished.append(finished)
        if state is DeliveryState.DELIVERED:
            self.delivered.append(finished)
        return finished


def _is_retried(status: int | None, retry_server_errors: bool) -> bool:
    if status in RETRIED_STATUSES:
        return True
    return retry_server_errors and (status is None or status // 100 == _SERVER_ERROR)
