"""A job of several steps is a chain: each step goes on where one stopped, one worker at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bridge.connections.site_turns import STEP_LIFE
from bridge.domain.identity import new_id
from bridge.domain.job import CADENCES, Job
from bridge.domain.work_messages import JobMessage
from bridge.ports import Clock, JobTurn, JobTurns

UNHEARD_FOR = timedelta(minutes=15)
"""The message of a step is taken for lost so long after its last worker."""

_STEPPED = frozenset({Job.HEAL_WRITE_BACKS, Job.PAYMENTS, Job.RESTING_PAYMENTS})
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A link of the chain tells where a step begins."""

    turn: JobTurn
    is_stored: bool = False

    @property
    def cursor(self) -> str | None:
        return self.turn.cursor

    @property
    def hours(self) -> frozenset[int]:
        """Return the hours of the day that the job stands for: mostly the one of its moment."""
        count = max(1, min(24, (self.turn.planned_at - self.turn.since) // _HOUR))
        return frozenset((self.turn.planned_at - n * _HOUR).hour for n in range(count))


class JobChains:
    """A turn is stored from a second step on: one worker is at it, and the next start takes it over
    from a worker that died."""

    def __init__(self, turns: JobTurns, clock: Clock) -> None:
        self._turns = turns
        self._clock = clock

    def begin(self, message: JobMessage) -> ChainLink | None:
        """Return the step that a message asks for; None if it is somebody else's."""
        kept = self._kept(message)
        if kept is None or kept.cursor is None:
            return None if message.turn else self._start(message, kept)
        if not self._may_take(kept, message):
            return None
        held_until = self._clock.now() + STEP_LIFE
        taken = replace(kept, token=new_id(), held_until=held_until)
        is_taken = self._turns.put(taken, replaces=kept.token)
        return ChainLink(taken, is_stored=True) if is_taken else None

    def go_on(self, link: ChainLink, cursor: str) -> str | None:
        """Store where the next step goes on, and return the token for its message; None if another
        worker was faster."""
        token = new_id()
        turn = replace(
            link.turn,
            token=token,
            message_token=token,
            held_until=self._clock.now(),
            cursor=cursor,
        )
        return token if self._turns.put(turn, replaces=_token(link)) else None

    def end(self, link: ChainLink) -> None:
        """Forget the turn. One that ended after its period leaves a mark, so that the next start
        makes up for those that were refused meanwhile."""
        if not link.is_stored:
            return
        now = self._clock.now()
        if now < link.turn.planned_at + CADENCES[link.turn.job].period:
            self._turns.end(link.turn)
            return
        mark = replace(link.turn, token=new_id(), cursor=None, held_until=now)
        self._turns.put(mark, replaces=link.turn.token)

    def _kept(self, message: JobMessage) -> JobTurn | None:
        if message.job not in _STEPPED:
            return None
        return self._turns.get(message.connection_id, message.job)

    def _start(self, message: JobMessage, mark: JobTurn | None) -> ChainLink:
        """Return a job's first step; a mark tells of one that ended late."""
        since = message.planned_at - CADENCES[message.job].period
        turn = JobTurn(
            connection_id=message.connection_id,
            job=message.job,
            token=mark.token if mark else "",
            message_token="",
            held_until=self._clock.now(),
            planned_at=message.planned_at,
            since=min(since, mark.planned_at) if mark else since,
        )
        return ChainLink(turn, is_stored=mark is not None)

    def _may_take(self, kept: JobTurn, message: JobMessage) -> bool:
        """Tell whether a step may be done for the message: it is the one that was sent for it, or
        that one seems lost, or its worker died."""
        now = self._clock.now()
        if now < kept.held_until:
            return False
        if message.turn:
            return message.turn == kept.message_token
        return message.is_repeated or now >= kept.held_until + UNHEARD_FOR


def _token(link: ChainLink) -> str | None:
    return link.turn.token if link.is_stored else None
