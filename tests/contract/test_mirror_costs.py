"""What a connection's mirror costs at DynamoDB, with all marks, places and the limiter."""

from __future__ import annotations

from statistics import median

import pytest

from bridge.domain.identity import RecordKind
from bridge.domain.job import Job
from infra.local.embedded_aws import EmbeddedAws
from tests.contract.conftest import Tables
from tests.contract.mirror_costs import MirrorWay

INVOICES = 12


@pytest.fixture
def way(aws: EmbeddedAws, tables: Tables) -> MirrorWay:
    return MirrorWay(aws.client("dynamodb"), tables, customers=3, invoices=INVOICES)


def test_an_import_writes_less_than_one_unit_for_two_calls_to_its_limiter(way: MirrorWay) -> None:
    with way.spent() as imported:
        way.run_import()
    # What is no limiter's are the places of its steps.
    assert imported.writes_by["coordination"] <= imported.calls / 2 + 8


def test_a_quiet_hour_writes_one_unit_for_each_kind(way: MirrorWay) -> None:
    # Given a mirror whose last change is longer ago than an overlap, and a claim that is checked
    way.run_import()
    for _ in range(2):
        way.quiet_hour()

    quiet = way.quiet_hour()

    assert quiet[Job.INVOICE_DELTA].calls == 4  # one each quarter of an hour
    assert quiet[Job.INVOICE_DELTA].write_units == 1
    assert quiet[Job.CUSTOMERS].calls == 2  # companies and contacts
    assert quiet[Job.CUSTOMERS].write_units == 1
    # A place is taken and given back.
    assert quiet[Job.PAYMENTS].calls == 0
    assert quiet[Job.PAYMENTS].write_units <= 2
    assert quiet[Job.HEAL_WRITE_BACKS].write_units == 0


def test_a_callback_costs_two_calls_at_most_and_ten_write_units(way: MirrorWay) -> None:
    """One for the invoice, four in its indexes, where a new due date moves it; the rest is for its
    place, its mark and its turns."""
    way.run_import()
    way.quiet_hour()

    with way.spent() as spent:
        way.call_back()

    assert spent.calls <= 2
    assert spent.write_units <= 10
    assert spent.writes_by["records"] == 5


def test_a_comparison_reads_a_quarter_of_a_unit_for_each_invoice(way: MirrorWay) -> None:
    way.run_import()
    sizes = way.stored_bytes(RecordKind.INVOICE)
    assert len(sizes) == INVOICES
    assert median(sizes) <= 1024
    with way.spent() as night:
        way.do(Job.SWEEP)
    assert night.writes_by.get("records", 0) == 0
