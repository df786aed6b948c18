"""How far a sweep is: a bar in a terminal, and elsewhere now and then a line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 10.0

Tick = Callable[[str], None]
"""Counts one more story, and shows a text beside the figures."""


@contextmanager
def shown_progress(console: Console, total: int) -> Iterator[Tick]:
    """Show how many stories are told, how fast, and how long the others will take."""
    if not console.is_terminal:
        yield _Lines(console, total).tick
        return
    columns = (
        TextColumn("stories"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[line]}"),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("stories", total=total, line="")

        def tick(line: str) -> None:
            speed = progress.tasks[bar].speed
            rate = f"{speed:.1f} a second, " if speed else ""
            progress.update(bar, advance=1, line=rate + line)

        yield tick


class _Lines:
    """Prints a line at most every few seconds, which a log can keep."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._done = 0
        self._started_at = self._printed_at = time.monotonic()

    def tick(self, line: str) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._printed_at < SECONDS_BETWEEN_LINES:
            return
        self._printed_at = now
        rate = self._done / (now - self._started_at)
        minutes_left = (self._total - self._done) / rate / 60
        self._console.print(
            f"{self._done:,} of {self._total:,} stories, {rate:.1f} a second, "
            f"{minutes_left:.1f} minutes left, {line}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
