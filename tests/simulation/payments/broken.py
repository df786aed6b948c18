"""Write-backs that are broken on purpose: each leaves out one thing that looks dispensable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from unittest.mock import patch

import httpx

from bridge.domain.connection import Connection
from bridge.domain.identity import new_id
from bridge.domain.job import Job
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.problem import ProblemCode, ProblemReport
from bridge.domain.work_messages import JobMessage, TickMessage
from bridge.domain.write_back import Books, Lease, Reason, WriteBack, WriteBackState
from bridge.entrypoints.reconciler_jobs import ReconcilerJobs
from bridge.payments import payment_check
from bridge.payments.held_write_back import HeldWriteBack
from bridge.ports import PsaGateway, PsaPayment, PsaPayments
from tests.fakes.ledger import InMemoryLedgerStore
from tests.simulation.variants import Delegate, as_variant
from tests.simulation.wiring import Wiring
from tests.simulation.world import MUTANT, World

SERVER_ERROR = 500


class BrokenWiring(Wiring):
    """A write-back that does something wrong, and says each time that it did."""

    def hit(self) -> None:
        cast(World, self.observer).note_fault(MUTANT)


# --- the ledger without one of its guards ---


class _LeaselessLedger(Delegate):
    def take_lease(self, **wanted: Any) -> Lease:
        wanted.pop("now")
        return Lease(token=new_id(), **wanted)

    def release_lease(self, lease: Lease) -> None:
        return


class NoLease(Wiring):
    """Two payments of one invoice are written at once: what one leaves to pay, neither sees."""

    def spoil(self) -> None:
        self.ledger = _LeaselessLedger(self.ledger)

    @classmethod
    def surroundings(cls, _: Callable[[], None]) -> AbstractContextManager[object]:
        return patch.object(InMemoryLedgerStore, "_stands", lambda *_: True)


class _OwnerlessLedger(Delegate):
    def owners(self, books: Books, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
        return {}

    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        for name in ("own_psa_payment_id", "disown_psa_payment_id"):
            options.pop(name, None)
        version: int = self._target.save_write_back(write_back, **options)
        return version


class NoOwnership(Wiring):
    """The second of two equal payments takes the first one's for its own, and is lost."""

    def spoil(self) -> None:
        self.ledger = _OwnerlessLedger(self.ledger)


class ReleasesOnAnUnclearAnswer(BrokenWiring):
    """The next payment of the invoice does not see what is still under way."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Callable[[], None]) -> Iterator[None]:
        def lets_go(held: HeldWriteBack) -> None:
            if held.write_back.may_be_in_flight:
                hit()
            held.ledger.release_lease(held.lease)

        with patch.object(HeldWriteBack, "let_go", lets_go):
            yield


class _LateLedger(Delegate):
    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        if write_back.state is WriteBackState.POSTING:
            unchanged: int = options["expected_version"]
            return unchanged
        version: int = self._target.save_write_back(write_back, **options)
        return version


class PostsBeforeStatingIt(Wiring):
    """The intent is stored with the outcome, which a worker that dies never stores."""

    def spoil(self) -> None:
        self.ledger = _LateLedger(self.ledger)


# --- too much of a hurry ---


class QuarantineTooShort(Wiring):
    """A request is taken for over when its worker is."""

    def spoil(self) -> None:
        self.timings = replace(self.timings, in_flight_seconds=0, read_lag_seconds=0)


class _AllOurs(Delegate):
    def __init__(self, target: PsaPayments, member: str) -> None:
        super().__init__(target)
        self._member = member

    def list_payments(self, *arguments: Any) -> tuple[PsaPayment, ...]:
        rows = self._target.list_payments(*arguments)
        return tuple(replace(row, applied_by=self._member) for row in rows)


class _AllOursGateway(Delegate):
    def open_payments(self, connection: Connection) -> PsaPayments:
        opened = self._target.open_payments(connection)
        return _AllOurs(opened, connection.member_identifier)


class AdoptsAnyEqualPayment(Wiring):
    """What a person typed for other money of the same amount is taken for ours."""

    def spoil(self) -> None:
        self.gateway = _AllOursGateway(self.gateway)


class _RepeatingTransport(httpx.BaseTransport):
    def __init__(self, target: httpx.BaseTransport) -> None:
        self._target = target

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._target.handle_request(request)
        except httpx.ReadTimeout:
            return self._target.handle_request(request)
        if response.status_code >= SERVER_ERROR:
            return self._target.handle_request(request)
        return response


class RepeatsPosts(Wiring):
    """A client that repeats what got no answer repeats posts as well."""

    def spoil(self) -> None:
        self.transport = _RepeatingTransport(self.transport)


# --- silently not ---


class _ForgettingLedger(Delegate):
    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        if write_back.state is WriteBackState.MANUAL and write_back.reason in _BLOCKED:
            self._hit()
            write_back = replace(write_back, state=WriteBackState.CANCELLED, reason=Reason.NONE)
        version: int = self._target.save_write_back(write_back, **options)
        return version


_BLOCKED = (Reason.OVERPAYMENT, Reason.PAID_BY_HAND, Reason.INVOICE_LOCKED)


class CancelsWhatIsBlocked(BrokenWiring):
    """What ConnectWise does not take is called off, and nobody hears of it."""

    def spoil(self) -> None:
        self.ledger = _ForgettingLedger(self.ledger, self.hit)


class _WritingOffLedger(Delegate):
    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        if write_back.reason is Reason.PAYMENT_GONE:
            self._hit()
            write_back = replace(write_back, state=WriteBackState.REVERSED, reason=Reason.NONE)
        version: int = self._target.save_write_back(write_back, **options)
        return version


class ReversesWhatIsGone(BrokenWiring):
    """A payment that somebody removed in ConnectWise is taken for one that was returned."""

    def spoil(self) -> None:
        self.ledger = _WritingOffLedger(self.ledger, self.hit)


class _UnansweredLedger(Delegate):
    def list_due(self, now: datetime, **wanted: Any) -> tuple[WriteBack, ...]:
        due = self._target.list_due(now, **wanted)
        answered = tuple(each for each in due if each.reason is not Reason.NO_ANSWER)
        if len(answered) < len(due):
            self._hit()
        return answered


class ForgetsWhatGotNoAnswer(BrokenWiring):
    """What is shown because ConnectWise is silent for a while is never tried again."""

    def spoil(self) -> None:
        self.ledger = _UnansweredLedger(self.ledger, self.hit)


class _NeverCalledOffLedger(Delegate):
    def move_payment(
        self, payment: PlatformPayment, *, write_backs: Sequence[tuple[WriteBack, int]], **more: Any
    ) -> None:
        if any(each.is_called_off for each, _ in write_backs):
            self._hit()
        wanted = [(replace(each, is_called_off=False), version) for each, version in write_backs]
        self._target.move_payment(payment, write_backs=wanted, **more)


class PostsWhatWasCalledOff(BrokenWiring):
    """A payment that was undone while its post was lost is posted once more, and stays."""

    def spoil(self) -> None:
        self.ledger = _NeverCalledOffLedger(self.ledger, self.hit)


class WaitsForNoStatus(BrokenWiring):
    """A change of status whose answer was lost is taken for one that will not come."""

    @classmethod
    @contextmanager
    def surroundings(cls, hit: Callable[[], None]) -> Iterator[None]:
        def never(write_back: WriteBack) -> None:
            if write_back.known_history.status_unclear_at is not None:
                hit()

        with patch.object(WriteBack, "status_unclear_at", property(never)):
            yield


# --- what follows a payment ---


class _Status(Delegate):
    """Sets none of the statuses that ``is_left_out`` names."""

    def __init__(
        self, target: PsaPayments, hit: Callable[[], None], is_left_out: Callable[[int], bool]
    ) -> None:
        super().__init__(target, hit)
        self._is_left_out = is_left_out

    def set_status(self, invoice_source_id: int, status_id: int, *, is_closed: bool) -> None:
        if self._is_left_out(status_id):
            self._hit()
            return
        self._target.set_status(invoice_source_id, status_id, is_closed=is_closed)


class _StatusGateway(Delegate):
    def __init__(
        self, target: PsaGateway, hit: Callable[[], None], *, leaves_out_paid: bool
    ) -> None:
        super().__init__(target, hit)
        self._leaves_out_paid = leaves_out_paid

    def open_payments(self, connection: Connection) -> PsaPayments:
        opened = self._target.open_payments(connection)
        paid_id = connection.write_back.paid_status_id

        def is_left_out(status_id: int) -> bool:
            return (status_id == paid_id) is self._leaves_out_paid

        return cast(PsaPayments, _Status(opened, self._hit, is_left_out))


class SetsNoStatus(BrokenWiring):
    """The invoice is paid, and goes on looking as if it were not."""

    def spoil(self) -> None:
        self.gateway = _StatusGateway(self.gateway, self.hit, leaves_out_paid=True)


class PutsNoStatusBack(BrokenWiring):
    """The money went back, and the invoice still looks paid."""

    def spoil(self) -> None:
        self.gateway = _StatusGateway(self.gateway, self.hit, leaves_out_paid=False)


class _SilentProblems(Delegate):
    def report(self, trouble: ProblemReport, now: datetime) -> None:
        if trouble.code is ProblemCode.PAYMENT_SURPLUS:
            self._hit()
            return
        self._target.report(trouble, now)


class ReportsNoSurplus(BrokenWiring):
    """Nobody hears of a payment by our API member that the bridge did not make."""

    def spoil(self) -> None:
        self.problems = _SilentProblems(self.problems, self.hit)


# --- without one of the nets ---


class _SleepingLedger(Delegate):
    def list_due(self, now: datetime, **_: Any) -> tuple[WriteBack, ...]:
        self._hit()
        return ()


class WakesNothing(BrokenWiring):
    """A write-back whose message got lost is not found again by its time."""

    def spoil(self) -> None:
        self.ledger = _SleepingLedger(self.ledger, self.hit)


class _RarelyAskingJobs(ReconcilerJobs):
    hit: Callable[[], None]

    def work(self, message: JobMessage | TickMessage) -> None:
        if not isinstance(message, JobMessage) or message.job is not Job.PAYMENTS:
            super().work(message)
            return
        self.hit()
        with patch.object(payment_check, "ASKED_DAILY_FOR", timedelta(0)):
            super().work(message)


class AsksAboutDisagreementsOnly(BrokenWiring):
    """The mirror is believed where nothing of the invoice shows that its payments changed."""

    def spoil(self) -> None:
        self.reconciler_jobs = as_variant(self.reconciler_jobs, _RarelyAskingJobs, hit=self.hit)
