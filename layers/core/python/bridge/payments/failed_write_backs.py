"""A write-back whose message failed again and again is shown here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from bridge.domain.errors import ConflictError
from bridge.domain.write_back import Reason, WriteBack
from bridge.domain.write_back.changes import LONGEST_WAIT, wait_with_reason
from bridge.payments.write_back_problems import WriteBackProblems
from bridge.ports import Clock, LedgerStore


class FailedWriteBacks:
    """A failed write-back gets a problem, which says that the bridge itself fails at it.

    The reason stands until it gets through. It becomes due later, so that others go first.
    """

    def __init__(
        self,
        ledger: LedgerStore,
        write_back_problems: WriteBackProblems,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._write_back_problems = write_back_problems
        self._clock = clock

    def park(self, connection_id: str, write_back_id: str) -> None:
        """Park a write-back and show it; one that is done or waits for a person is only shown."""
        stored = self._ledger.get_write_back(connection_id, write_back_id)
        if stored.value is None:
            return
        if _is_to_be_tried(stored.value):
            # A faster writer has decided when it is due.
            with suppress(ConflictError):
                self._ledger.save_write_back(
                    self._parked(stored.value), expected_version=stored.version
                )
        self._write_back_problems.show_stored(self._ledger, connection_id, write_back_id)

    def _parked(self, write_back: WriteBack) -> WriteBack:
        now = self._clock.now()
        if write_back.has_ended:
            return replace(write_back, late_look_at=now + LONGEST_WAIT)
        due_at = max(write_back.due_at or now, now + LONGEST_WAIT)
        return wait_with_reason(write_back, write_back.reason or Reason.OUR_FAULT, due_at)


def _is_to_be_tried(write_back: WriteBack) -> bool:
    waits_for_person = write_back.needs_person and write_back.due_at is None
    is_looked_at_late = write_back.has_ended and write_back.late_look_at is not None
    return is_looked_at_late or (not write_back.has_ended and not waits_for_person)
