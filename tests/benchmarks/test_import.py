"""What an import costs: ConnectWise calls for what it brings, and memory that does not grow."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.local.patience import PATIENCE_SECONDS, PATIENCE_WITH_WORK_SECONDS

ROOT = Path(__file__).resolve().parents[2]
MAX_CALLS_PER_THOUSAND = 8
MAX_CALLS_OF_AN_IMPORT = 8
"""However large: counts at both ends, and the empty pages that end lists."""
MAX_MEMORY_RATIO = 1.3
MAX_CALLS_OF_A_QUIET_HOUR = 2
PAYMENTS = "/finance/invoices/{id}/payments"
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers" / "core" / "python")]),
}


@contextmanager
def sandbox(invoices: int) -> Iterator[str]:
    """Run the sandbox in a process of its own and yield what it announces."""
    command = ["-m", "connectwise_sandbox", "--port", "0"]
    sizes = ["--invoices", str(invoices), "--requests-per-minute", "0"]
    with subprocess.Popen(
        [sys.executable, *command, *sizes], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline()
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)


def _import(invoices: int) -> dict[str, Any]:
    with sandbox(invoices) as announced:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.importer", announced],
            env=ENVIRONMENT,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_WITH_WORK_SECONDS,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture(scope="module")
def reports() -> dict[int, dict[str, Any]]:
    return {invoices: _import(invoices) for invoices in (1_000, 10_000)}


@pytest.mark.parametrize("invoices", [1_000, 10_000])
def test_an_import_stays_within_its_calls(
    reports: dict[int, dict[str, Any]], invoices: int
) -> None:
    report = reports[invoices]
    calls = report["calls"]
    bulk = sum(n for route, n in calls.items() if PAYMENTS not in route)
    per_thousand = (bulk - MAX_CALLS_OF_AN_IMPORT) / (invoices / 1_000)
    print(f"{invoices} invoices: {bulk} calls, {per_thousand:.1f} a thousand; {calls}")
    print(f"{invoices} invoices: {report['seconds']} s")
    assert report["invoices"] == invoices
    assert report["failed"] == 0
    assert per_thousand <= MAX_CALLS_PER_THOUSAND


def test_memory_does_not_grow_with_the_number_of_invoices(
    reports: dict[int, dict[str, Any]],
) -> None:
    small, large = (reports[invoices]["peak_kib"] for invoices in (1_000, 10_000))
    print(f"peak memory: {small / 1024:.0f} MiB for 1,000, {large / 1024:.0f} MiB for 10,000")
    assert large <= MAX_MEMORY_RATIO * small


def test_an_hour_in_which_nothing_changed_costs_two_calls(
    reports: dict[int, dict[str, Any]],
) -> None:
    """The hourly customer run that follows the import finds nothing new."""
    calls = reports[1_000]["quiet_hour_calls"]
    print(f"a quiet hour: {calls}")
    assert 1 <= sum(calls.values()) <= MAX_CALLS_OF_A_QUIET_HOUR
