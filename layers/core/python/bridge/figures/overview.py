"""The overview tells a partner how things stand, with a bounded number of reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bridge.domain.connection import Connection
from bridge.domain.problem import ProblemCode, ProblemState
from bridge.domain.receivables import Outstanding
from bridge.domain.run import Run
from bridge.domain.write_back import WriteBackState
from bridge.figures.bounded_list import PAGE_SIZE, read_list
from bridge.figures.collected import CollectedDay, by_day, payments_received
from bridge.figures.receivables import OutstandingSums
from bridge.ports import Clock, ConnectionStore, LedgerStore, ProblemStore, RunStore

COLLECTED_DAYS = 30
MAX_WRITE_BACKS = 2_000
MAX_PROBLEMS = 3_000


@dataclass(frozen=True, slots=True)
class Count:
    """A count says by name how many there are, and whether all were counted."""

    by_name: Mapping[str, int]
    is_complete: bool
    """False: there are more than are counted at once, so that each number is a least one."""


@dataclass(frozen=True, slots=True)
class Collected:
    """The platform collected these sums on some days."""

    first: date
    last: date
    days: tuple[CollectedDay, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """The overview of one partner."""

    today: date
    """In UTC; amounts are late by this day."""
    outstanding: Outstanding
    collected: Collected
    write_backs: Count
    """By state. Those that were proven more than 60 days ago and rest are left out."""
    problems: Count
    """Open ones, by code."""
    connections: tuple[Connection, ...]
    comparisons: Mapping[str, Run]
    """The latest comparison of each connection that came to an end."""


class Overview:
    """The overview reads sums, counts and the latest comparisons."""

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        outstanding: OutstandingSums,
        ledger: LedgerStore,
        problems: ProblemStore,
        runs: RunStore,
        clock: Clock,
    ) -> None:
        self._connections = connections
        self._outstanding = outstanding
        self._ledger = ledger
        self._problems = problems
        self._runs = runs
        self._clock = clock

    def read(self, partner_id: str) -> Figures:
        """Return the overview. Raises ShareUsedUpError while the first sums are being made."""
        today = self._clock.now().date()
        connections = self._connections.list_of_partner(partner_id)
        ids = [each.connection_id for each in connections]
        return Figures(
            today=today,
            outstanding=self._outstanding.read(partner_id),
            collected=self._collected(partner_id, today),
            write_backs=self._count_write_backs(ids),
            problems=self._count_problems(partner_id),
            connections=connections,
            comparisons=self._runs.latest_sweeps(ids),
        )

    def _collected(self, partner_id: str, today: date) -> Collected:
        first = today - timedelta(days=COLLECTED_DAYS - 1)
        last = today + timedelta(days=1)
        found = payments_received(self._ledger, partner_id, first, last)
        return Collected(first, last, by_day(found.items), found.is_complete)

    def _count_write_backs(self, connection_ids: Sequence[str]) -> Count:
        states: Counter[WriteBackState] = Counter()
        for connection_id in connection_ids:
            cursor = None
            while True:
                if states.total() >= MAX_WRITE_BACKS:
                    return Count(_named(states), is_complete=False)
                page = self._ledger.list_write_backs(connection_id, limit=PAGE_SIZE, cursor=cursor)
                states.update(each.state for each in page.items)
                cursor = page.next_cursor
                if cursor is None:
                    break
        return Count(_named(states), is_complete=True)

    def _count_problems(self, partner_id: str) -> Count:
        found = read_list(
            lambda limit, cursor: self._problems.list(
                partner_id, state=ProblemState.OPEN, limit=limit, cursor=cursor
            ),
            most=MAX_PROBLEMS,
            max_pages=MAX_PROBLEMS // PAGE_SIZE,
        )
        codes = Counter(each.code for each in found.items)
        return Count(_named(codes), is_complete=found.is_complete)


def _named(counts: Mapping[WriteBackState, int] | Mapping[ProblemCode, int]) -> Mapping[str, int]:
    return {name.value: number for name, number in sorted(counts.items())}
