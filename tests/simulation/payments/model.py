"""Every way in which a few workers, crashes, lost answers and minutes can follow each other.

The real worker runs against a ledger and a ConnectWise that are small enough to be copied. A
worker is what it was answered so far: to let it make one more call, it is run again from its
beginning with those answers, makes the call, and is given up before the next one. So all
interleavings of calls can be walked through, each state once. Time passes in minutes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from bridge.domain.platform_payment import Target
from bridge.domain.write_back import Timings, WriteBack
from bridge.domain.write_back.changes import retarget
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION
from tests.fakes.clock import START, FakeClock
from tests.fakes.ledger import InMemoryLedgerStore

MINUTE = timedelta(minutes=1)
PAID_ON = date(2026, 3, 1)
INVOICE = 1001
AMOUNT_MINOR = 11000
TIMINGS = Timings(worker_seconds=60, in_flight_seconds=120, read_lag_seconds=60)
"""As short as whole minutes allow: a worker lives for one, a request for two."""


@dataclass(frozen=True)
class Limits:
    """What may happen at most, in any order.

    ``payments`` are equal ones of the same invoice, which owes ``owed_minor``. A request really
    takes effect within ``in_flight_minutes`` and is listed ``lag_minutes`` later, whatever the
    bridge assumes; with ``is_balance_late`` the balance shows it no sooner. With ``is_returned``
    the first payment may be returned at any moment.
    """

    payments: int = 1
    owed_minor: int = 3 * AMOUNT_MINOR
    deliveries: int = 3
    crashes: int = 1
    lost_answers: int = 2
    minutes: int = 6
    workers_at_once: int = 2
    in_flight_minutes: int = 2
    lag_minutes: int = 0
    is_balance_late: bool = False
    is_returned: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A payment in ConnectWise, with the minute in which it took effect."""

    psa_payment_id: int
    amount_minor: int
    since: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request under way, which posts or deletes a payment until ``latest`` at the latest."""

    psa_payment_id: int
    is_deletion: bool
    latest: int


@dataclass(frozen=True, slots=True)
class Worker:
    """``answers`` is all that it knows: what each of its calls returned or raised."""

    name: str
    write_back_id: str
    since: int
    answers: tuple[Any, ...] = ()


class SmallLedger(InMemoryLedgerStore):
    """A ledger that is copied at each step, and keeps no histories."""

    def copied(self) -> SmallLedger:
        other = object.__new__(SmallLedger)
        vars(other).update(vars(self), _lock=threading.Lock())
        for name, value in vars(self).items():
            if isinstance(value, dict):
                setattr(other, name, dict(value))
        return other

    @property
    def key(self) -> tuple[object, ...]:
        shelves = (self._write_backs, self._leases, self._owners)
        return tuple(frozenset(shelf.items()) for shelf in shelves)

    def _note(self, events: Any, key: Any, value: Any, version: int) -> None:
        return


@dataclass
class State:
    """One moment; the numbers at its end are what may still happen."""

    ledger: SmallLedger
    minute: int = 0
    rows: tuple[Row, ...] = ()
    requests: tuple[Request, ...] = ()
    workers: tuple[Worker, ...] = ()
    last_id: int = 0
    deliveries: int = 0
    crashes: int = 0
    lost_answers: int = 0
    may_return: bool = False

    @property
    def now(self) -> datetime:
        return START + self.minute * MINUTE

    @property
    def world(self) -> tuple[object, ...]:
        """What there is, whoever is at work."""
        return (self.ledger.key, self.minute, self.rows, self.requests)

    @property
    def key(self) -> tuple[object, ...]:
        left = (self.deliveries, self.crashes, self.lost_answers, self.may_return)
        return (*self.world, self.workers, left)

    def changed(self, **changes: Any) -> State:
        """Return the state after a change, with a ledger of its own."""
        return replace(self, ledger=self.ledger.copied(), **changes)

    def tokens(self) -> set[str]:
        """Return the names of those who took a lease that still stands, dead or alive."""
        return {lease.token for lease in self.ledger._leases.values()}

    def write_backs(self) -> list[WriteBack]:
        return list(self.ledger.write_backs_of_invoice(CONNECTION, INVOICE))


def first_state(limits: Limits) -> State:
    """Return the moment after the payments were recorded."""
    ledger = SmallLedger(FakeClock())
    for number in range(limits.payments):
        payment = a_platform_payment(f"pay-{number}", received_on=PAID_ON)
        ledger.record(payment, write_backs_for(payment))
    return State(
        ledger,
        deliveries=limits.deliveries,
        crashes=limits.crashes,
        lost_answers=limits.lost_answers,
        may_return=limits.is_returned,
    )


def land(state: State, request: Request) -> State:
    """Let a request take effect."""
    requests = tuple(each for each in state.requests if each != request)
    if request.is_deletion:
        rows = tuple(row for row in state.rows if row.psa_payment_id != request.psa_payment_id)
    else:
        rows = (*state.rows, Row(request.psa_payment_id, AMOUNT_MINOR, state.minute))
    return state.changed(requests=requests, rows=rows)


def returned(state: State) -> State:
    """Let the first payment be returned: its write-back is to be taken out."""
    after = state.changed(may_return=False)
    first = after.write_backs()[0]
    version = after.ledger.get_write_back(CONNECTION, first.write_back_id).version
    after.ledger.save_write_back(
        retarget(first, Target.ABSENT, state.now), expected_version=version
    )
    return after


def minute_later(state: State) -> State:
    """Let a minute pass: workers end at their time-out."""
    now = state.minute + 1
    alive = tuple(
        each for each in state.workers if (now - each.since) * 60 < TIMINGS.worker_seconds
    )
    return state.changed(minute=now, workers=alive)
