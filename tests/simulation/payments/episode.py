"""One seed's story of payments: bad days among the books, healing, calm, and the reckoning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import cast

from bridge.domain.job import Job
from bridge.domain.payment_control import PAYMENTS_AT_FIRST
from bridge.domain.platform_payment import PlatformPaymentState, WriteBackPolicy, WriteBackWhen
from bridge.entrypoints.reconciler_jobs import DUE_WRITE_BACKS
from connectwise_sandbox.switches import Switches
from tests.fakes.clock import START
from tests.simulation import endings, faults, invariants, people, troubles
from tests.simulation.actors import (
    Callbacks,
    Messages,
    PatientTimetable,
    Time,
    Timetable,
    starting,
    timetables,
)
from tests.simulation.episode import Outcome, Weather, play
from tests.simulation.functions import WORKERS, WRITE_BACK_WORKER, parker_of
from tests.simulation.parts import Actor, Invariant
from tests.simulation.payments import accountants
from tests.simulation.payments import people as payment_people
from tests.simulation.payments import troubles as payment_troubles
from tests.simulation.payments.endings import all_endings
from tests.simulation.payments.faults import BadLedger, Rivals, UnclearChanges
from tests.simulation.payments.frozen_workers import FrozenWorkers
from tests.simulation.payments.odd_answers import (
    BusyAnswers,
    DoubledRequests,
    GatewayAnswers,
    Lies,
    TooLateEffects,
)
from tests.simulation.payments.partners import ChangesOfMind, SurplusOwner
from tests.simulation.payments.platform import PlatformServices
from tests.simulation.payments.promises import all_promises
from tests.simulation.payments.rows_ending import (
    EachAllocationOnce,
    ForeignPaymentsStay,
    OthersAreNotAdopted,
    OwnersAreRight,
)
from tests.simulation.payments.statement_rules import all_statement_rules
from tests.simulation.payments.status_ending import StatusFollowsMoney
from tests.simulation.payments.stops import BrakeHasCause, Stops, StopsHold
from tests.simulation.payments.sums_ending import SumsAgree
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.wiring import Wiring
from tests.simulation.world import Books, World

CLEAN_SHARE = 0.25
"""In so many stories only ConnectWise and people do what they should not, and times are kept."""
SWEEPS_EVERY = timedelta(hours=6)
PAID = "Paid in Full"
SENT = "Sent via Portal"
_S = PlatformPaymentState
POLICIES = (
    WriteBackPolicy(),
    WriteBackPolicy(),
    WriteBackPolicy(when=WriteBackWhen.INITIATED),
    WriteBackPolicy(reverse_on=frozenset({_S.CHARGED_BACK, _S.VOIDED})),
)


@dataclass(frozen=True)
class PaymentOutcome(Outcome):
    """``posted`` and ``reversed`` count payments that took effect in ConnectWise."""

    posted: int = 0
    reversed: int = 0
    confirmed: int = 0


@dataclass(frozen=True)
class PaymentWeather(Weather):
    """How payments come in, beside what goes wrong."""

    minutes_between_payments: float = 15.0
    policy: WriteBackPolicy = field(default_factory=WriteBackPolicy)
    paid_status: str | None = PAID
    partners: Sequence[Actor] = ()
    payments_at_first: int = PAYMENTS_AT_FIRST
    """So many posts an hour never trip the brake."""


def any_weather(seed: int) -> PaymentWeather:
    """Return bad days as bad as this seed makes them."""
    dice = Random(f"payment weather {seed}")
    is_clean = dice.random() < CLEAN_SHARE

    def rate(*choices: float) -> float:
        """Return how often something that may hold the bridge up goes wrong."""
        chosen = dice.choice(choices)
        return 0.0 if is_clean else chosen

    def odd(*choices: float) -> float:
        return dice.choice(choices)

    brake_at = dice.choice((PAYMENTS_AT_FIRST, PAYMENTS_AT_FIRST, 3, 8))
    return PaymentWeather(
        hours=dice.uniform(2, 8),
        faults=[
            faults.Interleaving(rate(0.02, 0.05, 0.1)),
            faults.BadNetwork(rate(0, 0.01, 0.05)),
            faults.Outage(rate(0, 0, 0.0005)),
            faults.Crashes(rate(0, 0.002, 0.01)),
            faults.BadStores(rate(0, 0.001, 0.005)),
            faults.Repetition(rate(0, 0.02, 0.1)),
            faults.LossyCallbacks(rate(0, 0.1, 0.4)),
            faults.LossyQueues(rate(0, 0.02, 0.1), "hints", WRITE_BACK_WORKER.queue),
            BadLedger(rate(0, 0.01, 0.03)),
            FrozenWorkers(rate(0, 0.02, 0.1)),
            TooLateEffects(odd(0, 0, 0.02, 0.1)),
            DoubledRequests(odd(0, 0, 0.02, 0.1)),
            GatewayAnswers(odd(0, 0.05, 0.2)),
            BusyAnswers(odd(0, 0.02, 0.1)),
            UnclearChanges(odd(0.05, 0.2, 0.5)),
            Lies(odd(0, 0, 0.05, 0.2)),
        ],
        troubles=[
            trouble
            for trouble in (
                troubles.RightRevoked(hours_between=4, longest_hours=1),
                payment_troubles.RightsToPayRevoked(hours_between=4, longest_hours=1),
                troubles.KeysRejected(hours_between=6, longest_hours=1),
                troubles.Upgrades(),
                payment_troubles.CorruptPayments(hours_between=4, longest_hours=1),
                payment_troubles.Disconnected(hours_between=6, longest_hours=1),
            )
            if dice.random() < 0.4 and not is_clean
        ],
        edits=payment_people.EDITS,
        minutes_between_edits=dice.choice((10.0, 20.0, 60.0)),
        sweeps_every=SWEEPS_EVERY,
        minutes_between_payments=dice.choice((5.0, 15.0, 40.0)),
        policy=dice.choice(POLICIES),
        paid_status=dice.choice((PAID, PAID, SENT, None)),
        partners=[
            ChangesOfMind((PAID, SENT, None)),
            SurplusOwner(),
            *([accountants.HastyAccountant()] if dice.random() < 0.5 else []),
            *([Stops()] if dice.random() < 0.4 or brake_at < PAYMENTS_AT_FIRST else []),
        ],
        payments_at_first=brake_at,
    )


def any_books(seed: int) -> Books:
    """Return small books with the unproven behaviour of ConnectWise as this seed decides it.

    Where payments do not touch their invoice, nothing of it shows that a copy has taken the place
    of one; only the daily question about each paid invoice finds that out.
    """
    dice = Random(f"payment books {seed}")
    switches = Switches(
        payment_touches_last_updated=dice.random() < 0.85,
        payment_fires_invoice_callback=dice.random() < 0.8,
        payment_date_keeps_time=dice.random() < 0.3,
        balance_delay_seconds=dice.choice((0, 0, 20, 45)),
        payment_list_delay_seconds=dice.choice((0, 0, 20, 45)),
        invoice_list_delay_seconds=dice.choice((0, 0, 30)),
        payment_ids=dice.choice(("growing", "shuffled")),
        payment_day_shift=dice.choice((0, 0, -1, 1)),
        second_payment=dice.choice(("appended", "appended", "appended", "replaces", "refused")),
        overpayment=dice.choice(("accepted", "capped", "refused")),
        locked_invoice_payments=dice.choice(("refused", "accepted")),
        locked_invoice_status=dice.choice((400, 403, 409)),
        wrong_keys_status=dice.choice((401, 404)),
        callback_server_error=dice.choice(("lost", "retried")),
        delete_fires_callback=dice.random() < 0.8,
        merge_touches_last_updated=True,
    )
    return Books(
        customers=3,
        invoices=dice.choice((3, 6)),
        clock_skew_seconds=dice.choice((0, 0, -45, 45)),
        worker_skew_seconds=dice.choice((0, 3, 5)),
        index_lag_seconds=dice.choice((0, 0, 2, 10)),
        switches=switches,
    )


def all_invariants() -> list[Invariant]:
    return [
        invariants.NothingOlder(),
        invariants.ArchivedOnProof(),
        endings.InvoicesAgree(),
        endings.QueuesAreEmpty(),
        endings.NoRunIsStuck(),
        EachAllocationOnce(),
        *all_endings(),
        OwnersAreRight(),
        OthersAreNotAdopted(),
        ForeignPaymentsStay(),
        SumsAgree(),
        StatusFollowsMoney(),
        *all_statement_rules(),
        StopsHold(),
        BrakeHasCause(),
        *all_promises(),
    ]


def build_world(
    seed: int,
    weather: PaymentWeather,
    *,
    books: Books | None = None,
    wiring: type[Wiring] = Wiring,
    checks: Sequence[Invariant] | None = None,
) -> PaymentWorld:
    """Put a world together from the lists of parts."""
    dice = Random(f"payment start {seed}")
    starts_at = START + timedelta(minutes=dice.randint(0, 24 * 60))
    sweeps_at = starts_at + timedelta(hours=dice.uniform(1, 6))
    workers = (*WORKERS, WRITE_BACK_WORKER)
    actors: list[Actor] = [
        *(Messages(function) for function in workers),
        *(Messages(parker_of(function)) for function in workers),
        Callbacks(),
        *timetables(starts_at, sweeps_at, weather.sweeps_every),
        *payment_timetables(starts_at),
        PlatformServices(weather.minutes_between_payments),
        people.ConnectWiseStaff(weather.edits, weather.minutes_between_edits),
        people.Accountant(),
        accountants.PaymentAccountant(),
        *weather.partners,
        Rivals(),
        *weather.troubles,
        Time(),
    ]
    world = PaymentWorld(
        seed,
        policy=weather.policy,
        paid_status=weather.paid_status,
        payments_at_first=weather.payments_at_first,
        books=books or any_books(seed),
        actors=actors,
        faults=weather.faults,
        invariants=all_invariants() if checks is None else checks,
        wiring=wiring,
        starts_at=starts_at,
    )
    note_books(world)
    return world


def note_books(world: PaymentWorld) -> None:
    """Count which unproven behaviour the story has, once each."""
    switches, books = world.engine.switches, world.books
    played = {
        "lists of payments lag": switches.payment_list_delay_seconds,
        "lists of invoices lag": switches.invoice_list_delay_seconds,
        "balances lag": switches.balance_delay_seconds,
        "ids do not grow": switches.payment_ids == "shuffled",
        f"days are shifted by {switches.payment_day_shift}": switches.payment_day_shift,
        "workers' clocks differ": books.worker_skew_seconds,
        "the ledger's indexes lag": books.index_lag_seconds,
    }
    for name, is_so in played.items():
        if is_so:
            world.note_fault(f"books: {name}")


def payment_timetables(starts_at: datetime) -> list[Timetable]:
    """Return the schedules of the service stack for payments."""
    minute, quarter, hour = timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1)
    return [
        PatientTimetable(
            "due-write-backs",
            period=minute,
            next_at=starts_at,
            work=starting(DUE_WRITE_BACKS),
            is_idle=_is_nothing_due,
        ),
        *(
            Timetable(name, period=period, next_at=starts_at + period, work=starting(job))
            for name, period, job in (
                ("heal-write-backs", quarter, Job.HEAL_WRITE_BACKS),
                ("payments", hour, Job.PAYMENTS),
            )
        ),
    ]


def _is_nothing_due(world: World) -> bool:
    """Tell whether no write-back is to be looked at now or under way, and no doubled payment is to
    be shown by now."""
    payments, now = cast(PaymentWorld, world), world.clock.now()
    is_double_due = any(each.due_at <= now for each in payments.doubles.pending)
    return not is_double_due and not payments.ledger.is_awake(now)


def play_world(world: PaymentWorld, *, bad_hours: float) -> PaymentOutcome:
    """Play a world's story to its end, or to the first step that breaks an invariant."""
    outcome = play(world, bad_hours=bad_hours)
    return PaymentOutcome(
        **vars(outcome),
        posted=world.provenance.posted,
        reversed=world.provenance.deleted,
        confirmed=sum(each.psa_payment_id is not None for each in world.write_backs()),
    )


def play_seed(seed: int, wiring: type[Wiring] = Wiring) -> PaymentOutcome:
    """Play the story that a seed alone decides."""
    weather = any_weather(seed)
    return play_world(build_world(seed, weather, wiring=wiring), bad_hours=weather.hours)
