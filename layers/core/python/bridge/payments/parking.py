"""Show a write-back whose message failed again and again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from bridge.domain.errors import ConflictError
from bridge.domain.problem import ProblemCode, Trouble
from bridge.domain.write_back import LONGEST_WAIT, Reason, WriteBack
from bridge.payment_ports import LedgerStore
from bridge.payments.troubles import WriteBackTroubles, write_back_subject
from bridge.ports import Clock, ProblemStore

DETAIL = "Writing this payment failed many times for a reason of ours; it is tried again by itself."


class WriteBackParker:
    """Opens the problem that a poison message deserves.

    The write-back itself only becomes due later, so that it does not keep others waiting; whoever
    drives it well resolves the problem.
    """

    def __init__(
        self, ledger: LedgerStore, problems: ProblemStore, troubles: WriteBackTroubles, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._problems = problems
        self._troubles = troubles
        self._clock = clock

    def park(self, connection_id: str, write_back_id: str) -> None:
        """Nothing is shown of what another message has finished."""
        stored = self._ledger.get_write_back(connection_id, write_back_id)
        write_back = stored.value
        if write_back is None:
            return
        if write_back.has_ended or write_back.reason is not Reason.NONE:
            self._troubles.show(write_back)
            return
        self._problems.report(
            Trouble(
                write_back.partner_id,
                connection_id,
                ProblemCode.PAYMENT_NOT_WRITTEN,
                write_back_subject(write_back),
                DETAIL,
            ),
            self._clock.now(),
        )
        self._postpone(write_back, stored.version)
        # It may have been finished between the two: what is finished has no problem.
        after = self._ledger.get_write_back(connection_id, write_back_id).value
        if after is not None and after.has_ended:
            self._troubles.show(after)

    def _postpone(self, write_back: WriteBack, version: int) -> None:
        """Whoever moved it meanwhile has decided when it is due."""
        now = self._clock.now()
        later = replace(write_back, due_at=max(write_back.due_at or now, now + LONGEST_WAIT))
        with suppress(ConflictError):
            self._ledger.save_write_back(later, expected_version=version)
