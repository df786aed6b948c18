"""Random records: they come back as they went in, and every walk of a list is whole and sorted."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.customer import ArchiveReason, Customer
from bridge.domain.identity import mirrored_id
from bridge.domain.invoice import Invoice, InvoiceState
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.search_terms import begins_words, fold_name, words_of
from bridge.ports import CustomerQuery, InvoiceQuery, Stored
from tests.builders import strategies
from tests.builders.records import CONNECTION, a_customer, an_invoice
from tests.contract.conftest import Stores
from tests.contract.walk import walk
from tests.fakes.clock import START

# The stores of one test serve all its examples; each example is a partner of its own.
_partners = (f"partner-{number}" for number in itertools.count(1))
on_one_store = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

_ORDER = (
    InvoiceState.OPEN,
    InvoiceState.PARTIALLY_PAID,
    InvoiceState.PAID,
    InvoiceState.ARCHIVED,
)
_names = st.text(st.sampled_from("aAbBéß #\t1"), max_size=4)
_days = st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 5))


@on_one_store
@given(invoice=strategies.invoices)
def test_any_invoice_comes_back_as_it_went_in(stores: Stores, invoice: Invoice) -> None:
    invoice = _moved_to(next(_partners), invoice)
    stores.records.save(invoice, expected_version=0, change_fingerprint="m")
    stored = stores.records.get(INVOICES, invoice.partner_id, invoice.invoice_id)
    assert stored == Stored(invoice, 1, "m")


@on_one_store
@given(customer=strategies.customers)
def test_any_customer_comes_back_as_it_went_in(stores: Stores, customer: Customer) -> None:
    customer = replace(customer, partner_id=next(_partners))
    stores.records.save(customer, expected_version=0)
    stored = stores.records.get(CUSTOMERS, customer.partner_id, customer.customer_id)
    assert stored == Stored(customer, 1)


@on_one_store
@given(
    drafts=st.lists(
        st.tuples(_days, st.sampled_from([11000, 5000, 0]), st.booleans()), max_size=12
    ),
    query=st.builds(
        InvoiceQuery,
        state=st.none() | st.sampled_from(InvoiceState),
        customer_id=st.none() | st.sampled_from([mirrored_id(CONNECTION, i) for i in (11, 12)]),
        number=st.none() | st.sampled_from(["", "i", "INV-0", "inv-1"]),
        amount_minor=st.none() | st.sampled_from([11000, 5000, 7]),
        due_from=_days,
        due_to=_days,
    ),
    limit=st.integers(1, 5),
)
def test_any_walk_of_invoices_gives_each_once_and_in_order(
    stores: Stores,
    drafts: list[tuple[date | None, int, bool]],
    query: InvoiceQuery,
    limit: int,
) -> None:
    partner_id = next(_partners)
    invoices = [_drafted(partner_id, i, *draft) for i, draft in enumerate(drafts, start=1)]
    for invoice in invoices:
        stores.records.save(invoice, expected_version=0)
    expected = [invoice for invoice in invoices if query.matches(invoice)]
    found = walk(lambda c: stores.records.list_invoices(partner_id, query, limit=limit, cursor=c))
    assert sorted(found, key=_list_order) == sorted(map(_listed, expected), key=_list_order)
    if not query.number and query.amount_minor is None:
        assert found == sorted(found, key=_list_order)


@on_one_store
@given(names=st.lists(_names, max_size=12), beginning=_names, limit=st.integers(1, 5))
def test_any_walk_of_customers_gives_each_once_and_in_order(
    stores: Stores, names: list[str], beginning: str, limit: int
) -> None:
    partner_id = next(_partners)
    for source_id, name in enumerate(names, start=1):
        customer = a_customer(source_id, name=name, partner_id=partner_id)
        stores.records.save(customer, expected_version=0)
    query = CustomerQuery(name=beginning)
    found = walk(lambda c: stores.records.list_customers(partner_id, query, limit=limit, cursor=c))
    if not words_of(beginning):
        folded = [fold_name(customer.name) for customer in found]
        assert folded == sorted(folded)
    expected = [name for name in names if begins_words(beginning, name)]
    assert sorted(customer.name for customer in found) == sorted(expected)


def _moved_to(partner_id: str, invoice: Invoice) -> Invoice:
    payments = tuple(replace(payment, partner_id=partner_id) for payment in invoice.payments)
    return replace(invoice, partner_id=partner_id, payments=payments)


def _drafted(
    partner_id: str, source_id: int, due_on: date | None, balance_minor: int, is_archived: bool
) -> Invoice:
    invoice = an_invoice(
        source_id,
        partner_id=partner_id,
        due_on=due_on,
        balance_minor=balance_minor,
        customer_id=mirrored_id(CONNECTION, 11 + source_id % 2),
    )
    return invoice.archived(ArchiveReason.BY_PERSON, START) if is_archived else invoice


def _listed(invoice: Invoice) -> Invoice:
    return replace(invoice, line_items=(), payments=())


def _list_order(invoice: Invoice) -> tuple[Any, ...]:
    """Unpaid, paid, archived; then by due date, without one last; then by id as a text."""
    rank = 0 if invoice.is_unpaid else _ORDER.index(invoice.state)
    return rank, invoice.due_on or date.max, invoice.invoice_id
