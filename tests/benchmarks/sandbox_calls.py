"""What the ConnectWise sandbox costs with many invoices: its start, and one call of each sort.

    python -m tests.benchmarks.sandbox_calls 1000 10000 100000

Prints a table and keeps its rows for ``build/bench.json``. Each number of invoices is measured in a
process of its own. The limit of a call is the same one with the least invoices: it should not grow.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from connectwise_sandbox.clock import wire_time
from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.kinds import Kind
from tests.benchmarks.table import Row, publish

SIZES = (1_000, 10_000, 100_000)
CUSTOMERS = 50
ROUNDS = 20
"""Calls of one sort; the quickest counts."""
MEGABYTE_IN_KILOBYTES = 1_024
ALONE = "--alone"
"""One number of invoices, in this process; the rows are printed as JSON."""


def calls_of(psa: PsaClient) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield each sort of call by its name."""
    rows = list(psa.tenant.store[Kind.INVOICE])
    middle, some = rows[len(rows) // 2]["id"], [row["id"] for row in rows[:25]]
    products, listed = "/procurement/products", ",".join(map(str, some))
    hour_ago = wire_time(psa.clock() - timedelta(hours=1))
    for row in rows[:10]:
        psa.people.change_due_date(row["id"], psa.tenant.today)
    yield "one invoice", lambda: psa.get(f"{INVOICES}/{middle}")
    yield "its payments", lambda: psa.get(f"{INVOICES}/{middle}/payments")
    yield "page by ids", lambda: psa.get(INVOICES, conditions=f"id in ({listed})")
    yield "page behind an id", lambda: psa.get(INVOICES, conditions=f"id > {middle}", orderBy="id")
    yield "page of a company", lambda: psa.forward(INVOICES, conditions="company/id = 1250003")
    yield "page of changes", lambda: psa.forward(INVOICES, conditions=f"lastUpdated>[{hour_ago}]")
    yield (
        "page of all changes",
        lambda: psa.forward(INVOICES, conditions="lastUpdated>[2000-01-01]"),
    )
    yield "lines of invoices", lambda: psa.get(products, conditions=f"invoice/id in ({listed})")
    yield "next page", lambda: psa.forward(INVOICES, pageId=middle)
    yield "count", lambda: psa.get(f"{INVOICES}/count")
    yield (
        "count of changes",
        lambda: psa.get(f"{INVOICES}/count", conditions=f"lastUpdated>[{hour_ago}]"),
    )


def cost_seconds(call: Callable[[], Any]) -> float:
    """Return the processor's time for the quickest of some calls."""
    costs = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        call()
        costs.append(time.process_time() - begun)
    return min(costs)


def measure(invoices: int) -> list[Row]:
    """Return what a sandbox with that many invoices costs."""
    gc.disable()
    begun, wall = time.process_time(), time.perf_counter()
    psa = PsaClient(seed=7, customers=CUSTOMERS, invoices=invoices)
    start, waited = time.process_time() - begun, time.perf_counter() - wall
    gc.freeze()
    gc.enable()
    costs = {name: cost_seconds(call) for name, call in calls_of(psa)}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGABYTE_IN_KILOBYTES
    at = f"sandbox of {invoices}"
    return [
        Row(name=f"{at}: start", limit="", value=start, unit="s", note=f"waited {waited:.1f} s"),
        Row(name=f"{at}: memory", limit="", value=memory, unit="MB"),
        *(
            Row(name=f"{at}: {name}", limit="", value=seconds * 1_000, unit="ms")
            for name, seconds in costs.items()
        ),
    ]


def main(arguments: list[str]) -> int:
    """Measure each number of invoices, by default SIZES; return the exit status."""
    if len(arguments) == 2 and arguments[0] == ALONE:
        json.dump([asdict(row) for row in measure(int(arguments[1]))], sys.stdout)
        return 0
    least, *others = [measured_alone(size) for size in arguments or map(str, SIZES)]
    publish("sandbox", [*least, *(row for rows in others for row in beside(least, rows))])
    return 0


def measured_alone(size: str) -> list[Row]:
    """Measure a number of invoices in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.sandbox_calls", ALONE, size]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [Row(**row) for row in json.loads(done.stdout)]


def beside(least: list[Row], rows: list[Row]) -> list[Row]:
    """Return the rows with those of the least invoices as their limits."""
    return [
        replace(row, limit=f"{known.value:.2f} {known.unit} with the least")
        for known, row in zip(least, rows, strict=True)
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
