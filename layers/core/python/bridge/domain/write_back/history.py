"""The history of a write-back holds each attempt that was stated before it was sent.

Guards ask the history, so it keeps all that may still stand in ConnectWise: unproven posts and
deletions stay whole. Sure refusals and changes of the billing status collapse
into a count, so that a write-back always fits into one stored item.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

MAX_PROVEN_POSTS = 5
"""So many proven posts are kept; a payment is posted anew only when a person says so. The latest
is kept whole, the others drop the ids that were listed before them."""


class AttemptKind(StrEnum):
    """The kind names the request that an attempt sends."""

    POST = "post"
    DELETION = "deletion"
    STATUS = "status"


class Outcome(StrEnum):
    """An outcome says how much is known of an attempt."""

    STATED = "stated"
    """It may have been sent; the worker has yet to store an outcome."""
    UNKNOWN = "unknown"
    """It was sent, and the answer left its effect unproven."""
    REFUSED = "refused"
    """ConnectWise refused it with a code of its own."""
    NOT_SENT = "not_sent"
    """It failed before it reached a socket."""
    PROVEN = "proven"
    """It took effect: ConnectWise's answer or a list shows it."""


@dataclass(frozen=True, slots=True)
class StatedAttempt:
    """An attempt is stored with its circumstances before it is sent."""

    kind: AttemptKind
    stated_at: datetime
    outcome: Outcome = Outcome.STATED
    member: str = ""
    """The API member of the keys that it was sent with."""
    balance_minor: int | None = None
    """The invoice's balance before it, in minor units; None where it is useless as a proof."""
    listed_ids: tuple[int, ...] = ()
    """The ids of the payments that ConnectWise listed before it."""
    newest_listed_id: int | None = None
    """Attempts of the release before kept the highest id alone; then ``listed_ids`` is empty."""
    psa_payment_id: int | None = None
    """The payment that it made, where that is proven."""
    was_found: bool = False
    """A list proved it. Where an earlier post is unproven, the payment may be that one's."""

    @property
    def is_unproven(self) -> bool:
        """Tell whether it may have taken effect, or still may, and lacks a proof."""
        return self.outcome in (Outcome.STATED, Outcome.UNKNOWN)

    def had_listed(self, psa_payment_id: int) -> bool:
        """Tell whether a payment stood there before the attempt."""
        if self.newest_listed_id is not None:
            return psa_payment_id <= self.newest_listed_id
        return psa_payment_id in self.listed_ids


@dataclass(frozen=True, slots=True)
class Tally:
    """A tally counts attempts of one kind and outcome whose details can be spared."""

    kind: AttemptKind
    outcome: Outcome
    count: int
    first_at: datetime
    last_at: datetime

    def is_of(self, kind: AttemptKind, outcome: Outcome) -> bool:
        return (self.kind, self.outcome) == (kind, outcome)

    def with_one_more(self, at: datetime) -> Tally:
        return replace(self, count=self.count + 1, last_at=at)


@dataclass(frozen=True, slots=True)
class History:
    """A history holds the attempts of one write-back, the latest last."""

    attempts: tuple[StatedAttempt, ...] = ()
    tallies: tuple[Tally, ...] = ()
    refused_post: StatedAttempt | None = None
    """The post that was refused last: a proxy may have sent it twice, and the refusal may be that
    of the second request alone."""

    @property
    def without_old_lists(self) -> History:
        """Return the history with the ids listed before attempts that have yet to get an outcome:
        those of the others stand in the entry of the audit trail that stated them."""
        attempts = (
            each if each.outcome is Outcome.STATED else replace(each, listed_ids=())
            for each in self.attempts
        )
        refused = self.refused_post and replace(self.refused_post, listed_ids=())
        return replace(self, attempts=tuple(attempts), refused_post=refused)

    def posts(self) -> Iterator[StatedAttempt]:
        """Yield the posts that took effect or may have, the latest first."""
        return (each for each in reversed(self.attempts) if each.kind is AttemptKind.POST)

    def sent_posts(self) -> Iterator[StatedAttempt]:
        """Yield the posts that may have made a payment, the refused one last."""
        yield from self.posts()
        if self.refused_post is not None:
            yield self.refused_post

    def count(self, kind: AttemptKind, outcome: Outcome) -> int:
        """Return the number of attempts of a kind with an outcome that is only counted."""
        return sum(tally.count for tally in self.tallies if tally.is_of(kind, outcome))

    def unproven(self, kind: AttemptKind) -> tuple[StatedAttempt, ...]:
        """Return the unproven attempts of a kind, the latest first."""
        found = reversed(self.attempts)
        return tuple(each for each in found if each.kind is kind and each.is_unproven)

    @property
    def status_unclear_at(self) -> datetime | None:
        """Return when the last change of the billing status with an unclear answer was stated."""
        stated = [each.stated_at for each in self.unproven(AttemptKind.STATUS)]
        counted = [t.last_at for t in self.tallies if t.is_of(AttemptKind.STATUS, Outcome.UNKNOWN)]
        return max(stated + counted, default=None)

    def with_stated(self, attempt: StatedAttempt) -> History:
        """Add an attempt that is about to be sent."""
        history = self
        if attempt.kind is AttemptKind.STATUS:
            history = self.with_outcome(AttemptKind.STATUS, Outcome.UNKNOWN)
        return replace(history, attempts=(*history.attempts, attempt))

    def with_outcome(
        self,
        kind: AttemptKind,
        outcome: Outcome,
        *,
        psa_payment_id: int | None = None,
        stated_at: datetime | None = None,
        is_exact: bool = True,
        was_found: bool = False,
    ) -> History:
        """Note the outcome of the latest attempt of a kind, or of the one stated at that time.

        An attempt that was surely refused or unsent becomes part of a tally, and so does every
        proven deletion and change of status. If the amount that was made may differ from ours,
        ``is_exact`` is False, and the balance before it is useless as a proof. ``was_found`` tells
        that a list proved it, and no answer.
        """
        position = self._position(kind, stated_at)
        if position is None:
            return self
        attempt = self.attempts[position]
        before, after = self.attempts[:position], self.attempts[position + 1 :]
        is_kept = outcome is Outcome.UNKNOWN or (
            outcome is Outcome.PROVEN and kind is AttemptKind.POST
        )
        if is_kept and kind is not AttemptKind.STATUS:
            settled = replace(
                attempt, outcome=outcome, psa_payment_id=psa_payment_id or attempt.psa_payment_id
            )
            if not is_exact:
                settled = replace(settled, balance_minor=None)
            if was_found:
                settled = replace(settled, was_found=True)
            return _with_few_proven(replace(self, attempts=(*before, settled, *after)))
        rest = replace(self, attempts=(*before, *after))
        if (kind, outcome) == (AttemptKind.POST, Outcome.REFUSED):
            rest = replace(rest, refused_post=replace(attempt, outcome=outcome))
        return _with_tallied(rest, kind, outcome, attempt.stated_at)

    def _position(self, kind: AttemptKind, stated_at: datetime | None) -> int | None:
        return next(
            (
                position
                for position in reversed(range(len(self.attempts)))
                if self.attempts[position].kind is kind
                and stated_at in (None, self.attempts[position].stated_at)
            ),
            None,
        )


def _with_few_proven(history: History) -> History:
    """Tally the oldest proven posts beyond those that are kept whole."""
    proven = [each for each in history.attempts if each.outcome is Outcome.PROVEN]
    short = {id(each): replace(each, listed_ids=()) for each in proven[:-1]}
    history = replace(
        history, attempts=tuple(short.get(id(each), each) for each in history.attempts)
    )
    proven = [each for each in history.attempts if each.outcome is Outcome.PROVEN]
    for oldest in proven[: max(0, len(proven) - MAX_PROVEN_POSTS)]:
        left = tuple(each for each in history.attempts if each is not oldest)
        rest = replace(history, attempts=left)
        history = _with_tallied(rest, oldest.kind, oldest.outcome, oldest.stated_at)
    return history


def _with_tallied(history: History, kind: AttemptKind, outcome: Outcome, at: datetime) -> History:
    known = next((t for t in history.tallies if t.is_of(kind, outcome)), None)
    if known is None:
        return replace(history, tallies=(*history.tallies, Tally(kind, outcome, 1, at, at)))
    tallies = (t.with_one_more(at) if t is known else t for t in history.tallies)
    return replace(history, tallies=tuple(tallies))
