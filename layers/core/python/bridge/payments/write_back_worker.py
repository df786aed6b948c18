"""Drive one write-back as far as it goes now: who may act on it, and what follows a failure."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.domain.errors import (
    ConflictError,
    LeaseTakenError,
    OutcomeUnknownError,
    PermanentError,
    RetryableError,
)
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.platform_payment import Target
from bridge.domain.write_back import Reason, Timings, WriteBack, WriteBackState
from bridge.payments.attempt import Attempt
from bridge.payments.payment_matching import refusal_reason
from bridge.payments.write_back_problems import WriteBackProblems
from bridge.ports import Clock, ConnectionStore, HintQueue, LedgerStore, PsaGateway

DISCONNECTED_RETRY = timedelta(hours=1)

_logger = logging.getLogger(__name__)


class WriteBackWorker:
    """Takes a write-back towards its target: the payment posted once, or removed again."""

    def __init__(
        self,
        *,
        ledger: LedgerStore,
        connections: ConnectionStore,
        gateway: PsaGateway,
        hints: HintQueue,
        write_back_problems: WriteBackProblems,
        clock: Clock,
        timings: Timings,
    ) -> None:
        self._ledger = ledger
        self._connections = connections
        self._gateway = gateway
        self._hints = hints
        self._write_back_problems = write_back_problems
        self._clock = clock
        self._timings = timings

    def drive(self, connection_id: str, write_back_id: str) -> None:
        """Do all that can be done now; what remains is found again by its ``due_at``.

        A conflict means that another worker moved the write-back: it is left to that worker.
        """
        stored = self._ledger.get_write_back(connection_id, write_back_id)
        write_back = stored.value
        now = self._clock.now()
        if write_back is None:
            return
        if not _is_drivable(write_back, now):
            # Who brought it here may have died before the problem list said so.
            self._write_back_problems.show(write_back)
            return
        connection = self._connections.get(connection_id).value
        if connection is None or not connection.is_syncing:
            self._wait_for_person(write_back, stored.version, Reason.DISCONNECTED)
            return
        if not connection.member_identifier:
            # Without it our own payments could not be told from other people's.
            self._wait_for_person(write_back, stored.version, Reason.MEMBER_UNKNOWN)
            return
        try:
            lease = self._ledger.take_lease(
                connection_id=connection_id,
                invoice_source_id=write_back.invoice_source_id,
                holder_id=write_back_id,
                now=now,
                until=now + self._timings.attempt,
            )
        except LeaseTakenError as error:
            self._postpone(write_back, stored.version, error.until)
            return
        except ConflictError:
            _logger.info("the invoice's lease is contended; the next sweep tries again")
            return
        attempt = Attempt(
            ledger=self._ledger,
            psa=self._gateway.open_payments(connection),
            connection=connection,
            lease=lease,
            clock=self._clock,
            timings=self._timings,
            write_back=write_back,
            version=stored.version,
        )
        self._run(attempt)

    def _run(self, attempt: Attempt) -> None:
        try:
            _advance(attempt)
        except ConflictError:
            # Who moved it shows it, and what we know of it is stale.
            _logger.info("write-back moved elsewhere", extra=attempt.ids)
        else:
            attempt.let_go()
            self._write_back_problems.show(attempt.write_back)
        if attempt.has_written:
            self._hints.send([_hint(attempt.write_back)])

    def _wait_for_person(self, write_back: WriteBack, version: int, reason: Reason) -> None:
        """Nothing can be asked of ConnectWise: show it, and what may have been sent stays so."""
        if write_back.state is WriteBackState.PENDING:
            waiting = write_back.manual(reason)
        else:
            waiting = replace(
                write_back, reason=reason, due_at=self._clock.now() + DISCONNECTED_RETRY
            )
        try:
            self._ledger.save_write_back(waiting, expected_version=version)
        except ConflictError:
            return
        self._write_back_problems.show(waiting)

    def _postpone(self, write_back: WriteBack, version: int, until: datetime) -> None:
        try:
            self._ledger.save_write_back(
                replace(write_back, due_at=until), expected_version=version
            )
        except ConflictError:
            return


def _advance(attempt: Attempt) -> None:
    """Go as far as it goes, and store what a failure leaves to be done."""
    try:
        attempt.run()
    except RetryableError:
        attempt.retry_later()
    except OutcomeUnknownError:
        # Only a change of status can be unclear here, and that may be made twice.
        attempt.retry_status()
    except PermanentError as error:
        attempt.give_to_person(refusal_reason(error))


def _is_drivable(write_back: WriteBack, now: datetime) -> bool:
    if write_back.has_ended or write_back.target is Target.NONE:
        return False
    if write_back.needs_person and (
        write_back.target is Target.POSTED or write_back.due_at is None
    ):
        # A person decides; only a payment that was undone since then is looked at once more.
        return False
    return write_back.due_at is None or write_back.due_at <= now


def _hint(write_back: WriteBack) -> Hint:
    return Hint(
        write_back.connection_id,
        RecordKind.INVOICE,
        write_back.invoice_source_id,
        HintReason.WRITE_BACK,
    )
