"""Write-backs that are broken on purpose: each leaves out one thing that looks dispensable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import httpx

from bridge.domain.connection import Connection
from bridge.domain.identity import new_id
from bridge.domain.platform_payment import PlatformPayment
from bridge.domain.problem import ProblemCode, Trouble
from bridge.domain.write_back import Lease, Reason, Timings, WriteBack, WriteBackState
from bridge.payment_ports import LedgerStore, PaymentsGateway, PsaPayment, PsaPayments
from bridge.payments import sweeping
from bridge.payments.sweeping import DueWriteBacks, PaymentSweep
from bridge.ports import ProblemStore
from tests.simulation.payments.wiring import PaymentWiring
from tests.simulation.world import World

SERVER_ERROR = 500
MUTANT = "mutant"
"""What a broken wiring is counted as, among the faults, each time that it does wrong."""


class _Delegate:
    """Is like its target but for what a subclass changes."""

    def __init__(self, target: Any, hit: Callable[[], None] = lambda: None) -> None:
        self._target = target
        self._hit = hit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class BrokenWiring(PaymentWiring):
    """A write-back that does something wrong, and says each time that it did."""

    def hit(self) -> None:
        cast(World, self.observer).note_fault(MUTANT)


# --- the ledger without one of its guards ---


class _LeaselessLedger(_Delegate):
    def take_lease(self, **wanted: Any) -> Lease:
        wanted.pop("now")
        return Lease(token=new_id(), **wanted)

    def release_lease(self, lease: Lease) -> None:
        return

    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        for name in ("holding", "extend_until", "release"):
            options.pop(name, None)
        version: int = self._target.save_write_back(write_back, **options)
        return version


class NoLease(PaymentWiring):
    """Two payments of one invoice are written at once: what one leaves to pay, neither sees."""

    @property
    def ledger(self) -> LedgerStore:
        return _LeaselessLedger(self.outside.ledger)


class _OwnerlessLedger(_Delegate):
    def owners(self, connection_id: str, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
        return {}

    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        for name in ("own_psa_payment_id", "disown_psa_payment_id"):
            options.pop(name, None)
        version: int = self._target.save_write_back(write_back, **options)
        return version


class NoOwnership(PaymentWiring):
    """The second of two equal payments takes the first one's for its own, and is lost."""

    @property
    def ledger(self) -> LedgerStore:
        return _OwnerlessLedger(self.outside.ledger)


class _ReleasingLedger(_Delegate):
    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        if write_back.state is WriteBackState.UNCLEAR and options.get("holding"):
            options |= {"release": True, "extend_until": None}
        version: int = self._target.save_write_back(write_back, **options)
        return version


class ReleasesOnAnUnclearAnswer(PaymentWiring):
    """The next payment of the invoice does not see what is still under way."""

    @property
    def ledger(self) -> LedgerStore:
        return _ReleasingLedger(self.outside.ledger)


class _LateLedger(_Delegate):
    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        if write_back.state is WriteBackState.POSTING:
            unchanged: int = options["expected_version"]
            return unchanged
        version: int = self._target.save_write_back(write_back, **options)
        return version


class PostsBeforeStatingIt(PaymentWiring):
    """The intent is stored with the outcome, which a worker that dies never stores."""

    @cached_property
    def ledger(self) -> LedgerStore:
        return _LateLedger(self.outside.ledger)


# --- too much of a hurry ---


class QuarantineTooShort(PaymentWiring):
    """A request is taken for over when its worker is."""

    @property
    def timings(self) -> Timings:
        return replace(super().timings, in_flight_seconds=0, read_lag_seconds=0)


class _AllOurs(_Delegate):
    def __init__(self, target: PsaPayments, member: str) -> None:
        super().__init__(target)
        self._member = member

    def list_payments(self, *arguments: Any) -> tuple[PsaPayment, ...]:
        rows = self._target.list_payments(*arguments)
        return tuple(replace(row, applied_by=self._member) for row in rows)


class _AllOursGateway(_Delegate):
    def open_payments(self, connection: Connection) -> PsaPayments:
        opened = self._target.open_payments(connection)
        return _AllOurs(opened, connection.member_identifier)


class AdoptsAnyEqualPayment(PaymentWiring):
    """What a person typed for other money of the same amount is taken for ours."""

    @cached_property
    def payments_gateway(self) -> PaymentsGateway:
        return _AllOursGateway(super().payments_gateway)


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


class RepeatsPosts(PaymentWiring):
    """A client that repeats what got no answer repeats posts as well."""

    @cached_property
    def payments_gateway(self) -> PaymentsGateway:
        self.transport = _RepeatingTransport(self.transport)
        return super().payments_gateway


# --- silently not ---


class _ForgettingLedger(_Delegate):
    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        if write_back.state is WriteBackState.MANUAL and write_back.reason in _BLOCKED:
            self._hit()
            write_back = replace(write_back, state=WriteBackState.CANCELLED, reason=Reason.NONE)
        version: int = self._target.save_write_back(write_back, **options)
        return version


_BLOCKED = (Reason.OVERPAYMENT, Reason.PAID_BY_HAND, Reason.INVOICE_LOCKED)


class CancelsWhatIsBlocked(BrokenWiring):
    """What ConnectWise does not take is called off, and nobody hears of it."""

    @property
    def ledger(self) -> LedgerStore:
        return _ForgettingLedger(self.outside.ledger, self.hit)


class _WritingOffLedger(_Delegate):
    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        if write_back.reason is Reason.PAYMENT_GONE:
            self._hit()
            write_back = replace(write_back, state=WriteBackState.REVERSED, reason=Reason.NONE)
        version: int = self._target.save_write_back(write_back, **options)
        return version


class ReversesWhatIsGone(BrokenWiring):
    """A payment that somebody removed in ConnectWise is taken for one that was returned."""

    @property
    def ledger(self) -> LedgerStore:
        return _WritingOffLedger(self.outside.ledger, self.hit)


class _UnansweredLedger(_Delegate):
    def list_due(self, now: datetime, *, limit: int) -> tuple[WriteBack, ...]:
        due = self._target.list_due(now, limit=limit)
        answered = tuple(each for each in due if each.reason is not Reason.NO_ANSWER)
        if len(answered) < len(due):
            self._hit()
        return answered


class ForgetsWhatGotNoAnswer(BrokenWiring):
    """What is shown because ConnectWise is silent for a while is never tried again."""

    @property
    def ledger(self) -> LedgerStore:
        return _UnansweredLedger(self.outside.ledger, self.hit)


class _NeverCalledOffLedger(_Delegate):
    def move_payment(
        self, payment: PlatformPayment, *, write_backs: Sequence[tuple[WriteBack, int]], **more: Any
    ) -> None:
        if any(each.is_called_off for each, _ in write_backs):
            self._hit()
        wanted = [(replace(each, is_called_off=False), version) for each, version in write_backs]
        self._target.move_payment(payment, write_backs=wanted, **more)


class PostsWhatWasCalledOff(BrokenWiring):
    """A payment that was undone while its post was lost is posted once more, and stays."""

    @property
    def ledger(self) -> LedgerStore:
        return _NeverCalledOffLedger(self.outside.ledger, self.hit)


class _HastyLedger(_Delegate):
    def save_write_back(self, write_back: WriteBack, **options: Any) -> int:
        if write_back.status_stated_at is not None:
            self._hit()
        hasty = replace(write_back, status_stated_at=None)
        version: int = self._target.save_write_back(hasty, **options)
        return version


class WaitsForNoStatus(BrokenWiring):
    """A change of status whose answer was lost is taken for one that will not come."""

    @property
    def ledger(self) -> LedgerStore:
        return _HastyLedger(self.outside.ledger, self.hit)


# --- what follows a payment ---


class _Status(_Delegate):
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


class _StatusGateway(_Delegate):
    def __init__(
        self, target: PaymentsGateway, hit: Callable[[], None], *, leaves_out_paid: bool
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

    @cached_property
    def payments_gateway(self) -> PaymentsGateway:
        return _StatusGateway(super().payments_gateway, self.hit, leaves_out_paid=True)


class PutsNoStatusBack(BrokenWiring):
    """The money went back, and the invoice still looks paid."""

    @cached_property
    def payments_gateway(self) -> PaymentsGateway:
        return _StatusGateway(super().payments_gateway, self.hit, leaves_out_paid=False)


class _SilentProblems(_Delegate):
    def report(self, trouble: Trouble, now: datetime) -> None:
        if trouble.code is ProblemCode.PAYMENT_SURPLUS:
            self._hit()
            return
        self._target.report(trouble, now)


class ReportsNoSurplus(BrokenWiring):
    """Nobody hears of a payment by our API member that the bridge did not make."""

    @cached_property
    def problems(self) -> ProblemStore:
        return cast(ProblemStore, _SilentProblems(self.outside.problems, self.hit))


# --- without one of the nets ---


class WakesNothing(BrokenWiring):
    """A write-back whose message got lost is not found again by its time."""

    @cached_property
    def due_write_backs(self) -> DueWriteBacks:
        return cast(DueWriteBacks, SimpleNamespace(wake=self.hit))


class _RarelyAskingSweep(PaymentSweep):
    def compare_all(self) -> int:
        with patch.object(sweeping, "ASKED_DAILY_FOR", timedelta(0)):
            return super().compare_all()


class AsksAboutDisagreementsOnly(BrokenWiring):
    """The mirror is believed where nothing of the invoice shows that its payments changed."""

    @cached_property
    def payment_sweep(self) -> PaymentSweep:
        self.hit()
        return _RarelyAskingSweep(
            ledger=self.ledger,
            records=self.outside.records,
            connections=self.outside.connections,
            reconciler=self.payment_reconciler,
            clock=self.clock,
        )
