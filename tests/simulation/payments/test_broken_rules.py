"""Write-backs that break one rule of the domain are found; the real one, in the same weather, is
not."""

from __future__ import annotations

import pytest

from bridge.domain.platform_payment import WriteBackPolicy, WriteBackWhen
from bridge.domain.write_back import Timings
from connectwise_sandbox.faults import Effect
from tests.simulation import faults
from tests.simulation.payments import broken_rules
from tests.simulation.payments import people as payment_people
from tests.simulation.payments.accountants import HastyAccountant
from tests.simulation.payments.broken_cases import Case, check
from tests.simulation.payments.episode import PaymentWeather
from tests.simulation.payments.faults import UnclearChanges
from tests.simulation.payments.frozen_workers import FrozenWorkers
from tests.simulation.payments.odd_answers import (
    DoubledRequests,
    GatewayAnswers,
    Lies,
    TooLateEffects,
)
from tests.simulation.payments.stops import Stops
from tests.simulation.payments.troubles import RightsToPayRevoked

NEVER_TWICE = "R1 never twice"
ONLY_WHAT_IS_OWED = "only what is owed"
EACH_ONCE = "each allocation once"
NOT_ADOPTED = "others are not adopted"
LAG_SECONDS = 59.0
IN_FLIGHT_SECONDS = float(Timings().in_flight_seconds)
LATE_READS = {
    "payment_list_delay_seconds": LAG_SECONDS,
    "balance_delay_seconds": LAG_SECONDS,
}


def gateways() -> PaymentWeather:
    """Every second change is answered by a gateway."""
    return PaymentWeather(
        hours=1,
        faults=[GatewayAnswers(0.5), faults.Interleaving(0.02)],
        edits=(payment_people.bill,),
        minutes_between_edits=10,
        minutes_between_payments=3,
        paid_status=None,
    )


def late() -> PaymentWeather:
    """Most posts take effect minutes after their answer was lost."""
    return PaymentWeather(
        hours=1,
        faults=[UnclearChanges(0.8, effects=[Effect.LATE_EFFECT])],
        edits=(payment_people.bill,),
        minutes_between_edits=10,
        minutes_between_payments=3,
        paid_status=None,
    )


def latest() -> PaymentWeather:
    """Posts leave as late as a worker lives, take effect as late as assumed, and show as late."""
    return PaymentWeather(
        hours=1.5,
        faults=[
            FrozenWorkers(0.7, at_socket_seconds=55),
            UnclearChanges(
                0.9, effects=[Effect.LATE_EFFECT], earliest_seconds=IN_FLIGHT_SECONDS - 5
            ),
        ],
        edits=(payment_people.bill,),
        minutes_between_edits=10,
        minutes_between_payments=4,
        paid_status=None,
    )


def shared_member() -> PaymentWeather:
    """Another program posts, as our member, what is and what is almost what we post."""
    return PaymentWeather(
        hours=2,
        faults=[
            UnclearChanges(0.6, effects=[Effect.TIMEOUT_BEFORE_EFFECT, Effect.LATE_EFFECT]),
            faults.Interleaving(0.02),
        ],
        edits=(
            payment_people.bill,
            payment_people.post_equal_as_program,
            payment_people.post_alike_as_program,
        ),
        minutes_between_edits=2,
        minutes_between_payments=3,
        paid_status=None,
    )


def clicking() -> PaymentWeather:
    """The same, with somebody who clicks whatever is offered, and much that goes back."""
    return PaymentWeather(
        hours=3,
        faults=[faults.Interleaving(0.02)],
        edits=(payment_people.bill, payment_people.post_equal_as_program),
        minutes_between_edits=4,
        minutes_between_payments=2,
        paid_status=None,
        partners=[HastyAccountant(3), Stops(hours_between=0.3, longest_hours=0.3)],
    )


def lying() -> PaymentWeather:
    """Most answers to a post name a payment of before."""
    return PaymentWeather(
        hours=1,
        faults=[Lies(0.7, "id of before")],
        edits=(payment_people.bill, payment_people.type_equal_payment),
        minutes_between_edits=5,
        minutes_between_payments=3,
        paid_status=None,
    )


def frozen() -> PaymentWeather:
    """Workers are frozen, and others take their invoices, for which several payments wait."""
    return PaymentWeather(
        hours=2,
        faults=[FrozenWorkers(0.4), UnclearChanges(0.6), faults.Interleaving(0.02)],
        edits=(payment_people.bill,),
        minutes_between_edits=20,
        minutes_between_payments=1,
        paid_status=None,
    )


def lost() -> PaymentWeather:
    """Hardly any post ever takes effect."""
    return PaymentWeather(
        hours=4,
        faults=[
            UnclearChanges(0.9, methods={"POST"}, effects=[Effect.TIMEOUT_BEFORE_EFFECT]),
        ],
        edits=(payment_people.bill,),
        minutes_between_edits=60,
        minutes_between_payments=30,
        paid_status=None,
    )


def refused() -> PaymentWeather:
    """Posts get lost, their repetitions are refused for a while, and somebody clicks."""
    return PaymentWeather(
        hours=5,
        faults=[UnclearChanges(0.6, effects=[Effect.TIMEOUT_BEFORE_EFFECT])],
        troubles=[RightsToPayRevoked(hours_between=0.4, longest_hours=0.4)],
        edits=(payment_people.bill,),
        minutes_between_edits=15,
        minutes_between_payments=4,
        paid_status=None,
        partners=[HastyAccountant(3)],
    )


def too_late() -> PaymentWeather:
    """Every third post takes effect later than assumed, and nothing on the invoice shows it."""
    return PaymentWeather(
        hours=2,
        faults=[TooLateEffects(0.3)],
        edits=(payment_people.bill,),
        minutes_between_edits=15,
        minutes_between_payments=8,
        paid_status=None,
    )


def doubled() -> PaymentWeather:
    """Every second request is sent twice, and somebody dismisses what is shown of it."""
    return PaymentWeather(
        hours=3,
        faults=[DoubledRequests(0.5)],
        edits=(payment_people.bill,),
        minutes_between_edits=10,
        minutes_between_payments=6,
        paid_status=None,
        partners=[HastyAccountant(3)],
    )


def stopped() -> PaymentWeather:
    """Payments are stopped half of the time."""
    return PaymentWeather(
        hours=2,
        faults=[faults.Interleaving(0.02)],
        edits=(payment_people.bill,),
        minutes_between_edits=10,
        minutes_between_payments=3,
        paid_status=None,
        partners=[Stops(hours_between=0.3, longest_hours=0.5)],
    )


def young() -> PaymentWeather:
    """Much is paid at any time of the hour, while lists show it a minute later."""
    return PaymentWeather(
        hours=2,
        faults=[faults.Interleaving(0.05)],
        edits=(payment_people.bill,),
        minutes_between_edits=10,
        minutes_between_payments=1,
        policy=WriteBackPolicy(when=WriteBackWhen.INITIATED),
        paid_status=None,
    )


CASES = (
    Case(broken_rules.BelievesGateways, (NEVER_TWICE, ONLY_WHAT_IS_OWED), gateways),
    Case(broken_rules.BelievesEarlyAbsence, (NEVER_TWICE, ONLY_WHAT_IS_OWED), late),
    Case(
        broken_rules.LeavesOutTheReadLag,
        (NEVER_TWICE, ONLY_WHAT_IS_OWED),
        latest,
        switches=LATE_READS,
        seeds=range(12, 24),
    ),
    Case(
        broken_rules.JudgesWhatIsYoung,
        ("what stands is not called gone",),
        young,
        switches=LATE_READS,
    ),
    Case(broken_rules.AdoptsAnotherDay, (NOT_ADOPTED, EACH_ONCE, "R2"), shared_member),
    Case(broken_rules.AdoptsAnotherAmount, (NOT_ADOPTED, EACH_ONCE, "R2"), shared_member),
    Case(broken_rules.AdoptsWithNothingStated, (NOT_ADOPTED, "R2"), clicking),
    Case(broken_rules.AdoptsWhatWasListedBefore, (NOT_ADOPTED, "R2"), lying),
    Case(broken_rules.DeletesAdoptedPayments, ("R2",), clicking),
    Case(broken_rules.AsksForNoLease, ("intents are held",), frozen),
    Case(broken_rules.PostsWithoutLimit, ("posts are few",), lost),
    Case(broken_rules.OffersRetryAnywhere, ("looks post nothing",), refused, seeds=range(30, 50)),
    Case(
        broken_rules.LooksNeverLate,
        ("doubles are shown in time",),
        too_late,
        are_invoices_touched=False,
        seeds=range(12, 24),
    ),
    Case(broken_rules.DismissesWhatMayBeOurs, ("owners are right",), doubled),
    Case(broken_rules.IgnoresStops, ("stops hold",), stopped),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.wiring.__name__)
def test_a_broken_rule_is_found_and_the_real_one_is_not(case: Case) -> None:
    check(case)
