"""Write-backs that waited for a connection go on as soon as it is connected again."""

from __future__ import annotations

from bridge.domain.connection import Connection
from bridge.domain.errors import ConflictError
from bridge.domain.problem import ProblemCode, name_of_subject
from bridge.domain.write_back import Reason, WriteBack
from bridge.domain.write_back.changes import try_again
from bridge.ports import Clock, LedgerStore, ProblemStore, WriteBackQueue

_OVER = frozenset({Reason.DISCONNECTED, Reason.MEMBER_UNKNOWN})


class ReconnectedWriteBacks:
    """A connect wakes the write-backs that were left while the connection was disconnected."""

    def __init__(
        self, ledger: LedgerStore, problems: ProblemStore, queue: WriteBackQueue, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._problems = problems
        self._queue = queue
        self._clock = clock

    def wake(self, connection: Connection) -> int:
        """Have each of them looked at now, and return their number. Their problems follow the
        look. One that is missed here is found by its due time."""
        known = self._problems.open_of_connection(connection.partner_id, connection.connection_id)
        woken = 0
        for problem in known.values():
            if problem.code is ProblemCode.PAYMENT_NOT_WRITTEN:
                name = name_of_subject(problem.subject)
                stored = self._ledger.get_write_back(connection.connection_id, name)
                if stored.value is not None and stored.value.reason in _OVER:
                    woken += self._wake(stored.value, stored.version)
        return woken

    def _wake(self, write_back: WriteBack, version: int) -> bool:
        woken = try_again(write_back, self._clock.now())
        try:
            self._ledger.save_write_back(woken, expected_version=version)
        except ConflictError:
            return False
        self._queue.send(woken)
        return True
