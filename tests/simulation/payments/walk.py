"""Walk through all states of the model; say what was found and how it came about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bridge.domain.platform_payment import Target
from bridge.domain.write_back import Timings, WriteBackState
from tests.simulation.payments.model import (
    TIMINGS,
    Limits,
    State,
    Worker,
    first_state,
    land,
    minute_later,
    returned,
)
from tests.simulation.payments.model_worker import Steps

MAX_STATES = 400_000
MAX_MINUTES_TO_SETTLE = 120


@dataclass
class Findings:
    """``example`` tells the steps to the first violation."""

    states: int = 0
    settled: int = 0
    violation: str | None = None
    example: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.violation}: " + "; ".join(self.example)


class Walk:
    """Walks through all states that the limits allow."""

    def __init__(
        self,
        limits: Limits,
        timings: Timings = TIMINGS,
        *,
        judges_ends: bool = True,
    ) -> None:
        """Without judging ends, only what stands in ConnectWise at some moment is a violation."""
        self._limits = limits
        self._judges_ends = judges_ends
        self._steps = Steps(limits, timings)
        self._settled: set[tuple[object, ...]] = set()
        self._came_from: dict[tuple[object, ...], tuple[tuple[object, ...] | None, str]] = {}

    def look(self) -> Findings:
        """Visit every state once, or stop at the first violation."""
        findings = Findings()
        start = first_state(self._limits)
        self._came_from[start.key] = (None, "recorded")
        waiting = [start]
        while waiting and findings.violation is None:
            state = waiting.pop()
            findings.states += 1
            if findings.states > MAX_STATES:
                raise AssertionError(f"more than {MAX_STATES} states")
            for what, after in self._successors(state):
                if after.key in self._came_from:
                    continue
                self._came_from[after.key] = (state.key, what)
                waiting.append(after)
                findings.violation = _violation(after, self._limits) or self._unsettled(after)
                if findings.violation:
                    findings.example = self._path(after)
                    break
        findings.settled = len(self._settled)
        return findings

    # --- what may happen next ------------------------------------------------------------------

    def _successors(self, state: State) -> Iterator[tuple[str, State]]:
        for worker in state.workers:
            yield from self._steps.next_calls(state, worker)
            if state.crashes:
                alive = tuple(each for each in state.workers if each != worker)
                crashes = state.crashes - 1
                yield f"{worker.name} dies", state.changed(workers=alive, crashes=crashes)
        yield from self._deliveries(state)
        for request in state.requests:
            yield "a request lands", land(state, request)
        if state.may_return:
            yield "the payment is returned", returned(state)
        in_time = all(request.latest > state.minute for request in state.requests)
        if in_time and state.minute < self._limits.minutes:
            yield "a minute passes", minute_later(state)

    def _deliveries(self, state: State) -> Iterator[tuple[str, State]]:
        """A message comes, and may come again while a worker is busy with it."""
        if not state.deliveries or len(state.workers) >= self._limits.workers_at_once:
            return
        taken = {worker.name for worker in state.workers} | state.tokens()
        name = next(name for name in "ABCDEFGH" if name not in taken)
        for write_back in state.write_backs():
            due_at = write_back.due_at
            if write_back.has_ended or due_at is None or due_at > state.now:
                continue
            worker = Worker(name, write_back.write_back_id, state.minute)
            workers = tuple(sorted((*state.workers, worker), key=lambda each: each.name))
            what = f"{name} is asked for {write_back.payment_id}"
            yield what, state.changed(workers=workers, deliveries=state.deliveries - 1)

    # --- what must hold ------------------------------------------------------------------------

    def _unsettled(self, state: State) -> str | None:
        """Let time pass without any trouble: in the end all is as it should be."""
        if not self._judges_ends or state.workers or state.requests:
            return None
        if state.world in self._settled:
            return None
        self._settled.add(state.world)
        for _ in range(MAX_MINUTES_TO_SETTLE):
            for write_back in state.write_backs():
                due_at = write_back.due_at
                if not write_back.has_ended and due_at is not None and due_at <= state.now:
                    state = self._steps.run(state, write_back.write_back_id)
            if all(each.has_ended or each.needs_person for each in state.write_backs()):
                break
            state = minute_later(state)
        return _violation(state, self._limits) or _wrong_end(state)

    def _path(self, state: State) -> list[str]:
        steps: list[str] = []
        key: tuple[object, ...] | None = state.key
        while key is not None:
            key, what = self._came_from[key]
            steps.append(what)
        return steps[::-1]


def _violation(state: State, limits: Limits) -> str | None:
    wanted = len(state.write_backs())
    if len(state.rows) > wanted:
        return f"{len(state.rows)} payments for {wanted}"
    if sum(row.amount_minor for row in state.rows) > limits.owed_minor:
        return "more was paid than is owed"
    return None


def _wrong_end(state: State) -> str | None:
    rows = {row.psa_payment_id for row in state.rows}
    owned = set()
    for write_back in state.write_backs():
        if write_back.target is Target.ABSENT and write_back.state is not WriteBackState.REVERSED:
            return f"returned, and {write_back.state.value}"
        if write_back.state is WriteBackState.CONFIRMED:
            owned.add(write_back.psa_payment_id)
        elif not write_back.has_ended and not write_back.needs_person:
            return f"not ended: {write_back.state.value}"
    if owned != rows:
        return f"{sorted(rows)} stand, {owned} are confirmed"
    return None
