"""One worker of the model: the real one, run again with what it was answered, one call on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from bridge.domain.connection import PaymentFacts
from bridge.domain.errors import ConflictError, OutcomeUnknownError, UnavailableError
from bridge.domain.money import Currency
from bridge.domain.write_back import Timings
from bridge.ports import PostedPayment, PsaBalance, PsaPayment, Stored
from bridge.wiring import use_cases
from bridge.wiring.ports import Ports
from tests.builders.operations import a_connection
from tests.builders.records import CONNECTION, USD
from tests.fakes import ledger as ledger_module
from tests.fakes.clock import START
from tests.simulation.payments.model import (
    AMOUNT_MINOR,
    PAID_ON,
    Limits,
    Request,
    Row,
    State,
    Worker,
    land,
)

CONNECTION_OF_MODEL = a_connection(payment_facts=PaymentFacts(shows_members=True, proven_at=START))
_SILENT = SimpleNamespace(
    send=lambda *_, **__: None,
    report=lambda *_: None,
    resolve=lambda *_: None,
    get=lambda *_: None,
    note=lambda *_, **__: None,
)
"""Hints, queued looks, problems and measures, which the model leaves out."""
_EMPTY = SimpleNamespace(get=lambda *_: Stored(None, 0))
"""A mirror that shows nothing."""
_UNSTOPPED = SimpleNamespace(
    stop_of=lambda _: None,
    restore_mark=lambda: None,
    get_rate=lambda _: Stored(None, 0),
    save_rate=lambda _, *, expected_version: expected_version + 1,
)
"""Nobody stops payments in the model, and no brake does."""


class SuspendedError(BaseException):
    """The worker waits before its next call. No code of the bridge may catch this."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An answer that is an error."""

    error: type[Exception]
    arguments: tuple[object, ...] = ()


Fate = str
"""How one call goes: ``well``, or in one of the ways below."""
LOST_CHANGES: tuple[Fate, ...] = ("lost after", "late", "never")
LOST_SAVES: tuple[Fate, ...] = ("conflict before", "conflict after", "lost after")
CHANGES = ("post_payment", "delete_payment")


@dataclass
class _Call:
    """Replays a worker's answers, then makes one more call, with a fate of its own."""

    state: State
    worker: Worker
    limits: Limits
    fate: Fate
    answers: list[Any] = field(default_factory=list)
    position: int = 0
    made: str | None = None
    runs_on: bool = False

    def __post_init__(self) -> None:
        self.answers = list(self.worker.answers)

    def make(self, name: str, do: Callable[[], Any]) -> Any:
        if self.position == len(self.answers):
            if self.made is not None and not self.runs_on:
                raise SuspendedError
            self.made = name
            self.answers.append(self._answered(do))
        answer = self.answers[self.position]
        self.position += 1
        if isinstance(answer, Raised):
            raise answer.error(*answer.arguments)
        return dict(answer) if isinstance(answer, frozenset) else answer

    def now(self) -> datetime:
        """Reading the clock is no call, but part of what the worker knows."""
        if self.position == len(self.answers):
            self.answers.append(self.state.now)
        self.position += 1
        moment: datetime = self.answers[self.position - 1]
        return moment

    def _answered(self, do: Callable[[], Any]) -> Any:
        try:
            answer = do()
        except (ConflictError, OutcomeUnknownError, UnavailableError) as error:
            until = getattr(error, "until", None)
            return Raised(type(error), ("told before",) if until is None else (until,))
        return frozenset(answer.items()) if isinstance(answer, Mapping) else answer

    # --- the ports ---------------------------------------------------------------------------

    def drive(self, timings: Timings) -> None:
        """Have the write-back driven by the real worker, on ports whose calls are made here."""
        ports = SimpleNamespace(
            ledger=_Ledger(self),
            connections=SimpleNamespace(get=lambda _: Stored(CONNECTION_OF_MODEL, 1)),
            gateway=SimpleNamespace(open_payments=lambda _: _Payments(self)),
            hints=_SILENT,
            problems=_SILENT,
            write_back_queue=_SILENT,
            metrics=_SILENT,
            records=_EMPTY,
            payment_control=_UNSTOPPED,
            clock=self,
            timings=timings,
        )
        use_cases.write_back_worker(cast(Ports, ports)).drive(CONNECTION, self.worker.write_back_id)


class _Ledger:
    """Each method of the small ledger is a call."""

    def __init__(self, call: _Call) -> None:
        self._call = call

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def method(*arguments: Any, **named: Any) -> Any:
            return self._call.make(name, lambda: self._do(name, *arguments, **named))

        return method

    def _do(self, name: str, *arguments: Any, **named: Any) -> Any:
        fate = self._call.fate
        if fate == "conflict before":
            raise ConflictError("simulated transaction conflict")
        with patch.object(ledger_module, "new_id", lambda: self._call.worker.name):
            answer = getattr(self._call.state.ledger, name)(*arguments, **named)
        if fate == "conflict after":
            raise ConflictError("simulated conflict with our own write")
        if fate == "lost after":
            raise UnavailableError("simulated lost answer")
        return answer


class _Payments:
    """ConnectWise: one invoice whose payments are rows, and requests that may be late."""

    member_identifier = CONNECTION_OF_MODEL.member_identifier

    def __init__(self, call: _Call) -> None:
        self._call = call

    def list_payments(self, invoice_source_id: int, currency: Currency) -> tuple[PsaPayment, ...]:
        return self._call.make("list_payments", self._listed)  # type: ignore[no-any-return]

    def read_balance(self, invoice_source_id: int) -> PsaBalance:
        return self._call.make("read_balance", self._balance)  # type: ignore[no-any-return]

    def post_payment(self, invoice_source_id: int, **_: object) -> PostedPayment:
        return self._call.make("post_payment", self._post)  # type: ignore[no-any-return]

    def delete_payment(self, invoice_source_id: int, psa_payment_id: int) -> None:
        self._call.make("delete_payment", lambda: self._send(psa_payment_id, is_deletion=True))

    def _listed(self) -> tuple[PsaPayment, ...]:
        member = CONNECTION_OF_MODEL.member_identifier
        return tuple(
            PsaPayment(row.psa_payment_id, row.amount_minor, PAID_ON, member)
            for row in self._shown_rows()
        )

    def _shown_rows(self) -> list[Row]:
        state, lag = self._call.state, self._call.limits.lag_minutes
        return [row for row in state.rows if row.since + lag <= state.minute]

    def _balance(self) -> PsaBalance:
        limits = self._call.limits
        owed_minor = limits.owed_minor
        rows = self._shown_rows() if limits.is_balance_late else self._call.state.rows
        paid_minor = sum(row.amount_minor for row in rows)
        return PsaBalance(USD, owed_minor, owed_minor - paid_minor, None, is_batched=False)

    def _post(self) -> PostedPayment:
        state = self._call.state
        psa_payment_id = state.last_id + 1
        self._call.state = replace(state, last_id=psa_payment_id)
        self._send(psa_payment_id, is_deletion=False)
        return PostedPayment(psa_payment_id, AMOUNT_MINOR)

    def _send(self, psa_payment_id: int, *, is_deletion: bool) -> None:
        state, fate = self._call.state, self._call.fate
        latest = state.minute + self._call.limits.in_flight_minutes
        request = Request(psa_payment_id, is_deletion, latest)
        if fate == "late":
            self._call.state = replace(state, requests=(*state.requests, request))
        elif fate != "never":
            self._call.state = land(state, request)
        if fate != "well":
            raise OutcomeUnknownError("simulated lost answer")


@dataclass(frozen=True)
class Steps:
    """Makes the calls of workers."""

    limits: Limits
    timings: Timings

    def next_calls(self, state: State, worker: Worker) -> Iterator[tuple[str, State]]:
        """Yield (what happened, the state after it) for each fate of a worker's next call."""
        name, after = self._make(state, worker, "well")
        yield f"{worker.name} {name}", after
        if not state.lost_answers:
            return
        fates: Sequence[Fate] = ()
        if name in CHANGES:
            fates = LOST_CHANGES
        elif name == "save_write_back":
            fates = LOST_SAVES
        for fate in fates:
            _, after = self._make(state, worker, fate)
            after.lost_answers -= 1
            yield f"{worker.name} {name}: {fate}", after

    def run(self, state: State, write_back_id: str) -> State:
        """Return the state after a worker that nothing disturbs."""
        call = _Call(
            state.changed(), Worker("settling", write_back_id, state.minute), self.limits, "well"
        )
        call.runs_on = True
        call.drive(self.timings)
        return call.state

    def _make(self, state: State, worker: Worker, fate: Fate) -> tuple[str, State]:
        others = tuple(each for each in state.workers if each != worker)
        call = _Call(state.changed(workers=others), worker, self.limits, fate)
        try:
            call.drive(self.timings)
        except SuspendedError:
            later = replace(worker, answers=tuple(call.answers))
            workers = tuple(sorted((*others, later), key=lambda each: each.name))
            return str(call.made), replace(call.state, workers=workers)
        except (ConflictError, UnavailableError):
            # The message is delivered again, as any other.
            return str(call.made), call.state
        return str(call.made), call.state
