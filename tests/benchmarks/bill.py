"""What the bridge's work costs at AWS: counted units times prices.

    python -m tests.benchmarks.bill

Prices are those of us-east-1 on demand, as AWS listed them in November 2026 (Lambda for arm64).
Units of DynamoDB are those that ``tests.benchmarks.units`` counts; requests and seconds follow from
how the parts are put together, with 200 ms for a call to ConnectWise and none of them batched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.benchmarks.table import Row, publish

DOLLARS_A_MILLION: Mapping[str, float] = {
    "write units": 0.625,
    "read units": 0.125,
    "Lambda requests": 0.20,
    "Lambda GB-seconds": 13.3334,
    "SQS requests": 0.50,
    "API requests": 1.00,
    "bus events": 1.00,
    "log KB": 0.50,
    "secret reads": 5.00,
}
"""SQS includes the surcharge of fair queues. A thousand KB of logs are taken for a megabyte."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """A kind of work with what one piece of it uses."""

    name: str
    aim_dollars: float
    before_dollars: float
    """The bill before records were packed and calls were bundled."""
    uses: Mapping[str, float]
    pieces: float = 1_000_000
    per: str = "a million"
    beside: Mapping[str, float] = field(default_factory=dict)
    """Dollars that do not depend on the work."""

    def dollars(self, resource: str) -> float:
        return self.uses[resource] * DOLLARS_A_MILLION[resource] * self.pieces / 1_000_000

    @property
    def total_dollars(self) -> float:
        return sum(map(self.dollars, self.uses))

    @property
    def dominant(self) -> str:
        return max(self.uses, key=self.dollars)


HOURS_A_MONTH = 730
WORKS = (
    Work(
        name="callbacks",
        aim_dollars=7,
        before_dollars=31,
        # Receiver and record_sync (two calls, 1 GB), the event about the change.
        uses={
            "write units": 11,
            "read units": 5,
            "Lambda requests": 2.2,
            "Lambda GB-seconds": 0.5 + 0.02,
            "SQS requests": 3,
            "API requests": 1,
            "bus events": 1,
            "log KB": 3,
        },
    ),
    Work(
        name="imported invoices",
        aim_dollars=5.6,
        before_dollars=14.5,
        # A thousand take 8 calls and 60 for open payments, three in flight, then 864 for the rest.
        uses={
            "write units": 13.4,
            "read units": 1.4,
            "Lambda requests": 0.02,
            "Lambda GB-seconds": 0.08,
            "SQS requests": 0.03,
            "bus events": 2,
            "log KB": 0.5,
        },
    ),
    Work(
        name="write-backs",
        aim_dollars=21,
        before_dollars=79,
        # Recorded through the API, driven by four calls, and read for the mirror by two.
        uses={
            "write units": 65,
            "read units": 18,
            "Lambda requests": 4,
            "Lambda GB-seconds": 0.5 + 0.5 + 0.1,
            "SQS requests": 6,
            "API requests": 1,
            "bus events": 4,
            "log KB": 5,
        },
    ),
    Work(
        name="idle connections",
        aim_dollars=10.5,
        before_dollars=96,
        pieces=1_000 * HOURS_A_MONTH,
        per="1,000 a month",
        # One hour: four looks at invoices, one at customers, the callbacks, the payments; a night's
        # comparison of 1,000 invoices spread over its day.
        uses={
            "write units": 1 + 1 + 2 + 3 + 63 / 24,
            "read units": 32 + 9 + 5.5 + 12 + 236 / 24,
            "Lambda requests": 7,
            "Lambda GB-seconds": 7 * 0.25 * 0.5,
            "SQS requests": 7 * 3,
            "log KB": 7,
            "secret reads": 1,
        },
    ),
)


def rows() -> Iterator[Row]:
    """Yield the bill of each kind of work."""
    for work in WORKS:
        yield Row(
            name=f"dollars for {work.per} {work.name}",
            value=work.total_dollars,
            aim=work.aim_dollars,
            unit="dollars",
            limit="docs/cost.md",
            note=f"{work.before_dollars:g} before; most is for {work.dominant}",
        )


def as_markdown() -> str:
    """Return the bill as the table of ``docs/cost.md``."""
    lines = ["| dollars for | " + " | ".join(DOLLARS_A_MILLION) + " | sum | aim | before |"]
    lines.append("|---" * (len(DOLLARS_A_MILLION) + 4) + "|")
    for work in WORKS:
        parts = [
            f"{work.dollars(each):.1f}" if each in work.uses else "" for each in DOLLARS_A_MILLION
        ]
        ends = f"{work.total_dollars:.1f} | {work.aim_dollars:g} | {work.before_dollars:g}"
        lines.append(f"| {work.per} {work.name} | " + " | ".join(parts) + f" | {ends} |")
    return "\n".join(lines)


if __name__ == "__main__":
    publish("bill", list(rows()))
    print(as_markdown())
