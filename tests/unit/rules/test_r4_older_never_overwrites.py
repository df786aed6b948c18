"""R4: what was read from ConnectWise earlier never goes over what was read later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.domain.customer import Customer
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from tests.builders.records import CONNECTION, a_customer, an_invoice
from tests.unit.mirror.bench import Bench

CUSTOMER, INVOICE = RecordKind.CUSTOMER, RecordKind.INVOICE


@pytest.mark.parametrize(
    ("kind", "source_id", "method"),
    [(CUSTOMER, 11, "fetch_customers"), (INVOICE, 1001, "fetch_invoices")],
)
def test_a_slow_worker_gives_back_what_somebody_stored_while_it_was_reading(
    kind: RecordKind, source_id: int, method: str
) -> None:
    # Given a record on both sides
    bench = Bench()
    bench.psa.put(a_customer(11), an_invoice(1001))
    bench.hint(CUSTOMER, 11)
    bench.hint(INVOICE, 1001)
    version_of = _version_of(bench, kind, source_id)
    before = version_of()

    # When a worker has read one change, and a faster one stores the next before it goes on
    def change(text: str) -> None:
        changed: Customer | Invoice = (
            replace(a_customer(11), name=text)
            if kind is CUSTOMER
            else an_invoice(1001, reference=text)
        )
        bench.psa.put(changed)

    def somebody_is_faster() -> None:
        change("newer")
        bench.hint(kind, source_id)

    change("older")
    bench.psa.meanwhile(method, somebody_is_faster)
    refreshed = bench.refresher.refresh(bench.connection, bench.psa, kind, [source_id])

    # Then it writes nothing and says so
    assert refreshed.contested == (source_id,)
    assert version_of() == before + 1


def _version_of(bench: Bench, kind: RecordKind, source_id: int) -> Callable[[], int]:
    def version() -> int:
        scope = (bench.connection.partner_id, CONNECTION, [source_id])
        if kind is CUSTOMER:
            return bench.records.get_mirrored(CUSTOMERS, *scope)[source_id].version
        return bench.records.get_mirrored(INVOICES, *scope)[source_id].version

    return version
