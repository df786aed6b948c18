"""What a person may decide about a write-back that waits for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bridge.domain.errors import ConflictError, NotFoundError, NotPossibleError
from bridge.domain.platform_payment import Target
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.payment_ports import LedgerStore, WriteBackQueue
from bridge.payments.troubles import WriteBackTroubles
from bridge.ports import Clock

_S = WriteBackState


class WriteBackDecisions:
    """Retry, mark as done by hand, or cancel. Nothing of this touches ConnectWise itself."""

    def __init__(
        self,
        ledger: LedgerStore,
        queue: WriteBackQueue,
        troubles: WriteBackTroubles,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._troubles = troubles
        self._clock = clock

    def retry(self, partner_id: str, connection_id: str, write_back_id: str) -> WriteBack:
        """Try again from the beginning: list, look for ours, and only then post.

        A payment of ours that was removed in ConnectWise is posted anew only here, because a
        person asked for it.
        """
        return self._decide(partner_id, connection_id, write_back_id, _retried)

    def mark_done(self, partner_id: str, connection_id: str, write_back_id: str) -> WriteBack:
        """A person entered the payment in ConnectWise, or took it out there."""
        return self._decide(partner_id, connection_id, write_back_id, _done)

    def cancel(self, partner_id: str, connection_id: str, write_back_id: str) -> WriteBack:
        """The payment is not to appear in ConnectWise."""
        return self._decide(partner_id, connection_id, write_back_id, _cancelled)

    def _decide(
        self,
        partner_id: str,
        connection_id: str,
        write_back_id: str,
        change: Callable[[WriteBack, datetime], WriteBack],
    ) -> WriteBack:
        stored = self._ledger.get_write_back(connection_id, write_back_id)
        write_back = stored.value
        if write_back is None or write_back.partner_id != partner_id:
            raise NotFoundError("no such write-back")
        if not write_back.needs_person and write_back.reason is Reason.NONE:
            # A worker may have died before it closed the problem that led here.
            self._troubles.show(write_back)
            raise NotPossibleError("no_decision_needed", "The write-back waits for nobody.")
        changed = change(write_back, self._clock.now())
        disowned = write_back.psa_payment_id if changed.psa_payment_id is None else None
        try:
            self._ledger.save_write_back(
                changed, expected_version=stored.version, disown_psa_payment_id=disowned
            )
        except ConflictError as error:
            raise NotPossibleError("moved_on", "The write-back moved on; look again.") from error
        self._troubles.show(changed)
        if not changed.has_ended:
            self._queue.send(changed)
        return changed


def _retried(write_back: WriteBack, now: datetime) -> WriteBack:
    if not write_back.needs_person:
        return replace(write_back, reason=Reason.NONE)
    if write_back.target is Target.ABSENT and write_back.psa_payment_id is not None:
        return replace(write_back.tried_again(now), reason=Reason.NONE)
    if write_back.reason is Reason.REVERSE_BY_HAND:
        raise NotPossibleError("by_hand_only", "What a person entered, a person takes out.")
    return replace(
        write_back,
        state=_S.PENDING,
        reason=Reason.NONE,
        posts=0,
        psa_payment_id=None,
        due_at=now,
        wants_follow_up=False,
    )


def _done(write_back: WriteBack, now: datetime) -> WriteBack:
    if not write_back.needs_person:
        return replace(write_back, reason=Reason.NONE)
    if write_back.target is Target.ABSENT:
        return replace(write_back.reversed(now), wants_follow_up=False, due_at=None)
    return replace(write_back, state=_S.DONE_BY_HAND, reason=Reason.NONE, due_at=None)


def _cancelled(write_back: WriteBack, _now: datetime) -> WriteBack:
    if not write_back.needs_person:
        raise NotPossibleError("already_written", "The payment is in ConnectWise already.")
    return replace(write_back, state=_S.CANCELLED, reason=Reason.NONE, due_at=None)
