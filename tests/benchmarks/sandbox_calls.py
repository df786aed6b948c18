"""What the ConnectWise sandbox costs with many invoices: its start, and one call of each sort.

    python -m tests.benchmarks.sandbox_calls 1000 10000 100000

Prints a line for each number of invoices. Each number is measured in a process of its own.
"""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from connectwise_sandbox.clock import wire_time
from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.kinds import Kind

SIZES = (1_000, 10_000, 100_000)
CUSTOMERS = 50
ROUNDS = 20
"""Calls of one sort; the quickest counts."""
MEGABYTE_IN_KILOBYTES = 1_024


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


def measure(invoices: int) -> str:
    """Return what a sandbox with that many invoices costs, as a line of text."""
    gc.disable()
    begun, wall = time.process_time(), time.perf_counter()
    psa = PsaClient(seed=7, customers=CUSTOMERS, invoices=invoices)
    start, waited = time.process_time() - begun, time.perf_counter() - wall
    gc.freeze()
    gc.enable()
    costs = [f"{name} {cost_seconds(call) * 1_000:.2f} ms" for name, call in calls_of(psa)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGABYTE_IN_KILOBYTES
    begin = f"{invoices} invoices: start {start:.1f} s (by the clock {waited:.1f} s), {memory} MB"
    return "\n    ".join([begin, *costs])


def main(arguments: list[str]) -> int:
    """Measure each number of invoices, by default SIZES; return the exit status."""
    if len(arguments) == 1:
        sys.stdout.write(measure(int(arguments[0])) + "\n")
        return 0
    for size in arguments or map(str, SIZES):
        command = [sys.executable, "-m", "tests.benchmarks.sandbox_calls", size]
        subprocess.run(command, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
