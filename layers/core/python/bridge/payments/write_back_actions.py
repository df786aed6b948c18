"""What a person may decide about a write-back that waits for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bridge.domain.errors import ConflictError, NotFoundError, NotPossibleError
from bridge.domain.platform_payment import Target
from bridge.domain.problem import Action
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.payments.write_back_problems import WriteBackProblems
from bridge.ports import Clock, LedgerStore, WriteBackQueue

_S = WriteBackState
_LOOKED_AT = frozenset(
    {
        Reason.PAYMENT_REWRITTEN,
        Reason.TOO_MANY_POSTS,
        Reason.INVOICE_LOCKED,
    }
)


def offered_actions(write_back: WriteBack) -> tuple[Action, ...]:
    """Return what a person may do about a write-back as it stands.

    What is done can be seen to; what is under way can only be looked at sooner.
    """
    if not write_back.needs_person and write_back.reason is Reason.NONE:
        return ()
    if write_back.may_be_in_flight:
        return (Action.RETRY,)
    if _is_by_hand_only(write_back):
        return (Action.MARK_DONE, Action.CANCEL)
    if _may_be_cancelled(write_back):
        return (Action.RETRY, Action.MARK_DONE, Action.CANCEL)
    if write_back.has_ended and write_back.reason is not Reason.STATUS_REFUSED:
        return (Action.MARK_DONE,)
    return (Action.RETRY, Action.MARK_DONE)


class WriteBackActions:
    """Retry, mark as done by hand, or cancel. Nothing of this touches ConnectWise itself."""

    def __init__(
        self,
        ledger: LedgerStore,
        queue: WriteBackQueue,
        write_back_problems: WriteBackProblems,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._write_back_problems = write_back_problems
        self._clock = clock

    def retry(self, partner_id: str, connection_id: str, write_back_id: str) -> WriteBack:
        """Try again now, from the beginning: list, look for ours, and only then post.

        A payment of ours that was removed in ConnectWise is posted anew only here, because a
        person asked for it, and not beside what another tool may have written in its place.
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
            self._write_back_problems.show(write_back)
            raise NotPossibleError("no_decision_needed", "The write-back waits for nobody.")
        changed = change(write_back, self._clock.now())
        disowned = write_back.psa_payment_id if changed.psa_payment_id is None else None
        try:
            self._ledger.save_write_back(
                changed, expected_version=stored.version, disown_psa_payment_id=disowned
            )
        except ConflictError as error:
            raise NotPossibleError("moved_on", "The write-back moved on; look again.") from error
        self._write_back_problems.show(changed)
        if not changed.has_ended:
            self._queue.send(changed)
        return changed


def _retried(write_back: WriteBack, now: datetime) -> WriteBack:
    if write_back.has_ended and write_back.reason is Reason.STATUS_REFUSED:
        return replace(write_back, reason=Reason.NONE, wants_follow_up=True, due_at=now)
    if write_back.has_ended:
        raise NotPossibleError("nothing_to_retry", "It is in ConnectWise; mark it as seen to.")
    if not write_back.needs_person:
        due_at = write_back.due_at if write_back.may_be_in_flight else now
        return replace(write_back, waits=0, due_at=due_at)
    is_owned = write_back.psa_payment_id is not None
    if is_owned and (write_back.target is Target.ABSENT or not write_back.is_gone):
        return replace(write_back.tried_again(now), reason=Reason.NONE)
    if _is_by_hand_only(write_back):
        raise NotPossibleError("by_hand_only", "What a person entered, a person takes out.")
    return replace(
        write_back,
        state=_S.PENDING,
        reason=Reason.NONE,
        posts=1 if _may_have_left_a_copy(write_back) else 0,
        waits=0,
        psa_payment_id=None,
        due_at=now,
        wants_follow_up=False,
    )


def _may_have_left_a_copy(write_back: WriteBack) -> bool:
    """Tell whether an earlier post is still to be looked for, though not by our member's name:
    a person who was told what stands there, or that nothing does, has looked instead."""
    return write_back.is_gone or (write_back.posts > 0 and write_back.reason not in _LOOKED_AT)


def _done(write_back: WriteBack, now: datetime) -> WriteBack:
    if write_back.has_ended and write_back.reason is Reason.PAYMENT_CHANGED:
        # What a person made of it holds from now on, and it is theirs to take out again.
        return _ended(write_back, _S.DONE_BY_HAND)
    acknowledged = write_back.acknowledged()
    if write_back.has_ended:
        return acknowledged
    if write_back.is_at_target:
        return acknowledged.followed_up(acknowledged.reason)
    if write_back.needs_person and write_back.is_written:
        # It stays ours: a return takes it out again.
        return replace(acknowledged, state=_S.CONFIRMED).followed_up(acknowledged.reason)
    _refuse_while_in_flight(write_back)
    if write_back.target is Target.ABSENT:
        return _taken_out(write_back, now)
    return _ended(write_back, _S.DONE_BY_HAND)


def _taken_out(write_back: WriteBack, now: datetime) -> WriteBack:
    """A person took the payment out, or made something of it that is not ours any more."""
    if write_back.psa_payment_id is not None and not write_back.needs_person:
        # It is about to be taken out: only what was shown before is seen to.
        return write_back.acknowledged()
    if write_back.reason is Reason.PAYMENT_CHANGED:
        return _ended(write_back, _S.CANCELLED)
    return replace(write_back.acknowledged().reversed(now), wants_follow_up=False, due_at=None)


def _cancelled(write_back: WriteBack, _now: datetime) -> WriteBack:
    _refuse_while_in_flight(write_back)
    if not _may_be_cancelled(write_back):
        raise NotPossibleError("already_written", "The payment is in ConnectWise already.")
    return _ended(write_back, _S.CANCELLED)


def _may_be_cancelled(write_back: WriteBack) -> bool:
    is_undecided = write_back.needs_person or write_back.state is _S.PENDING
    stands = write_back.psa_payment_id is not None and not write_back.is_gone
    return is_undecided and not stands


def _is_by_hand_only(write_back: WriteBack) -> bool:
    """Tell whether a person entered the payment, so that none of ours can be taken out."""
    is_by_hand = write_back.reason is Reason.REVERSE_BY_HAND and write_back.needs_person
    return is_by_hand and write_back.psa_payment_id is None


def _ended(write_back: WriteBack, state: WriteBackState) -> WriteBack:
    return replace(write_back.acknowledged(), state=state, due_at=None, wants_follow_up=False)


def _refuse_while_in_flight(write_back: WriteBack) -> None:
    """What was sent may still take effect: nobody can say yet what stands in ConnectWise."""
    if write_back.may_be_in_flight:
        raise NotPossibleError("under_way", "A request is under way; decide when it is over.")
