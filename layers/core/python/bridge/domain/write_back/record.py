"""A write-back is one allocation's way into ConnectWise, and out again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from bridge.domain.money import Currency
from bridge.domain.platform_payment import Target
from bridge.domain.write_back.reasons import Reason
from bridge.domain.write_back.states import ENDED_STATES, MAYBE_SENT_STATES, WriteBackState
from bridge.domain.write_back.timings import Timings

_S = WriteBackState
MAX_POSTS = 5
MAX_DELETIONS = 5
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
MAX_WAITS_COUNTED = 10
WAITS_UNSEEN = 4
"""After so many waits in a row, a quarter of an hour together, a person is told."""


@dataclass(frozen=True, slots=True)
class WriteBack:
    """``psa_payment_id`` is the ConnectWise payment this write-back owns; one id has one owner.

    ``intent_at`` is when the last post or deletion was stated. ``due_at`` is when somebody should
    look again. ``balance_before_minor``, ``rows_before`` and ``newest_before`` are what the invoice
    owed, how many payments it had and the highest of their ids when the last post was stated.
    ``paid_status_id`` is the billing status that we set on the paid invoice, ``previous_status_id``
    the one that it replaced; ``status_stated_at`` is when a change of status was stated last that
    had no clear answer. ``posted_as`` is the API member that posted it. ``posts`` and
    ``deletions`` count what was sent and not surely refused. ``wants_follow_up`` marks a payment
    made or removed whose invoice is still to be read back, and its status set or put back.
    ``waits`` counts how often in a row nothing could be done. ``is_called_off`` marks a payment
    that was undone and may stay in ConnectWise if it stands there: it is never posted anew.
    ``lasting_reason`` is what a person has to see to even when our payment is out again, whatever
    else came between: others that ConnectWise dropped, or one that was entered by hand for ours.
    """

    write_back_id: str
    partner_id: str
    connection_id: str
    payment_id: str
    invoice_id: str
    invoice_source_id: int
    amount_minor: int
    currency: Currency
    paid_on: date
    target: Target
    state: WriteBackState
    created_at: datetime
    due_at: datetime | None = None
    intent_at: datetime | None = None
    posts: int = 0
    psa_payment_id: int | None = None
    reason: Reason = Reason.NONE
    balance_before_minor: int | None = None
    rows_before: int | None = None
    newest_before: int | None = None
    previous_status_id: int | None = None
    paid_status_id: int | None = None
    status_stated_at: datetime | None = None
    wants_follow_up: bool = False
    posted_as: str = ""
    deletions: int = 0
    waits: int = 0
    is_called_off: bool = False
    lasting_reason: Reason = Reason.NONE

    @property
    def has_ended(self) -> bool:
        """Nothing is left to do for the present target."""
        if self.wants_follow_up:
            return False
        if self.target is Target.POSTED:
            return self.state in ENDED_STATES
        if self.target is Target.ABSENT:
            return self.state in (_S.REVERSED, _S.CANCELLED)
        return self.state is _S.PENDING

    @property
    def is_at_target(self) -> bool:
        """ConnectWise shows what it should; only the follow-up may be left."""
        arrived = _S.CONFIRMED if self.target is Target.POSTED else _S.REVERSED
        return self.state is arrived

    @property
    def was_ever_stated(self) -> bool:
        """A post was stated once, so that a payment of ours may stand there."""
        return self.posts > 0 or self.intent_at is not None

    @property
    def is_gone(self) -> bool:
        """What we posted was there once, and is not any more."""
        return self.reason is Reason.PAYMENT_GONE

    @property
    def is_written(self) -> bool:
        """Our payment is to stand there, and does as far as is known."""
        is_owned = self.psa_payment_id is not None
        return self.target is Target.POSTED and is_owned and not self.is_gone

    @property
    def may_be_in_flight(self) -> bool:
        """A request of ours may still take effect."""
        return self.state in MAYBE_SENT_STATES or self.state is _S.REVERSING

    @property
    def needs_person(self) -> bool:
        return self.state in (_S.REJECTED, _S.MANUAL)

    def posting(
        self,
        now: datetime,
        timings: Timings,
        *,
        balance_minor: int,
        listed_ids: Collection[int] = (),
        member: str = "",
    ) -> WriteBack:
        """State the intent to post; from now on the attempt may take effect."""
        return replace(
            self,
            state=_S.POSTING,
            intent_at=now,
            posts=self.posts + 1,
            due_at=now + timings.quarantine,
            balance_before_minor=balance_minor,
            rows_before=len(listed_ids),
            newest_before=max(listed_ids, default=0),
            posted_as=member,
            lasting_reason=self.missing_reason,
        )

    def delayed(self, now: datetime) -> WriteBack:
        """Nothing can be done now: look again, each time later, and never before what was sent is
        over. Where that goes on, a person is told."""
        due_at = now + min(FIRST_WAIT * 2**self.waits, LONGEST_WAIT)
        if self.may_be_in_flight and self.due_at is not None:
            due_at = max(due_at, self.due_at)
        is_seen = self.waits >= WAITS_UNSEEN and self.reason is Reason.NONE
        return replace(
            self,
            waits=min(self.waits + 1, MAX_WAITS_COUNTED),
            reason=Reason.NO_ANSWER if is_seen else self.reason,
            due_at=due_at,
        )

    def not_sent(self) -> WriteBack:
        """The post was surely not sent: as if it had never been stated."""
        return replace(self, state=_S.PENDING, intent_at=None, posts=self.posts - 1)

    def unclear(self) -> WriteBack:
        return replace(self, state=_S.UNCLEAR)

    def confirmed(self, psa_payment_id: int, now: datetime) -> WriteBack:
        return replace(
            self,
            state=_S.CONFIRMED,
            psa_payment_id=psa_payment_id,
            due_at=now,
            reason=Reason.NONE,
            wants_follow_up=True,
            waits=0,
            lasting_reason=self.missing_reason,
        )

    @property
    def missing_reason(self) -> Reason:
        """What ConnectWise dropped stays missing. What a person entered does not stand for ours any
        more, once there is room for it."""
        is_missing = self.lasting_reason is Reason.OTHERS_REPLACED
        return Reason.OTHERS_REPLACED if is_missing else Reason.NONE

    def with_lasting_reason(self, reason: Reason) -> WriteBack:
        """Remember what lasts: where there is no room for ours, a person may have entered it."""
        if reason is Reason.OTHERS_REPLACED:
            return replace(self, lasting_reason=reason)
        if reason in (Reason.PAID_BY_HAND, Reason.OVERPAYMENT) and self.psa_payment_id is None:
            return replace(self, lasting_reason=Reason.PAID_BY_HAND)
        return self

    def rejected(self, reason: Reason) -> WriteBack:
        """The post was surely refused, so that it does not count as one that never showed."""
        return replace(
            self,
            state=_S.REJECTED,
            reason=reason,
            due_at=None,
            intent_at=None,
            posts=max(0, self.posts - 1),
            waits=0,
        )

    def manual(self, reason: Reason) -> WriteBack:
        return replace(
            self.with_lasting_reason(reason),
            state=_S.MANUAL,
            reason=reason,
            due_at=None,
            wants_follow_up=False,
            waits=0,
        )

    def reversing(self, now: datetime, timings: Timings) -> WriteBack:
        """State the intent to delete the payment that this write-back owns."""
        return replace(
            self,
            state=_S.REVERSING,
            intent_at=now,
            deletions=self.deletions + 1,
            due_at=now + timings.quarantine,
        )

    def not_deleted(self) -> WriteBack:
        """The deletion was surely not sent: as if it had never been stated."""
        return replace(self, state=_S.CONFIRMED, deletions=self.deletions - 1)

    def reversed(self, now: datetime) -> WriteBack:
        """Nothing of ours is in ConnectWise any more, or never was."""
        wants_follow_up = self.psa_payment_id is not None
        return replace(
            self,
            state=_S.REVERSED,
            due_at=now if wants_follow_up else None,
            reason=self.missing_reason,
            wants_follow_up=wants_follow_up,
            waits=0,
        )

    def tried_again(self, now: datetime) -> WriteBack:
        """Return the write-back after what kept it waiting seems to be over. Its reason stands
        until that is sure. A payment that is owned stands there: it is read back or taken out,
        and never posted a second time."""
        is_owned = self.psa_payment_id is not None
        return replace(
            self,
            state=_S.CONFIRMED if is_owned else _S.PENDING,
            deletions=0,
            waits=0,
            due_at=now,
            wants_follow_up=is_owned and self.target is Target.POSTED,
        )

    def followed_up(self, reason: Reason) -> WriteBack:
        followed_up = self.with_lasting_reason(reason)
        return replace(followed_up, due_at=None, wants_follow_up=False, reason=reason, waits=0)

    def acknowledged(self) -> WriteBack:
        """A person has seen to what was shown; what was hidden behind it is shown now."""
        is_shown = self.reason is self.lasting_reason
        left = Reason.NONE if is_shown else self.missing_reason
        return replace(self, reason=left, lasting_reason=left)

    def adopted(self, psa_payment_id: int) -> WriteBack:
        """Another tool wrote our payment anew: it stands for ours from now on, and is shown."""
        return replace(
            self,
            psa_payment_id=psa_payment_id,
            reason=Reason.PAYMENT_REWRITTEN,
            due_at=None,
            wants_follow_up=False,
            waits=0,
        )

    def retargeted(
        self, target: Target, now: datetime, *, is_called_off: bool = False
    ) -> WriteBack:
        """Return the write-back after its payment moved on."""
        moved = replace(self, is_called_off=is_called_off)
        if target is self.target:
            return moved
        due_at = self.due_at if self.state in MAYBE_SENT_STATES else now
        return replace(moved, target=target, due_at=due_at)

    def called_off(self, now: datetime) -> WriteBack:
        """The payment was undone and does not stand in ConnectWise: so it stays."""
        return replace(self, target=Target.ABSENT).reversed(now)
