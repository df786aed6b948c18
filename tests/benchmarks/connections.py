"""What the jobs of many connections cost, and whether each connection has its turn.

``python -m tests.benchmarks.connections --connections 10000`` counts what a tick reads and sends,
by the real adapters on a client that counts, and plays an hour of the night in memory. Prices are
AWS's of us-east-1, on demand, as of 2026.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.aws.queues import SqsJobQueue, SqsSender
from bridge.domain.job import CADENCES, Job
from bridge.store.connections import DynamoConnectionStore
from bridge.store.table import Table
from bridge.wiring import entrypoints
from tests.fakes.clock import FakeClock
from tests.fakes.ports import InMemoryPorts
from tests.simulation.job_day import (
    HANGING_PARTNER,
    MIDNIGHT,
    partners_of,
    play_day,
    visits_by_period,
)

# https://aws.amazon.com/dynamodb/pricing/on-demand, /sqs/pricing, /lambda/pricing
DOLLARS_PER_READ_UNIT = 0.125e-6
DOLLARS_PER_WRITE_UNIT = 0.625e-6
DOLLARS_PER_SQS_REQUEST = 0.50e-6
"""Of a standard queue, with the surcharge for fair queues."""
DOLLARS_PER_START = 0.20e-6
DOLLARS_PER_GB_SECOND = 1.33334e-5
"""Of a function on arm64."""

BYTES_PER_READ_UNIT = 4096
BYTES_PER_PAGE = 1024 * 1024
REQUESTS_PER_MESSAGE = 2
"""A message is received and deleted by requests of its own, since a batch is one message."""
SECONDS_PER_JOB = 0.1
"""A quiet job reads a few items."""
JOB_MEMORY_GB = 0.5
WRITES_PER_PLACE = 2
"""A place is taken and given back."""
READS_PER_JOB = 4
"""The connection, its turn, its problems, and whether its server is silent."""
DAYS_PER_MONTH = 30
HOLDING_PLACES = (Job.CALLBACKS, Job.PAYMENTS, Job.RESTING_PAYMENTS)


class CountingClient:
    """Stands in for DynamoDB with the connections' small items, and for SQS."""

    def __init__(self, owners: dict[str, str]) -> None:
        self._items = [
            {
                "pk": {"S": "SYNCING"},
                "sk": {"S": connection_id},
                "partner_id": {"S": partner_id},
                "write_token": {"S": "0" * 32},
            }
            for connection_id, partner_id in sorted(owners.items())
        ]
        self.counted: Counter[str] = Counter()

    def query(self, **request: Any) -> dict[str, Any]:
        after = request.get("ExclusiveStartKey", {}).get("sk", {}).get("S", "")
        left = [item for item in self._items if item["sk"]["S"] > after]
        size, page = 0, []
        for item in left[: request["Limit"]]:
            size += sum(len(name) + len(value["S"]) for name, value in item.items())
            if size > BYTES_PER_PAGE:
                break
            page.append(item)
        self.counted["pages"] += 1
        self.counted["read units"] += math.ceil(size / BYTES_PER_READ_UNIT)
        if len(page) == len(left):
            return {"Items": page}
        last = {name: page[-1][name] for name in ("pk", "sk")}
        return {"Items": page, "LastEvaluatedKey": last}

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        self.counted["messages"] += len(request["Entries"])
        self.counted["SQS requests"] += 1
        return {}


@dataclass(frozen=True)
class Cost:
    """What is counted, with its price."""

    read_units: float
    write_units: float
    sqs_requests: float
    starts: float

    @property
    def dollars(self) -> float:
        seconds = self.starts * SECONDS_PER_JOB * JOB_MEMORY_GB
        return (
            self.read_units * DOLLARS_PER_READ_UNIT
            + self.write_units * DOLLARS_PER_WRITE_UNIT
            + self.sqs_requests * DOLLARS_PER_SQS_REQUEST
            + self.starts * DOLLARS_PER_START
            + seconds * DOLLARS_PER_GB_SECOND
        )


def count_tick(owners: dict[str, str], event: dict[str, Any]) -> Counter[str]:
    """Return what a tick reads and sends by the adapters."""
    client = CountingClient(owners)
    as_client: Any = client
    clock = FakeClock(MIDNIGHT, remaining_seconds=900)
    ports = InMemoryPorts(None, clock)  # type: ignore[arg-type]
    table = Table(as_client, "operations", clock)
    ports.connections = DynamoConnectionStore(table, lambda: None)  # type: ignore[arg-type, return-value]
    ports.job_queue = SqsJobQueue(SqsSender(as_client, "jobs", clock))  # type: ignore[assignment]
    entrypoints.job_ticks(ports).start(event)
    return client.counted


def ticks_of_a_day() -> list[tuple[str, int, dict[str, Any]]]:
    """Return each schedule with how often it starts in a day."""
    hourly = ["callbacks", "payments"]
    return [
        ("quarter-hourly", 96, {"jobs": ["invoice_delta", "heal_write_backs"], "part": 0}),
        ("customers", 96, {"jobs": ["customers"], "part": 1}),
        ("hourly", 96, {"jobs": hourly, "part": 1}),
        ("nightly", 12, {"jobs": ["sweep"], "part": 1}),
        ("monthly", 1, {"jobs": ["resting_payments"]}),
    ]


def print_costs(owners: dict[str, str]) -> None:
    """Print each tick's cost, and what a month of ticks and quiet jobs costs."""
    month = 0.0
    print(f"{'tick':16}{'pages':>7}{'read units':>12}{'messages':>10}{'SQS requests':>14}{'$':>10}")
    for name, times, event in ticks_of_a_day():
        counted = count_tick(owners, event)
        cost = Cost(counted["read units"], 0, counted["SQS requests"], 1)
        month += cost.dollars * times * DAYS_PER_MONTH
        figures = (counted["pages"], counted["read units"], counted["messages"])
        print(
            f"{name:16}{figures[0]:7,}{figures[1]:12,}{figures[2]:10,}"
            f"{counted['SQS requests']:14,}{cost.dollars:10.5f}"
        )
    jobs = {job: timedelta(days=DAYS_PER_MONTH) / each.period for job, each in CADENCES.items()}
    messages = sum(jobs.values()) * len(owners)
    places = sum(jobs[job] for job in HOLDING_PLACES) * len(owners)
    work = Cost(
        messages * READS_PER_JOB,
        places * WRITES_PER_PLACE,
        messages * REQUESTS_PER_MESSAGE,
        messages,
    ).dollars
    print(f"ticks of a month: ${month:,.2f}, ${month / len(owners):.5f} a connection")
    print(
        f"quiet jobs of a month: {messages:,.0f} messages, ${work:,.2f}, "
        f"${work / len(owners):.5f} a connection"
    )


def print_turns(owners: dict[str, str]) -> None:
    """Print an hour of the night: who was visited, and how evenly messages came."""
    begun = time.monotonic()
    day = play_day(list(owners.items()), hours=1, starts_at=MIDNIGHT + timedelta(hours=3))
    answering = [each for each, partner in owners.items() if partner != HANGING_PARTNER]
    by_second = Counter(each.replace(microsecond=0) for each in day.due_times)
    for job, cadence in CADENCES.items():
        if cadence.period > timedelta(hours=1):
            continue
        periods = timedelta(hours=1) // cadence.period
        turns = Counter(len(set(visits_by_period(day, job, each))) for each in answering)
        print(
            f"{job.value:18} visited in each of {periods} periods: {turns[periods]:,} connections"
        )
    print(
        f"{len(day.due_times):,} messages, {max(by_second.values())} at most in a second, longest "
        f"wait for a worker {day.longest_wait.total_seconds():.0f} s "
        f"(played in {time.monotonic() - begun:.0f} s)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--partners", type=int, default=1_500)
    parser.add_argument("--hanging", type=int, default=100)
    chosen = parser.parse_args()
    owners = dict(partners_of(chosen.connections, chosen.partners, chosen.hanging))
    print(
        f"{len(owners):,} connections of {chosen.partners:,} partners; one more has "
        f"{chosen.hanging} whose server hangs"
    )
    print_costs(owners)
    print_turns(owners)


if __name__ == "__main__":
    main()
