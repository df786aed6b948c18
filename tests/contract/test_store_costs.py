"""What writes and lists of records cost at DynamoDB, in write units and queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bridge.ports import CustomerQuery, InvoiceQuery
from infra.local.embedded_aws import EmbeddedAws
from tests.builders.records import PARTNER, a_customer
from tests.contract.conftest import Tables
from tests.contract.record_costs import (
    MARKS,
    PATHS,
    Costs,
    a_usual_invoice,
    fill,
    with_a_payment,
)
from tests.fakes.clock import FakeClock


@pytest.fixture
def costs(aws: EmbeddedAws, tables: Tables, clock: FakeClock) -> Costs:
    return Costs(aws.client("dynamodb"), tables.records, clock)


# --- writes ------------------------------------------------------------------------------------


def test_an_imported_invoice_costs_five_write_units(costs: Costs) -> None:
    """One for the invoice, one in each of two indexes, two for its search keys."""
    assert costs.write_units(a_usual_invoice()) == 5
    assert costs.meter.requests == ["PutItem", "PutItem", "PutItem"]


def test_an_invoice_that_comes_with_a_payment_costs_six_more(costs: Costs) -> None:
    """Two for the payment, two in its indexes, one for the transaction, one for the balance."""
    assert costs.write_units(with_a_payment(a_usual_invoice())) == 11


def test_payments_that_come_later_cost_no_index_of_their_invoice(costs: Costs) -> None:
    # Given an invoice whose balance was known before its payments were
    known = with_a_payment(a_usual_invoice())
    costs.write_units(replace(known, payments=(), payments_complete=False))

    assert costs.write_units(known, expected_version=1) == 6


def test_a_changed_invoice_costs_three_write_units(costs: Costs) -> None:
    """One for the invoice, and one in each of two indexes."""
    costs.write_units(a_usual_invoice())

    changed = a_usual_invoice(reference="February")

    assert costs.write_units(changed, expected_version=1) == 3
    assert costs.meter.requests == ["GetItem", "PutItem"]


def test_a_change_that_no_list_shows_costs_one_write_unit(costs: Costs) -> None:
    costs.write_units(a_usual_invoice())

    assert costs.write_units(a_usual_invoice(line_items=()), expected_version=1) == 1


def test_an_invoice_that_is_paid_costs_ten_write_units(costs: Costs) -> None:
    """It moves in both indexes, and its payment comes with it in one transaction."""
    costs.write_units(a_usual_invoice())

    paid = replace(with_a_payment(a_usual_invoice()), balance_minor=0, paid_minor=11000)

    assert costs.write_units(paid, expected_version=1) == 10


def test_a_customer_costs_its_words_besides(costs: Costs) -> None:
    """One for the customer, one in an index, one for each of two words of its name."""
    costs.meter.reset()
    costs.records.save(a_customer(), expected_version=0, change_fingerprint=MARKS)
    assert costs.meter.write_units == 4


# --- lists -------------------------------------------------------------------------------------


COUNT = 5_000


@pytest.fixture(scope="module")
def filled(
    aws: EmbeddedAws, dynamodb: Any, table_definitions: dict[str, dict[str, Any]]
) -> Iterator[Costs]:
    """Thousands of open invoices of one partner, of twenty customers."""
    name = "records-of-lists"
    dynamodb.create_table(TableName=name, **table_definitions["Records"])
    costs = Costs(aws.client("dynamodb"), name, FakeClock())
    fill(dynamodb, name, costs.records, COUNT)
    yield costs
    dynamodb.delete_table(TableName=name)


@pytest.mark.parametrize("query", PATHS.values(), ids=PATHS)
def test_a_page_of_a_named_path_is_one_query(filled: Costs, query: InvoiceQuery) -> None:
    filled.meter.reset()

    page = filled.records.list_invoices(PARTNER, query, limit=20)

    assert filled.meter.counts["Query"] == 1
    assert page.items
    assert all(map(query.matches, page.items))


def test_a_late_page_costs_what_the_first_one_does(filled: Costs) -> None:
    query, cursor, units = InvoiceQuery(number="inv"), None, []
    for _ in range(30):
        filled.meter.reset()
        page = filled.records.list_invoices(PARTNER, query, limit=100, cursor=cursor)
        units.append((filled.meter.counts["Query"], filled.meter.read_units))
        cursor = page.next_cursor
    assert {queries for queries, _ in units} == {1}
    read_units = [each for _, each in units]
    assert max(read_units) <= min(read_units) + 1


def test_words_of_a_name_are_one_query(filled: Costs) -> None:
    filled.meter.reset()

    page = filled.records.list_customers(PARTNER, CustomerQuery(name="many 17"), limit=20)

    assert [customer.source_id for customer in page.items] == [17]
    assert filled.meter.counts["Query"] == 1


def test_a_question_that_hardly_anything_answers_ends_after_five_queries(filled: Costs) -> None:
    filled.meter.reset()

    page = filled.records.list_invoices(PARTNER, InvoiceQuery(currency_code="CAD"), limit=20)

    assert filled.meter.counts["Query"] == 5
    assert page.is_partial
    assert page.next_cursor
