"""Plays many seeds: ``python -m tests.simulation --seeds 10000``.

Seeds tell by turns a story of the sync, of the payments and of the companies, unless ``--world``
says which. A bar, or without a terminal a line now and then, shows how far it is; the end of a
story that fails is printed at once, with the command that plays it alone again to the same step.
Ends with what was played and what went wrong on purpose. Exits with status 1 when a rule was
broken, and 130 when interrupted or told to end.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.simulation.progress import shown_progress

if TYPE_CHECKING:
    from tests.simulation.sweep import Played, Task

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("layers/core/python", "functions")
ALL = "all"
WORLDS = ("sync", "payments", "companies", ALL)
MAX_STORIES = 3
MAX_LISTED_FAILURES = 20
INTERRUPTED = 130


@dataclass
class Tally:
    """What all stories together came to."""

    played: Counter[str] = field(default_factory=Counter)
    cpu_seconds: float = 0.0
    steps: int = 0
    calls: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    interleavings: int = 0
    posted: int = 0
    removed: int = 0
    confirmed: int = 0
    by_old_workers: int = 0
    turns: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[Task, str]] = field(default_factory=list)

    def add(self, played: Played) -> None:
        self.played[played.task.world] += 1
        self.cpu_seconds += played.cpu_seconds
        self.steps += played.steps
        self.calls += played.calls
        self.injected += played.injected
        self.interleavings += played.interleavings
        self.posted += played.posted
        self.removed += played.removed
        self.confirmed += played.confirmed
        self.by_old_workers += played.by_old_workers
        self.turns += played.turns
        if played.failure:
            self.failures.append((played.task, played.failure))

    def line(self) -> str:
        return (
            f"{self.steps:,} steps, {self.injected.total():,} faults, "
            f"{len(self.failures)} violations"
        )

    def figures(self) -> dict[str, str]:
        stories = ", ".join(f"{world} {count:,}" for world, count in sorted(self.played.items()))
        return {
            "seeds run": stories or "none",
            "steps": f"{self.steps:,}",
            "port calls": f"{self.calls:,}",
            "faults injected": f"{self.injected.total():,}",
            "interleavings": f"{self.interleavings:,}",
            "payments posted": f"{self.posted:,}",
            "payments posted by old workers": f"{self.by_old_workers:,}",
            "payments removed again": f"{self.removed:,}",
            "write-backs confirmed": f"{self.confirmed:,}",
            "CPU seconds a story": f"{self.cpu_seconds / max(1, self.played.total()):.2f}",
            "violations": f"{len(self.failures):,}",
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the stories that the command line names; return the exit status."""
    options = _parse(arguments)
    console = Console()
    tally = Tally()
    status = 0
    try:
        _play(options, console, tally)
    except KeyboardInterrupt:
        console.print("interrupted; until then:")
        status = INTERRUPTED
    _report(console, tally)
    return status or (1 if tally.failures else 0)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--world", choices=WORLDS, default=ALL, help="which stories to play")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument(
        "--trace", action="store_true", help="tell the stories in full, one after the other"
    )
    return parser.parse_args(arguments)


def _play(options: argparse.Namespace, console: Console, tally: Tally) -> None:
    from tests.simulation import sweep

    worlds = list(sweep.WorldName) if options.world == ALL else [sweep.WorldName(options.world)]
    seeds = range(options.first, options.first + options.seeds)
    tasks = [sweep.Task(worlds[seed % len(worlds)], seed) for seed in seeds]
    console.print(f"playing {len(tasks):,} seeds, world: {options.world}")
    if options.trace:
        for task in tasks:
            _take_note(console, tally, sweep.play(task, tell_all=True))
        return
    with closing(sweep.play_all(tasks, workers=options.workers)) as played:
        _show_progress(played, len(tasks), console, tally)


def _show_progress(played: Iterable[Played], total: int, console: Console, tally: Tally) -> None:
    with shown_progress(console, total) as tick:
        for each in played:
            _take_note(console, tally, each)
            tick(tally.line())


def _take_note(console: Console, tally: Tally, played: Played) -> None:
    """Count a story in; tell its end, if it is among the first that fail, and how to see more."""
    tally.add(played)
    is_told = not played.failure or len(tally.failures) <= MAX_STORIES
    if played.story and is_told:
        console.print(played.story, markup=False, highlight=False, soft_wrap=True)
    if played.failure and is_told:
        command = f"replay: {played.task.replay_command}"
        console.print(command, markup=False, highlight=False, soft_wrap=True)


def _report(console: Console, tally: Tally) -> None:
    _show_counts(console, "fault", "faults injected", tally.injected)
    if tally.turns:
        _show_counts(console, "turn", "companies", tally.turns)
    for name, figure in tally.figures().items():
        console.print(f"{name}: {figure}", highlight=False)
    for task, failure in tally.failures[:MAX_LISTED_FAILURES]:
        text = f"{task.world} seed {task.seed}: {failure}\n    {task.replay_command}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    if len(tally.failures) > MAX_LISTED_FAILURES:
        console.print(f"and {len(tally.failures) - MAX_LISTED_FAILURES:,} more")


def _show_counts(console: Console, name: str, title: str, counts: Counter[str]) -> None:
    table = Table(name, title=title)
    table.add_column("times", justify="right")
    for each, count in sorted(counts.items()):
        table.add_row(each, f"{count:,}")
    console.print(table)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / source) for source in SOURCES]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
