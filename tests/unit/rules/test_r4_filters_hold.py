"""R4: what was archived because filters leave it outside stays so, whatever becomes of it there."""

from __future__ import annotations

from bridge.domain.customer import ArchiveReason
from bridge.domain.filters import CustomerFilter, ImportFilters
from bridge.domain.identity import RecordKind
from bridge.domain.run import RunKind
from bridge.mirror.filter_archive import FilterArchive
from bridge.wiring import use_cases
from tests.builders.records import a_customer, an_invoice
from tests.unit.mirror.bench import Bench

ONLY_OTHERS = ImportFilters(customer=CustomerFilter(company_ids=frozenset({12})))


def archived_by_filters() -> Bench:
    """Two customers with an invoice each, of which filters leave the first one outside."""
    bench = Bench()
    bench.psa.put(a_customer(11), a_customer(12), an_invoice(1001))
    bench.run(RunKind.IMPORT)
    bench.change_connection(filters=ONLY_OTHERS)
    archive(bench).archive_left(bench.connection)
    assert bench.customer(11).archive is not None
    assert bench.invoice(1001).archive is not None
    return bench


def archive(bench: Bench) -> FilterArchive:
    return use_cases.filter_archive(bench)


def test_an_edit_does_not_bring_an_archived_invoice_back() -> None:
    bench = archived_by_filters()

    bench.psa.put(an_invoice(1001, reference="changed"))
    bench.hint(RecordKind.INVOICE, 1001)

    archive = bench.invoice(1001).archive
    assert archive is not None
    assert archive.reason is ArchiveReason.LEFT_FILTER
    assert bench.invoice(1001).reference == "changed"


def test_a_new_invoice_of_an_archived_customer_stays_outside() -> None:
    bench = archived_by_filters()

    bench.psa.put(an_invoice(1002))
    bench.hint(RecordKind.INVOICE, 1002)

    assert bench.stored_invoice(1002).value is None


def test_both_come_back_with_the_filters() -> None:
    bench = archived_by_filters()
    bench.psa.put(an_invoice(1002))
    bench.hint(RecordKind.INVOICE, 1002)

    bench.change_connection(filters=ImportFilters())
    bench.run(RunKind.IMPORT)

    assert [bench.invoice(i).archive for i in (1001, 1002)] == [None, None]
