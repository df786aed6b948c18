"""What one partner can cost the others: ``python -m tests.benchmarks.tenants``.

Both sides of each figure are of one run, in virtual time and with counted calls: the partner's own
work alone, and beside another partner's forty connections whose servers answer after 55 seconds.
Replays are played against the sandbox in this process. The memory that hostile answers take is
measured by ``tests/unit/memory``, under a hard limit.
"""

from __future__ import annotations

import random

import pytest

from tests.benchmarks.table import Row, publish
from tests.unit.connectwise.sandbox import sandboxed_world
from tests.unit.fairness.bench import SLOW_SECONDS, FairnessBench
from tests.unit.fairness.test_one_slow_partner import (
    CONNECTIONS,
    KINDS,
    Cost,
    connect_slow_partner,
    serve_other_partner,
)
from tests.unit.rules.test_r3_replays_cost_little import REPLAYS, Mirror

MOST_TIMES_ALONE = 1.5
MOST_REPLAY_CALLS = 9


def served(*, beside_slow: bool) -> Cost:
    """Return what the other partner's work came to, alone or beside the slow partner's."""
    random.seed(11)
    with pytest.MonkeyPatch.context() as monkeypatch:
        bench = FairnessBench(monkeypatch)
        if beside_slow:
            connect_slow_partner(bench, SLOW_SECONDS)
        return serve_other_partner(bench)


def fairness() -> list[Row]:
    alone, beside = served(beside_slow=False), served(beside_slow=True)
    limit = f"the same work alone, not beside {CONNECTIONS} slow connections"
    return [
        Row(
            name="longest wait for a worker",
            limit=limit,
            value=beside.longest_wait_seconds,
            aim=0,
            unit="s",
            note=f"alone {alone.longest_wait_seconds:g} s",
        ),
        Row(
            name="ConnectWise calls of import, PDFs, payments, callbacks, job",
            limit=limit,
            value=beside.calls / alone.calls,
            aim=MOST_TIMES_ALONE,
            unit="times",
            note=f"{beside.calls} beside, {alone.calls} alone",
        ),
        *(
            Row(
                name=f"steps of {kind}",
                limit=limit,
                value=beside.steps[kind] / alone.steps[kind],
                aim=MOST_TIMES_ALONE,
                unit="times",
                note=f"{beside.steps[kind]} beside, {alone.steps[kind]} alone",
            )
            for kind in KINDS
        ),
    ]


def replays() -> list[Row]:
    rows = []
    for has_payments in (False, True):
        mirror = Mirror(sandboxed_world(customers=8, invoices=60))
        source_id = next(mirror.rows(has_payments=has_payments))
        mirror.replay([source_id])
        mirror.clock.advance(minutes=1)
        before = mirror.calls
        mirror.replay([source_id] * REPLAYS)
        rows.append(
            Row(
                name=f"{REPLAYS} replays, invoice {'with' if has_payments else 'without'} payments",
                limit="one read of the record",
                value=mirror.calls - before,
                aim=MOST_REPLAY_CALLS,
                unit="calls",
            )
        )
    return rows


def main() -> None:
    publish("tenants", [*fairness(), *replays()])


if __name__ == "__main__":
    main()
