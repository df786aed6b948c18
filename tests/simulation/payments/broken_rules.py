"""Write-backs that break one rule of the domain: what proves something, and who may do what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import PropertyMock, patch

from bridge.connectwise import client, failures
from bridge.connectwise.exchange import Answer
from bridge.domain.write_back import Reason, StatedAttempt, WriteBack, decisions
from bridge.domain.write_back.changes import confirm
from bridge.payments import (
    payment_matching,
    payment_post,
    unowned_payments,
    write_back_worker,
)
from bridge.payments.held_write_back import HeldWriteBack
from bridge.payments.payment_gate import PaymentGate
from bridge.payments.payment_post import PaymentPost
from bridge.ports import PsaPayment
from tests.fakes.ledger import InMemoryLedgerStore
from tests.simulation.payments.broken import BrokenWiring
from tests.simulation.wiring import Wiring

REFUSALS = (400, 401, 403, 404, 422)
Hit = Callable[[], None]

# --- what proves something -----------------------------------------------------------------------


class BelievesGateways(BrokenWiring):
    """A gateway's JSON is taken for a refusal of ConnectWise's own."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:

        def believes(answer: Answer) -> bool:
            is_proven = answer.status in REFUSALS and answer.refusal() is not None
            if is_proven and not failures.is_proven_refusal(answer):
                hit()
            return is_proven

        with patch(f"{client.__name__}.is_proven_refusal", believes):
            yield


class BelievesEarlyAbsence(BrokenWiring):
    """What an early look does not show is taken for absent, whatever may still be under way."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        must_wait = PaymentPost.must_wait

        def waits_for_nothing(self: PaymentPost, rows: Sequence[PsaPayment]) -> bool:
            if self.held.is_quarantined:
                hit()
            with patch.object(HeldWriteBack, "is_quarantined", PropertyMock(return_value=False)):
                return must_wait(self, rows)

        with patch.object(PaymentPost, "must_wait", waits_for_nothing):
            yield


class LeavesOutTheReadLag(Wiring):
    """A list is believed to show at once what took effect."""

    def spoil(self) -> None:
        self.timings = replace(self.timings, read_lag_seconds=0)


class JudgesWhatIsYoung(BrokenWiring):
    """What was posted a moment ago is missing from a list, and called gone."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        is_young = WriteBack.is_young

        def is_old(self: WriteBack, *when: Any) -> bool:
            if is_young(self, *when):
                hit()
            return False

        with patch.object(WriteBack, "is_young", is_old):
            yield


# --- whose a payment is --------------------------------------------------------------------------


class AdoptsAnotherDay(BrokenWiring):
    """A payment some days off is taken for ours."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        def is_as_large(self: WriteBack, amount_minor: int, paid_on: Any) -> bool:
            if amount_minor != self.amount_minor or paid_on is None:
                return False
            days: int = abs((paid_on - self.paid_on).days)
            if 1 < days <= 4:
                hit()
            return days <= 4

        with patch.object(WriteBack, "is_as_large", is_as_large):
            yield


class AdoptsAnotherAmount(BrokenWiring):
    """A payment of almost our amount is taken for ours."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        exactly = WriteBack.is_as_large

        def is_as_large(self: WriteBack, amount_minor: int, paid_on: Any) -> bool:
            if abs(amount_minor - self.amount_minor) == 1:
                hit()
                amount_minor = self.amount_minor
            return exactly(self, amount_minor, paid_on)

        with patch.object(WriteBack, "is_as_large", is_as_large):
            yield


class AdoptsWithNothingStated(BrokenWiring):
    """An equal payment by our member is taken for ours, though none was ever posted."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        is_found = PaymentPost.is_found

        def finds(self: PaymentPost, rows: Sequence[PsaPayment]) -> bool:
            if is_found(self, rows):
                return True
            write_back, member = self.held.write_back, self.held.psa.member_identifier
            unowned = self.held.unowned(rows)
            equal = [row for row in unowned if payment_matching.is_like(write_back, row, member)]
            if not equal or any(write_back.known_history.posts()):
                return False
            hit()
            own = equal[0].psa_payment_id
            self._confirm(confirm(write_back, own, self.held.now, applied_by=member))
            return True

        with patch.object(PaymentPost, "is_found", finds):
            yield


class AdoptsWhatWasListedBefore(BrokenWiring):
    """A payment that stood there before the attempt is taken for the one that it made."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        had_listed = StatedAttempt.had_listed

        def had_not(self: StatedAttempt, psa_payment_id: int) -> bool:
            if had_listed(self, psa_payment_id):
                hit()
            return False

        with patch.object(StatedAttempt, "had_listed", had_not):
            yield


class DeletesAdoptedPayments(BrokenWiring):
    """What a person adopted from another hand is deleted like a payment of ours."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        def as_ours(write_back: WriteBack, *what: Any, **named: Any) -> WriteBack:
            if named.pop("is_foreign", False):
                hit()
            return confirm(write_back, *what, **named)

        with patch.object(payment_post, "confirm", as_ours):
            yield


# --- who may do what -----------------------------------------------------------------------------


class AsksForNoLease(BrokenWiring):
    """An intent is stored by a worker that was overtaken."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        stands = InMemoryLedgerStore._stands

        def always(self: InMemoryLedgerStore, lease: Any) -> bool:
            if not stands(self, lease):
                hit()
            return True

        with patch.object(InMemoryLedgerStore, "_stands", always):
            yield


class PostsWithoutLimit(BrokenWiring):
    """A payment that never shows is posted again and again."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        obstacle_to = payment_matching.obstacle_to

        def none(write_back: WriteBack, *what: Any) -> Reason:
            reason = obstacle_to(write_back, *what)
            if reason is not Reason.TOO_MANY_POSTS:
                return reason
            hit()
            return Reason.NONE

        with patch(f"{payment_post.__name__}.obstacle_to", none):
            yield


class OffersRetryAnywhere(BrokenWiring):
    """A retry is offered, and posts, where a payment of ours may stand."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        may_stand = decisions.may_stand

        def may_not(write_back: WriteBack) -> bool:
            if may_stand(write_back):
                hit()
            return False

        with patch.object(decisions, "may_stand", may_not):
            yield


class LooksNeverLate(BrokenWiring):
    """What took effect later than assumed is not looked for a last time."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        is_due = write_back_worker._is_late_look_due

        def never(*when: Any) -> bool:
            if is_due(*when):
                hit()
            return False

        with patch.object(write_back_worker, "_is_late_look_due", never):
            yield


class DismissesWhatMayBeOurs(BrokenWiring):
    """A person dismisses a payment that a post of ours may have made."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        may_have_made = payment_matching.may_have_made

        def made_nothing(*what: Any) -> bool:
            if may_have_made(*what):
                hit()
            return False

        with patch(f"{unowned_payments.__name__}.may_have_made", made_nothing):
            yield


class IgnoresStops(BrokenWiring):
    """Payments are written while they are stopped."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Hit) -> Iterator[None]:
        is_stopped = PaymentGate._is_stopped

        def never(self: PaymentGate, *what: Any) -> bool:
            if is_stopped(self, *what):
                hit()
            return False

        with patch.object(PaymentGate, "_is_stopped", never):
            yield
