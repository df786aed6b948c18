"""Comparisons come to their end, and to the brake, however much there is to compare."""

from __future__ import annotations

import pytest

from bridge.domain.filters import ImportFilters, InvoiceFilter
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import InvoiceType
from bridge.domain.problem import ProblemCode
from bridge.domain.run import MAX_VANISHED, RunKind, RunState
from bridge.mirror import selection
from bridge.store.attributes import check_storable
from bridge.store.codec import encode
from tests.builders.operations import a_run
from tests.builders.records import (
    a_customer,
    an_invoice,
)
from tests.unit.mirror.bench import Bench

INVOICE = RecordKind.INVOICE


@pytest.mark.parametrize("kind", [RunKind.SWEEP, RunKind.FETCH_UNPAID])
def test_what_filters_hide_is_compared_however_much_it_is(
    kind: RunKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a mirror of which filters, set later, hide more than is compared at once
    bench = Bench()
    bench.psa.put(a_customer(11), *map(an_invoice, range(1001, 1031)))
    bench.run(RunKind.IMPORT)
    only_credits = InvoiceFilter(types=frozenset({InvoiceType.CREDIT_MEMO}))
    bench.change_connection(filters=ImportFilters(invoice=only_credits))
    monkeypatch.setattr(selection, "MAX_STORED", 10)
    bench.clock.advance(hours=1)
    bench.psa.put(an_invoice(1030, reference="changed"))

    run = bench.run(kind)

    assert run.state is RunState.SUCCEEDED
    assert bench.invoice(1030).reference == "changed"


def test_a_mirror_that_seems_gone_stops_at_the_brake_however_large_it_is() -> None:
    run = a_run(kind=RunKind.SWEEP)
    for start in range(0, 3 * MAX_VANISHED, 1000):
        ids = tuple(range(2_000_000_000 + start, 2_000_000_000 + start + 1000))
        for kind in (RecordKind.CUSTOMER, RecordKind.INVOICE):
            run = run.with_vanished(kind, ids)

    check_storable(encode(run))
    assert len(run.vanished(INVOICE)) == MAX_VANISHED


def test_a_bulk_deletion_is_a_problem_that_a_person_decides_about() -> None:
    bench = Bench()
    bench.psa.put(a_customer(11), *map(an_invoice, range(1001, 1031)))
    bench.run(RunKind.IMPORT)
    bench.psa.delete(INVOICE, *range(1001, 1031))

    bench.run(RunKind.SWEEP)

    assert [code for code, _ in bench.open_problems()] == [ProblemCode.MASS_ARCHIVE_STOPPED]
