"""Write-backs that are broken on purpose are found; the real one, in the same weather, is not."""

from __future__ import annotations

import pytest

from bridge.domain.platform_payment import PlatformPaymentState, WriteBackPolicy
from connectwise_sandbox.faults import Effect
from tests.simulation import faults
from tests.simulation.functions import WRITE_BACK_WORKER
from tests.simulation.payments import broken
from tests.simulation.payments import people as payment_people
from tests.simulation.payments.broken_cases import Case, check
from tests.simulation.payments.episode import (
    SENT,
    PaymentWeather,
)
from tests.simulation.payments.faults import UnclearChanges
from tests.simulation.payments.partners import SurplusOwner

NEVER_TWICE = "R1 never twice"
ONLY_WHAT_IS_OWED = "only what is owed"
EACH_ONCE = "each allocation once"
AGREE = "invoices agree"
WAITS = "nothing waits unseen"
STATUS = "status follows money"
HELD = "intents are held"
NO_CAUSE = "payment problems have causes"


def unclear(*, crashes: float = 0.0) -> PaymentWeather:
    """Many payments of few invoices, and every second change without a clear answer."""
    return PaymentWeather(
        hours=1.5,
        faults=[
            UnclearChanges(0.5),
            faults.Interleaving(0.05),
            faults.Crashes(crashes),
        ],
        edits=(payment_people.bill,),
        minutes_between_edits=10,
        minutes_between_payments=3,
        paid_status=None,
    )


def crowded() -> PaymentWeather:
    """A payment each minute, so that several wait for the same invoice."""
    return PaymentWeather(
        hours=1,
        faults=[UnclearChanges(0.8), faults.Interleaving(0.02)],
        edits=(payment_people.bill,),
        minutes_between_edits=15,
        minutes_between_payments=1,
        paid_status=None,
    )


def typing_people() -> PaymentWeather:
    return PaymentWeather(
        hours=2,
        faults=[UnclearChanges(0.3), faults.Interleaving(0.2)],
        edits=(payment_people.bill, payment_people.type_equal_payment),
        minutes_between_edits=2,
        minutes_between_payments=3,
        paid_status=None,
    )


def blocked() -> PaymentWeather:
    """People pay, close and remove what the platform collects for at the same time."""
    return PaymentWeather(
        hours=2,
        faults=[faults.Interleaving(0.02)],
        edits=(
            payment_people.bill,
            payment_people.type_equal_payment,
            payment_people.delete_ours,
        ),
        minutes_between_edits=3,
        minutes_between_payments=4,
        paid_status=None,
    )


def silent() -> PaymentWeather:
    """ConnectWise is down half of the time, for long enough that a person is told."""
    return PaymentWeather(
        hours=4,
        faults=[faults.Outage(0.02)],
        edits=(payment_people.bill,),
        minutes_between_edits=20,
        minutes_between_payments=5,
        paid_status=None,
    )


def moving() -> PaymentWeather:
    """Much is paid, and much of it goes back again."""
    return PaymentWeather(
        hours=3,
        faults=[faults.Interleaving(0.02)],
        edits=(payment_people.bill,),
        minutes_between_edits=30,
        minutes_between_payments=4,
        paid_status=SENT,
    )


def called_off() -> PaymentWeather:
    """Most posts get no clear answer, and much goes back meanwhile, which may stand where it is."""
    return PaymentWeather(
        hours=3,
        faults=[UnclearChanges(0.8), faults.Interleaving(0.02)],
        edits=(payment_people.bill,),
        minutes_between_edits=10,
        minutes_between_payments=2,
        policy=WriteBackPolicy(reverse_on=frozenset({PlatformPaymentState.VOIDED})),
        paid_status=None,
    )


def unclear_statuses() -> PaymentWeather:
    """Many a change of status comes long after it was sent, and much is paid and goes back."""
    return PaymentWeather(
        hours=3,
        faults=[
            UnclearChanges(0.5, methods={"PATCH"}, effects=[Effect.LATE_EFFECT]),
            faults.Interleaving(0.02),
        ],
        edits=(payment_people.bill,),
        minutes_between_edits=3,
        minutes_between_payments=1,
        paid_status=SENT,
    )


def shared_keys() -> PaymentWeather:
    """Another program posts as our API member does."""
    return PaymentWeather(
        hours=2,
        faults=[faults.Interleaving(0.02)],
        edits=(payment_people.bill, payment_people.post_as_program),
        minutes_between_edits=10,
        minutes_between_payments=10,
        paid_status=None,
        partners=[SurplusOwner()],
    )


def losing() -> PaymentWeather:
    """Every third message about a write-back is never seen again, and every third late."""
    return PaymentWeather(
        hours=1,
        faults=[faults.LossyQueues(0.6, WRITE_BACK_WORKER.queue)],
        edits=(payment_people.bill,),
        minutes_between_edits=30,
        minutes_between_payments=5,
        paid_status=None,
    )


def rewriting() -> PaymentWeather:
    """Another tool writes payments anew, and few callbacks tell of it."""
    return PaymentWeather(
        hours=2,
        faults=[faults.LossyCallbacks(0.9)],
        edits=(payment_people.bill, payment_people.rewrite),
        minutes_between_edits=5,
        minutes_between_payments=10,
        paid_status=None,
    )


CASES = (
    Case(broken.NoLease, (ONLY_WHAT_IS_OWED, HELD), crowded),
    Case(broken.NoOwnership, (EACH_ONCE, "owners are right", NO_CAUSE), unclear),
    Case(broken.ReleasesOnAnUnclearAnswer, (ONLY_WHAT_IS_OWED,), crowded),
    Case(broken.PostsBeforeStatingIt, (NEVER_TWICE,), lambda: unclear(crashes=0.05)),
    Case(broken.QuarantineTooShort, (NEVER_TWICE, ONLY_WHAT_IS_OWED), unclear),
    Case(broken.AdoptsAnyEqualPayment, ("R2", EACH_ONCE), typing_people),
    Case(broken.RepeatsPosts, (NEVER_TWICE, ONLY_WHAT_IS_OWED), unclear),
    Case(broken.CancelsWhatIsBlocked, ("ends are wanted",), blocked),
    Case(broken.ReversesWhatIsGone, ("ends are wanted",), blocked),
    Case(broken.ForgetsWhatGotNoAnswer, (WAITS,), silent, seeds=range(40, 46)),
    Case(broken.SetsNoStatus, (STATUS,), moving),
    Case(broken.PutsNoStatusBack, (STATUS,), moving),
    Case(broken.PostsWhatWasCalledOff, ("what was told happens",), called_off),
    Case(broken.WaitsForNoStatus, (STATUS,), unclear_statuses),
    Case(broken.ReportsNoSurplus, ("surplus is shown",), shared_keys),
    Case(broken.WakesNothing, (WAITS,), losing),
    Case(broken.AsksAboutDisagreementsOnly, (AGREE, EACH_ONCE), rewriting, False),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.wiring.__name__)
def test_a_broken_write_back_is_found_and_the_real_one_is_not(case: Case) -> None:
    check(case)
