"""A write-back is one allocation's way into ConnectWise, and out again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from bridge.domain.money import Currency
from bridge.domain.platform_payment import Target
from bridge.domain.write_back.history import AttemptKind, History, Outcome, StatedAttempt
from bridge.domain.write_back.reasons import Reason
from bridge.domain.write_back.states import (
    ENDED_STATES,
    IN_FLIGHT_STATES,
    PERSONS_STATES,
    WriteBackState,
)
from bridge.domain.write_back.timings import Timings

_S = WriteBackState
MAX_POSTS = 5
"""So many unproven posts are made at most; then a person decides."""
MAX_DECIDED_POSTS = 7
"""So many unproven posts are made even where a person asks for one more."""
MAX_DELETIONS = 5
MAX_SHOWN_ROWS = 20
MAX_LISTED_PAYMENTS = 2_000
"""An attempt keeps the ids of so many payments; an invoice with more is left to a person."""
MAX_DAYS_APART = 1
"""ConnectWise may list a payment's day as another zone sees it."""


@dataclass(frozen=True, slots=True)
class ShownPayment:
    """A person is shown this payment of the invoice beside the reason."""

    psa_payment_id: int
    amount_minor: int
    paid_on: date | None
    applied_by: str


class DecisionKind(StrEnum):
    """A person decided this, for a worker to carry out under the lease."""

    POST = "post"
    ADOPT = "adopt"
    DELETE = "delete"
    """Delete it once more, though so many deletions stayed unproven."""
    LOOK = "look"
    """Look, and leave all as it is unless ours is found."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision takes a fresh look at ConnectWise to carry out."""

    kind: DecisionKind
    psa_payment_id: int | None = None
    """The payment that is to be adopted."""


@dataclass(frozen=True, slots=True)
class WriteBack:
    """A write-back holds one allocation of a payment, and all that is known of it in ConnectWise.

    A worker of the release before reads ``intent_at``, ``posts``, ``deletions``, ``rows_before``,
    ``newest_before``, ``balance_before_minor`` and ``status_stated_at``, which are therefore
    written beside the history that they sum up (see :meth:`with_history`).
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
    """The time to act again. While a post is unclear, that is the end of its quarantine: a worker
    of the release before posts it anew from then on."""
    look_at: datetime | None = None
    """The time to look for an unclear post next, which a look may only confirm."""
    intent_at: datetime | None = None
    posts: int = 0
    psa_payment_id: int | None = None
    """The ConnectWise payment that this write-back owns; one id has one owner."""
    reason: Reason = Reason.NONE
    balance_before_minor: int | None = None
    rows_before: int | None = None
    newest_before: int | None = None
    previous_status_id: int | None = None
    """The billing status that our paid status replaced."""
    paid_status_id: int | None = None
    """The billing status that was set on the paid invoice."""
    status_stated_at: datetime | None = None
    wants_follow_up: bool = False
    """A payment was made or removed, and its invoice is still to be read back and its status
    set or put back."""
    posted_as: str = ""
    """The API member that made the payment it owns, or that posted it last."""
    deletions: int = 0
    waits: int = 0
    """Counts how often in a row it had to wait."""
    is_called_off: bool = False
    """The payment was undone and may stay in ConnectWise if it stands there; a new post of it is
    forbidden."""
    lasting_reason: Reason = Reason.NONE
    """A person has to see to it even when our payment is out again: ConnectWise dropped other
    payments, or one was entered by hand for ours."""
    history: History = field(default_factory=History)
    decision: Decision | None = None
    """A person's decision that a worker still has to carry out."""
    shown: tuple[ShownPayment, ...] = ()
    """The payments that the reason is about."""
    late_look_at: datetime | None = None
    """The time to compare the invoice once more, since an attempt stayed unproven."""
    listed_on: date | None = None
    """The day that ConnectWise lists for our payment, where it differs from ``paid_on``."""
    is_foreign: bool = False
    """Somebody else made the payment that it owns, so that the bridge may not delete it."""
    refusal: str = ""
    """ConnectWise's own words about the last refusal."""
    overpaid_minor: int = 0
    """The amount paid beyond the debt, in minor units, when the invoice was read back last."""
    was_done_by_hand: bool = False
    """A person entered the payment, and one of ours came late beside it."""
    hand_reference: str = ""
    """A person's reference to the entry that reversed the payment in the books."""

    # --- where it stands -----------------------------------------------------------------------

    @property
    def has_ended(self) -> bool:
        """Tell whether all is done for the present target."""
        if self.wants_follow_up:
            return False
        if self.target is Target.POSTED:
            return self.state in ENDED_STATES
        if self.target is Target.ABSENT:
            return self.state in (_S.REVERSED, _S.CANCELLED, _S.REVERSED_BY_HAND)
        return self.state is _S.PENDING

    @property
    def next_look_at(self) -> datetime | None:
        """Return when somebody should look next, be it for the rest or for a last time."""
        late = [self.late_look_at] if self.late_look_at and not self.may_be_in_flight else []
        next_at = None if self.has_ended else self.acts_at
        return min([next_at, *late] if next_at else late, default=None)

    @property
    def acts_at(self) -> datetime | None:
        """Return when somebody should look or act for the present target."""
        moments = [each for each in (self.due_at, self.look_at) if each is not None]
        return min(moments, default=None)

    @property
    def is_at_target(self) -> bool:
        """Tell whether ConnectWise shows the target; only the follow-up may be left."""
        arrived = _S.CONFIRMED if self.target is Target.POSTED else _S.REVERSED
        return self.state is arrived

    @property
    def is_gone(self) -> bool:
        """Tell whether our payment was there once, and is missing now."""
        return self.reason is Reason.PAYMENT_GONE

    @property
    def is_written(self) -> bool:
        """Tell whether our payment is to stand there, and does as far as is known."""
        is_owned = self.psa_payment_id is not None
        return self.target is Target.POSTED and is_owned and not self.is_gone

    @property
    def may_be_in_flight(self) -> bool:
        """Tell whether a request of ours may still take effect."""
        return self.state in IN_FLIGHT_STATES

    @property
    def needs_person(self) -> bool:
        return self.state in PERSONS_STATES

    @property
    def missing_reason(self) -> Reason:
        """Return the lasting reason if ConnectWise dropped payments, which stay missing. A payment
        that a person entered stops standing for ours once there is room for ours."""
        is_missing = self.lasting_reason is Reason.OTHERS_REPLACED
        return Reason.OTHERS_REPLACED if is_missing else Reason.NONE

    # --- the attempts --------------------------------------------------------------------------

    @property
    def known_history(self) -> History:
        """Return the history; that of a record of the release before is made from its fields."""
        is_counted = bool(self.posts or self.deletions or self.may_be_in_flight)
        if self.history.attempts or self.history.tallies or not is_counted:
            return self.history
        attempts = list(self._posts_before())
        if self.state is _S.REVERSING or self.deletions:
            deletion = StatedAttempt(AttemptKind.DELETION, self._stated_before())
            attempts += [replace(deletion, outcome=Outcome.UNKNOWN)] * max(1, self.deletions)
        return replace(self.history, attempts=tuple(attempts))

    def _posts_before(self) -> Iterator[StatedAttempt]:
        """Yield the posts that its fields count, each a moment before the next one."""
        count = max(self.posts, 1 if self.state in IN_FLIGHT_STATES else 0)
        for place in range(count):
            is_last = place == count - 1
            is_proven = is_last and self.psa_payment_id is not None
            yield StatedAttempt(
                AttemptKind.POST,
                self._stated_before() - timedelta(microseconds=count - 1 - place),
                outcome=Outcome.PROVEN if is_proven else Outcome.UNKNOWN,
                member=self.posted_as,
                balance_minor=self.balance_before_minor,
                newest_listed_id=self.newest_before or 0,
                psa_payment_id=self.psa_payment_id if is_proven else None,
            )

    def _stated_before(self) -> datetime:
        return self.intent_at or self.created_at

    @property
    def unproven_posts(self) -> tuple[StatedAttempt, ...]:
        """Return the posts that may stand in ConnectWise unseen, the latest first."""
        return self.known_history.unproven(AttemptKind.POST)

    @property
    def unproven_deletions(self) -> tuple[StatedAttempt, ...]:
        return self.known_history.unproven(AttemptKind.DELETION)

    @property
    def owning_post(self) -> StatedAttempt | None:
        """Return the post that made the payment it owns, if that is known."""
        made = self.known_history.posts()
        owned = self.psa_payment_id
        return next((p for p in made if owned is not None and p.psa_payment_id == owned), None)

    @property
    def last_stated_at(self) -> datetime | None:
        """Return when the last post or deletion was stated that took effect or may have.

        A deletion may have been refused since it had taken effect already.
        """
        history = self.known_history
        stated = [e.stated_at for e in history.attempts if e.kind is not AttemptKind.STATUS]
        deletions = (t for t in history.tallies if t.kind is AttemptKind.DELETION)
        sent = [t.last_at for t in deletions if t.outcome is not Outcome.NOT_SENT]
        return max([*stated, *sent], default=None)

    @property
    def status_unclear_at(self) -> datetime | None:
        return self.known_history.status_unclear_at or self.status_stated_at

    def is_quarantined(self, now: datetime, timings: Timings) -> bool:
        """Tell whether an unproven request may still take effect or come into view."""
        unproven = (*self.unproven_posts, *self.unproven_deletions)
        return any(now < timings.quarantine_end(each.stated_at) for each in unproven)

    def is_just_refused(self, now: datetime, timings: Timings) -> bool:
        """Tell whether lists may lack a payment that a refused post made: its request may have been
        doubled on its way."""
        refused = self.known_history.refused_post
        return refused is not None and now < timings.answer_shown(refused.stated_at)

    def is_young(self, now: datetime, timings: Timings) -> bool:
        """Tell whether ConnectWise may still show the state before the last attempt."""
        stated_at = self.last_stated_at
        return stated_at is not None and now < timings.quarantine_end(stated_at)

    def with_history(self, history: History) -> WriteBack:
        """Return it with another history, and with the fields that sum it up."""
        posts = list(history.posts())
        last = posts[0] if posts else None
        attempts = [each for each in history.attempts if each.kind is not AttemptKind.STATUS]
        return replace(
            self,
            history=history,
            posts=len(posts),
            deletions=len(history.unproven(AttemptKind.DELETION)),
            intent_at=max((each.stated_at for each in attempts), default=None),
            balance_before_minor=last.balance_minor if last else None,
            rows_before=len(last.listed_ids) if last else None,
            newest_before=_newest(last) if last else None,
            status_stated_at=history.status_unclear_at,
        )

    @property
    def audited(self) -> WriteBack:
        """Return what an entry of the audit trail says of it."""
        return replace(self, history=self.history.without_old_lists)

    # --- payments like ours --------------------------------------------------------------------

    def is_as_large(self, amount_minor: int, paid_on: date | None) -> bool:
        """Tell whether a payment has our amount, and our day as some zone sees it."""
        if amount_minor != self.amount_minor or paid_on is None:
            return False
        return abs((paid_on - self.paid_on).days) <= MAX_DAYS_APART


def _newest(post: StatedAttempt) -> int:
    return post.newest_listed_id or max(post.listed_ids, default=0)
