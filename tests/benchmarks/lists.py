"""What a page of each list costs among 100,000 invoices of one partner, and what a write costs.

    PYTHONPATH=layers/core/python python -m tests.benchmarks.lists 100000

Queries and units are counted, so that one run tells them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

from bridge.ports import InvoiceQuery
from infra.local.embedded_aws import EmbeddedAws
from tests.benchmarks.table import Row, publish
from tests.builders.records import PARTNER
from tests.contract.conftest import synthesized_tables
from tests.contract.record_costs import PATHS, Costs, a_usual_invoice, fill, with_a_payment
from tests.fakes.clock import FakeClock

INVOICES = 100_000
PAGE = 100
LATE_PAGE = 500
TABLE = "records"


def list_rows(costs: Costs, count: int) -> Iterator[Row]:
    """Yield the queries of a first page of each path, and of late pages."""
    for name, query in PATHS.items():
        queries, units, _ = page_costs(costs, query, None)
        yield Row(
            name=f"list by {name}, {count:,} invoices",
            value=queries,
            aim=1,
            unit="queries a page",
            limit="one query",
            note=f"{units:g} read units",
        )
    first = page_costs(costs, InvoiceQuery(number="inv"), None)
    late = late_page_costs(costs, InvoiceQuery(number="inv"))
    yield Row(
        name=f"a late page, {count:,} invoices",
        value=late[1] / first[1],
        aim=1,
        unit="times",
        limit="the first page",
        note=f"page {LATE_PAGE} at most",
    )


def page_costs(
    costs: Costs, query: InvoiceQuery, cursor: str | None
) -> tuple[int, float, str | None]:
    """Return queries, read units and the next cursor of a page."""
    costs.meter.reset()
    page = costs.records.list_invoices(PARTNER, query, limit=PAGE, cursor=cursor)
    return costs.meter.counts["Query"], costs.meter.read_units, page.next_cursor


def late_page_costs(costs: Costs, query: InvoiceQuery) -> tuple[int, float]:
    cursor: str | None = None
    queries, units = 0, 0.0
    for _ in range(LATE_PAGE):
        before = queries, units
        queries, units, cursor = page_costs(costs, query, cursor)
        if cursor is None:
            return before  # the last page is shorter
    return queries, units


def write_rows(costs: Costs) -> Iterator[Row]:
    """Yield the write units of an invoice that comes, and of one that changes."""
    paid = replace(with_a_payment(a_usual_invoice(2_000_002)), balance_minor=0)
    changed = a_usual_invoice(2_000_001, reference="February")
    figures = {
        "imported invoice": (costs.write_units(a_usual_invoice(2_000_001)), 4.0, 6.0),
        "imported invoice with a payment": (costs.write_units(paid), 7.0, None),
        "changed invoice": (costs.write_units(changed, expected_version=1), 6.0, 9.0),
    }
    for name, (units, limit, aim) in figures.items():
        yield Row(
            name=name, value=units, aim=aim, unit="write units", limit=f"{limit:g} write units"
        )


def main(count: int) -> None:
    """Print the rows, and keep them."""
    with EmbeddedAws("bench-lists") as aws:
        client = aws.client("dynamodb")
        client.create_table(TableName=TABLE, **synthesized_tables()["Records"])
        costs = Costs(aws.client("dynamodb"), TABLE, FakeClock())
        fill(client, TABLE, costs.records, count)
        publish("lists", [*list_rows(costs, count), *write_rows(costs)])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else INVOICES)
