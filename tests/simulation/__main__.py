"""A long sweep: ``python -m tests.simulation --seeds 10000``.

Prints a bar with the seeds played, steps, faults and violations, and the story of the first seeds
that fail. Exits with status 1 when one does.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from tests.simulation.episode import Outcome

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("layers/core/python", "functions")
MAX_STORIES = 3
TASKS_PER_WORKER = 4


@dataclass
class Tally:
    """What all seeds together came to."""

    seeds: int = 0
    steps: int = 0
    calls: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    failures: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.steps += outcome.steps
        self.calls += outcome.calls
        self.injected += outcome.injected
        if outcome.violations:
            self.failures.append(outcome)

    def line(self) -> str:
        return (
            f"{self.steps:,} steps, {self.injected.total():,} faults, "
            f"{len(self.failures)} violations"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the seeds that the command line names; return the exit status."""
    options = _parse(arguments)
    console = Console()
    tally = Tally()
    columns = (
        TextColumn("seeds"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[line]}"),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("seeds", total=options.seeds, line="")
        seeds = range(options.first, options.first + options.seeds)
        for outcome in _played(seeds, options.workers):
            tally.add(outcome)
            progress.update(bar, advance=1, line=tally.line())
            if outcome.violations and len(tally.failures) <= MAX_STORIES:
                progress.console.print(outcome.story(), markup=False, highlight=False)
    _report(console, tally)
    return 1 if tally.failures else 0


def play(seed: int) -> Outcome:
    """Play one seed in a worker process."""
    from tests.simulation.episode import play_seed

    return play_seed(seed)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    return parser.parse_args(arguments)


def _played(seeds: Sequence[int], workers: int) -> Iterator[Outcome]:
    """Play the seeds in processes; yield the outcomes as they come.

    Few are handed out ahead, so that an interrupted sweep stops soon.
    """
    left = iter(seeds)
    with ProcessPoolExecutor(workers) as pool:
        running: set[Future[Outcome]] = set()
        while True:
            while len(running) < TASKS_PER_WORKER * workers:
                seed = next(left, None)
                if seed is None:
                    break
                running.add(pool.submit(play, seed))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


def _report(console: Console, tally: Tally) -> None:
    table = Table(title=f"{tally.seeds:,} seeds, {tally.calls:,} port calls, {tally.line()}")
    table.add_column("fault")
    table.add_column("injected", justify="right")
    for name, count in sorted(tally.injected.items()):
        table.add_row(name, f"{count:,}")
    console.print(table)
    if tally.failures:
        seeds = ", ".join(str(outcome.seed) for outcome in tally.failures)
        console.print(f"failing seeds: {seeds}")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / source) for source in SOURCES]
    sys.exit(main())
