"""A worker holds the turns that it took from a tenant's schedules, and hands them out call by call.

A piece of work takes about as many turns as it makes calls in a turn's life: at first as many as
the piece before it made, and from then on half as many again as it made lately. So a callback's two
calls cost one write, and an import's ten or more. The turns left over are void soon; they delay the
tenant's other calls by what their own calls would have taken.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bridge.domain.call_turns import MOST_TURNS, TURN_LIFE
from bridge.domain.errors import ThrottledError
from bridge.ports import CallPurpose, CallSchedules, Clock

MAX_HELD = 500
"""A worker remembers the turns of so many connections."""
_MAX_TAKES = 3
"""Turns that came too late are taken anew, a few times."""

_FIRST: Final[Mapping[CallPurpose, int]] = {CallPurpose.MIRROR: 2, CallPurpose.WRITE_BACK: 3}
"""A record is read in two calls. A write-back makes four or five, of which its reserve allows three
at once."""
_MOST: Final[Mapping[CallPurpose, int]] = {
    CallPurpose.MIRROR: MOST_TURNS,
    CallPurpose.WRITE_BACK: _FIRST[CallPurpose.WRITE_BACK],
}


class HeldTurns:
    """This class fulfils ``ports.RateLimiter`` for all threads of a worker."""

    def __init__(self, schedules: CallSchedules, clock: Clock) -> None:
        self._schedules = schedules
        self._clock = clock
        self._hands: dict[tuple[str, CallPurpose], _Hand] = {}
        self._lock = threading.Lock()

    def acquire(self, connection_id: str, purpose: CallPurpose = CallPurpose.MIRROR) -> float:
        if purpose is CallPurpose.LOOK:
            if self._schedules.are_idle(connection_id):
                return 0.0
            purpose = CallPurpose.MIRROR
        hand = self._hand(connection_id, purpose)
        with hand.lock:
            for _ in range(_MAX_TAKES):
                now = self._clock.now()
                turn = hand.next(now)
                if turn is not None:
                    hand.note_call(max(now, turn))
                    return max(0.0, (turn - now).total_seconds())
                count = hand.wanted(now)
                hand.add(self._schedules.take(connection_id, purpose, count=count))
        raise ThrottledError("the turns were over before they came", retry_after_seconds=1)

    def pause(self, connection_id: str, *, seconds: float) -> None:
        """Hold all calls back. Other workers make those that they hold turns for."""
        try:
            self._schedules.pause(connection_id, seconds=seconds)
        finally:
            for purpose in _FIRST:
                hand = self._hand(connection_id, purpose)
                with hand.lock:
                    hand.drop()

    def _hand(self, connection_id: str, purpose: CallPurpose) -> _Hand:
        place = connection_id, purpose
        with self._lock:
            hand = self._hands.get(place)
            if hand is None:
                if len(self._hands) >= MAX_HELD:
                    del self._hands[next(iter(self._hands))]
                hand = self._hands[place] = _Hand(_FIRST[purpose], most=_MOST[purpose])
            return hand


class _Hand:
    """A hand holds a worker's turns for one connection and purpose."""

    def __init__(self, first: int, *, most: int) -> None:
        self.lock = threading.Lock()
        self._most = most
        self._turns: deque[datetime] = deque()
        self._lately: deque[datetime] = deque(maxlen=most)
        """The times of the last calls."""
        self._usual = first
        """The calls of the piece of work before."""
        self._calls = 0
        """The calls of the present one."""

    def next(self, now: datetime) -> datetime | None:
        """Take out and return the next turn that still counts; None once all are gone."""
        while self._turns:
            turn = self._turns.popleft()
            if now <= turn + TURN_LIFE:
                return turn
        return None

    def wanted(self, now: datetime) -> int:
        """Return how many turns to take now."""
        lately = sum(now - TURN_LIFE <= at for at in self._lately)
        if lately:
            return min(self._most, lately + lately // 2)
        if self._calls:
            self._usual = min(self._most, self._calls)
            self._calls = 0
        return self._usual

    def add(self, turns: tuple[datetime, ...]) -> None:
        self._turns.extend(turns)

    def note_call(self, at: datetime) -> None:
        self._lately.append(at)
        self._calls += 1

    def drop(self) -> None:
        self._turns.clear()
