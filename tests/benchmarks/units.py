"""What DynamoDB bills for the bridge's work, with all marks, stamps, places and the limiter.

    PYTHONPATH=layers/core/python:functions python -m tests.benchmarks.units 100

Units are counted on the embedded DynamoDB, so that one run tells them. Where it bills less than
DynamoDB would, for lists of which a part is wanted, the stored sizes are counted.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from bridge.domain.identity import RecordKind
from bridge.domain.job import Job
from infra.local.embedded_aws import EmbeddedAws
from tests.benchmarks.table import Row, publish
from tests.contract.conftest import Tables, synthesized_tables
from tests.contract.ledger import LedgerTable
from tests.contract.mirror_costs import MirrorWay, Spent
from tests.contract.write_back_costs import WholeWay

INVOICES = 100
CHANGED = 20
_TABLES = ("Records", "Operations", "Coordination", "Callbacks")
_numbers = itertools.count(1)


def units_rows(aws: EmbeddedAws, count: int) -> Iterator[Row]:
    """Yield the units of an import, of changes, of quiet hours and of a night."""
    way = MirrorWay(aws.client("dynamodb"), _tables(aws), customers=count // 10, invoices=count)
    with way.spent() as imported:
        way.run_import()
    sizes = way.stored_bytes(RecordKind.INVOICE)
    yield _row("write units per imported invoice", imported.write_units / len(sizes), 4, imported)
    yield Row(
        name="bytes of a stored invoice",
        value=median(sizes),
        aim=1024,
        unit="bytes",
        limit="one write unit",
        note=f"{sum(size > 1024 for size in sizes)} of {len(sizes)} above",
    )
    way.quiet_hour()
    changed = way.change_invoices(CHANGED)
    way.world_waits(60)
    with way.spent() as spent:
        way.do(Job.INVOICE_DELTA)
    yield _row("write units per changed invoice", spent.write_units / changed, 6, spent)
    way.quiet_hour()
    with way.spent() as spent:
        way.call_back()
    yield _row("write units per callback", spent.write_units, 6, spent)
    way.quiet_hour()
    yield from _quiet_rows(way)
    with way.spent() as night:
        way.do(Job.SWEEP)
    per_thousand = 1000 / len(sizes)
    yield Row(
        name="read units of a nightly comparison per 1,000",
        value=way.comparison_read_units() * per_thousand,
        aim=250,
        unit="read units",
        limit="250 read units",
        note=f"and {night.write_units:g} write units, {night.calls} calls",
    )


def _quiet_rows(way: MirrorWay) -> Iterator[Row]:
    """Yield what an hour costs in which nothing changed, by kind of work."""
    for job, spent in way.quiet_hour().items():
        yield _row(f"write units per quiet hour: {job.value}", spent.write_units, 1, spent)


def write_back_rows(aws: EmbeddedAws) -> Iterator[Row]:
    """Yield the units of a payment from its record to the mirror."""
    ledger_name = f"ledger-{next(_numbers)}"
    client = aws.client("dynamodb")
    client.create_table(TableName=ledger_name, **synthesized_tables()["Ledger"])
    ledger = LedgerTable(client, ledger_name)
    way = WholeWay(aws.client("dynamodb"), _tables(aws), ledger, paid_status_id=None)
    way.pay(5000)
    spent = Spent(
        calls=len(way.calls),
        write_units=way.meter.write_units,
        read_units=way.meter.read_units,
    )
    yield _row("write units per write-back", spent.write_units, 20, spent)


def _row(name: str, value: float, limit: float, spent: Spent) -> Row:
    by_table = ", ".join(f"{name} {units:g}" for name, units in spent.writes_by.items())
    return Row(
        name=name,
        value=value,
        aim=1.5 * limit,
        unit="write units",
        limit=f"{limit:g} write units",
        note=f"{spent.calls} calls, {spent.read_units:g} read units; {by_table}",
    )


def _tables(aws: EmbeddedAws) -> Tables:
    client, number = aws.client("dynamodb"), next(_numbers)
    names = {name.lower(): f"{name.lower()}-{number}" for name in _TABLES}
    for name in _TABLES:
        client.create_table(TableName=names[name.lower()], **synthesized_tables()[name])
    return Tables(client, **names)


def main(count: int) -> None:
    """Print the rows, and keep them."""
    with ExitStack() as stack:
        aws = stack.enter_context(EmbeddedAws("bench-units"))
        publish("units", [*units_rows(aws, count), *write_back_rows(aws)])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else INVOICES)
