"""A silent server is asked less and less, by one visit at a time, until it answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bridge.connections.visit import Visit
from bridge.domain.identity import new_id
from bridge.ports import Clock, Silence, SilenceStore

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Leave:
    """A leave says whether a server may be asked; for a silent one it makes the visit a probe."""

    is_given: bool
    probe: Silence | None = None
    wait: timedelta = timedelta()
    """The time after which leave may be given, where it is refused."""


class SilentServers:
    """Silent servers are remembered by connection until they answer.

    ``probe_life`` is how long a probe may take: one whose worker died is over then, and the next
    one may be made.
    """

    def __init__(self, silences: SilenceStore, clock: Clock, *, probe_life: timedelta) -> None:
        self._silences = silences
        self._clock = clock
        self._probe_life = probe_life

    def leave_to_ask(self, connection_id: str) -> Leave:
        """Give leave to ask a server that answers, and to one visit at a time to probe another."""
        silence = self._silences.get(connection_id)
        if silence is None:
            return Leave(is_given=True)
        now = self._clock.now()
        if now < silence.next_probe_at:
            return Leave(is_given=False, wait=silence.next_probe_at - now)
        probe = replace(silence, next_probe_at=now + self._probe_life, token=new_id())
        is_first = self._silences.put(probe, replaces=silence.token)
        if not is_first:
            return Leave(is_given=False, wait=self._probe_life)
        return Leave(is_given=True, probe=probe)

    def note(self, connection_id: str, leave: Leave, visit: Visit) -> None:
        """Note a visit. Only a probe ends or prolongs a silence: a server that answers costs no
        write."""
        now = self._clock.now()
        match visit, leave.probe:
            case Visit.ANSWERED, Silence():
                self._silences.clear(connection_id)
            case Visit.UNANSWERED, None:
                begun = Silence(connection_id, FIRST_WAIT, now + FIRST_WAIT, new_id())
                self._silences.put(begun, replaces=None)
            case Visit.UNANSWERED, Silence() as probe:
                wait = min(2 * probe.wait, LONGEST_WAIT)
                longer = Silence(connection_id, wait, now + wait, new_id())
                self._silences.put(longer, replaces=probe.token)
            case Visit.UNASKED, Silence() as probe:
                # The probe is free for another piece of work.
                given_back = replace(probe, next_probe_at=now, token=new_id())
                self._silences.put(given_back, replaces=probe.token)
