"""The benchmarks' figures stand in one table, on the terminal and in ``build/bench.json``.

    python -m tests.benchmarks.table

prints the figures that the benchmarks wrote last.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.config import PROJECT_ROOT

BENCH_FILE = PROJECT_ROOT / "build" / "bench.json"
HEADER = ("what", "value", "aim", "unit", "limit", "note")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row is one figure beside its limit, which nothing can be better than."""

    name: str
    limit: str
    """What the figure is compared with, in words."""
    value: float
    aim: float | None = None
    """The value that is wanted, where one is."""
    unit: str
    """For example ``times`` for a ratio to the limit, or ``ms``."""
    note: str = ""


def publish(bench: str, rows: Sequence[Row], file: Path = BENCH_FILE) -> None:
    """Print a benchmark's rows, and keep them in place of those that it wrote before."""
    sys.stdout.write(table(rows))
    kept = _read(file)
    kept[bench] = [asdict(row) for row in rows]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def published(file: Path = BENCH_FILE) -> list[Row]:
    """Return the rows of all benchmarks."""
    return [Row(**row) for rows in _read(file).values() for row in rows]


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a table of text, with a line for each."""
    lines = [HEADER, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    aim = "" if row.aim is None else f"{row.aim:g}"
    return (row.name, f"{row.value:.2f}", aim, row.unit, row.limit, row.note)


def _read(file: Path) -> dict[str, list[dict[str, Any]]]:
    if not file.exists():
        return {}
    content: dict[str, list[dict[str, Any]]] = json.loads(file.read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    sys.stdout.write(table(published()))
