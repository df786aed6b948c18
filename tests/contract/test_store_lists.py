"""What every RecordStore does with lists: filters, order, pages and cursors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal
from unicodedata import normalize

import pytest

from bridge.domain.customer import ArchiveReason
from bridge.domain.errors import ConflictError, InvalidInputError
from bridge.domain.identity import mirrored_id
from bridge.domain.invoice import InvoiceState
from bridge.domain.money import Currency
from bridge.ports import CustomerQuery, InvoiceQuery, Page, PaymentQuery
from bridge.store import listing
from tests.builders.records import (
    CONNECTION,
    OTHER_CONNECTION,
    OTHER_PARTNER,
    PARTNER,
    a_customer,
    a_paid_invoice,
    a_payment,
    an_invoice,
)
from tests.contract.conftest import Stores
from tests.contract.walk import walk
from tests.fakes.clock import START

MARCH = date(2026, 3, 1)
EVERYTHING = InvoiceQuery()


@pytest.fixture
def invoices(stores: Stores) -> Stores:
    """Invoices 1 to 9 of two customers, in all states; saved in no order."""
    given = [
        an_invoice(4, due_on=MARCH + timedelta(days=4)),
        an_invoice(2, due_on=None),
        a_paid_invoice(6, due_on=MARCH),
        an_invoice(1, due_on=MARCH, number="17", customer_id=mirrored_id(CONNECTION, 12)),
        an_invoice(3, due_on=MARCH + timedelta(days=2), balance_minor=1),
        a_paid_invoice(5, due_on=MARCH - timedelta(days=9), currency=Currency("CAD", 2)),
        an_invoice(8, number="171", due_on=MARCH).archived(ArchiveReason.BY_PERSON, START),
        an_invoice(7, due_on=MARCH, connection_id=OTHER_CONNECTION),
        an_invoice(9, due_on=MARCH, partner_id=OTHER_PARTNER),
    ]
    for invoice in given:
        stores.records.save(invoice, expected_version=0)
    return stores


def test_unpaid_invoices_come_first_and_then_by_due_date(invoices: Stores) -> None:
    assert listed(invoices, EVERYTHING) == [1, 7, 3, 4, 2, 5, 6, 8]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (InvoiceQuery(state=InvoiceState.OPEN), [1, 7, 4, 2]),
        (InvoiceQuery(state=InvoiceState.PARTIALLY_PAID), [3]),
        (InvoiceQuery(state=InvoiceState.PAID), [5, 6]),
        (InvoiceQuery(state=InvoiceState.ARCHIVED), [8]),
        (InvoiceQuery(connection_id=OTHER_CONNECTION), [7]),
        (InvoiceQuery(customer_id=mirrored_id(CONNECTION, 12)), [1]),
        (InvoiceQuery(customer_id=mirrored_id(CONNECTION, 11)), [3, 4, 2, 5, 6, 8]),
        (InvoiceQuery(customer_id=mirrored_id(CONNECTION, 11), state=InvoiceState.PAID), [5, 6]),
        (InvoiceQuery(customer_id=mirrored_id(CONNECTION, 11), due_to=MARCH), [5, 6, 8]),
        (InvoiceQuery(currency_code="CAD"), [5]),
        (InvoiceQuery(number="17"), [1, 8]),
        (InvoiceQuery(number="17", state=InvoiceState.ARCHIVED), [8]),
        (InvoiceQuery(number="0017"), [1, 8]),
        (InvoiceQuery(number="0017", is_whole_number=True), [1]),
        (InvoiceQuery(number="inv-4"), [4]),
        (InvoiceQuery(number="Inv"), [2, 3, 4, 5, 6, 7]),
        (InvoiceQuery(number="Inv", connection_id=OTHER_CONNECTION), [7]),
        (InvoiceQuery(number="nv-4"), []),
        (InvoiceQuery(amount_minor=11000), [1, 2, 3, 4, 5, 6, 8, 7]),
        (InvoiceQuery(amount_minor=11000, currency_code="CAD"), [5]),
        (InvoiceQuery(amount_minor=1), [3]),
        (InvoiceQuery(amount_minor=1100), []),
        (InvoiceQuery(due_from=MARCH + timedelta(days=1)), [3, 4]),
        (InvoiceQuery(due_to=MARCH), [1, 7, 5, 6, 8]),
        (InvoiceQuery(due_from=MARCH, due_to=MARCH + timedelta(days=2)), [1, 7, 3, 6, 8]),
        (InvoiceQuery(due_from=MARCH + timedelta(days=5)), []),
    ],
)
def test_each_restriction_keeps_what_it_names(
    invoices: Stores, query: InvoiceQuery, expected: list[int]
) -> None:
    assert listed(invoices, query) == expected


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
@pytest.mark.parametrize(
    "query", [EVERYTHING, InvoiceQuery(customer_id=mirrored_id(CONNECTION, 11))]
)
def test_pages_of_any_size_give_each_invoice_once_and_in_order(
    invoices: Stores, query: InvoiceQuery, limit: int
) -> None:
    assert listed(invoices, query, limit=limit) == listed(invoices, query)


def test_a_list_leaves_lines_and_payments_out(stores: Stores) -> None:
    invoice = an_invoice()
    invoice = replace(invoice, payments=(a_payment(of=invoice),))
    stores.records.save(invoice, expected_version=0)
    page = stores.records.list_invoices(PARTNER, EVERYTHING, limit=10)
    assert page == Page((replace(invoice, line_items=(), payments=()),))


def test_an_invoice_moves_in_the_lists_as_it_changes(stores: Stores) -> None:
    invoice = an_invoice(1)
    stores.records.save(invoice, expected_version=0)
    stores.records.save(replace(invoice, balance_minor=0), expected_version=1)
    assert listed(stores, InvoiceQuery(state=InvoiceState.OPEN)) == []
    assert listed(stores, InvoiceQuery(state=InvoiceState.PAID)) == [1]
    elsewhere = replace(invoice, customer_id=mirrored_id(CONNECTION, 12))
    stores.records.save(elsewhere, expected_version=2)
    assert listed(stores, InvoiceQuery(customer_id=invoice.customer_id)) == []
    assert listed(stores, InvoiceQuery(customer_id=elsewhere.customer_id)) == [1]


def test_the_last_page_has_no_cursor(invoices: Stores) -> None:
    page = invoices.records.list_invoices(PARTNER, EVERYTHING, limit=8)
    assert len(page.items) == 8
    assert page.next_cursor is None


def test_a_cursor_serves_its_own_list_only(invoices: Stores) -> None:
    cursor = invoices.records.list_invoices(PARTNER, EVERYTHING, limit=2).next_cursor
    assert cursor is not None
    others: list[Callable[[], object]] = [
        lambda: invoices.records.list_invoices(OTHER_PARTNER, EVERYTHING, limit=2, cursor=cursor),
        lambda: invoices.records.list_invoices(
            PARTNER, InvoiceQuery(number="17"), limit=2, cursor=cursor
        ),
        lambda: invoices.records.list_customers(PARTNER, CustomerQuery(), limit=2, cursor=cursor),
    ]
    for other in others:
        with pytest.raises(InvalidInputError):
            other()


@pytest.mark.parametrize(
    "cursor", ["", "x", "W10=", "é", "eyJhIjoxfQ==", "A" * 5000, "WyJhIiwxLCJiIl0=", "bnVsbA=="]
)
def test_a_cursor_that_was_not_handed_out_is_refused(stores: Stores, cursor: str) -> None:
    with pytest.raises(InvalidInputError):
        stores.records.list_invoices(PARTNER, EVERYTHING, limit=2, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_a_sensible_size(stores: Stores, limit: int) -> None:
    with pytest.raises(InvalidInputError):
        stores.records.list_invoices(PARTNER, EVERYTHING, limit=limit)


def test_a_filter_that_drops_nearly_everything_still_ends(stores: Stores) -> None:
    for source_id in range(1, 61):
        stores.records.save(an_invoice(source_id), expected_version=0)
    cad = an_invoice(61, currency=Currency("CAD", 2))
    stores.records.save(cad, expected_version=0)
    assert listed(stores, InvoiceQuery(currency_code="CAD"), limit=1) == [61]


def test_a_page_whose_work_is_used_up_says_so_and_leads_on(
    on_dynamodb: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MAX_QUERIES", 2)
    monkeypatch.setattr(listing, "_MAX_SIFTED_READ", 4)
    for source_id in range(1, 21):
        on_dynamodb.records.save(an_invoice(source_id), expected_version=0)
    last = an_invoice(21, currency=Currency("CAD", 2), due_on=None)
    on_dynamodb.records.save(last, expected_version=0)
    query = InvoiceQuery(currency_code="CAD")

    first = on_dynamodb.records.list_invoices(PARTNER, query, limit=1)

    assert first.items == ()
    assert first.is_partial
    assert first.next_cursor is not None
    assert listed(on_dynamodb, query, limit=1) == [21]


def test_a_full_page_and_the_last_one_are_not_partial(invoices: Stores) -> None:
    for limit in (1, 8):
        page = invoices.records.list_invoices(PARTNER, EVERYTHING, limit=limit)
        assert not page.is_partial


# --- searching ---------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("query", [InvoiceQuery(number="i"), InvoiceQuery(amount_minor=11000)])
def test_pages_of_a_search_give_each_invoice_once(
    invoices: Stores, query: InvoiceQuery, limit: int
) -> None:
    assert listed(invoices, query, limit=limit) == listed(invoices, query)


def test_an_invoice_is_found_by_what_it_is_now_and_not_by_what_it_was(stores: Stores) -> None:
    invoice = an_invoice(1, number="OLD")
    stores.records.save(invoice, expected_version=0)
    changed = replace(invoice, number="NEW", total_minor=500, balance_minor=500)
    stores.records.save(changed, expected_version=1)

    assert listed(stores, InvoiceQuery(number="old")) == []
    assert listed(stores, InvoiceQuery(amount_minor=11000)) == []
    assert listed(stores, InvoiceQuery(number="new")) == [1]
    assert listed(stores, InvoiceQuery(amount_minor=500)) == [1]

    stores.records.save(invoice, expected_version=2)
    assert listed(stores, InvoiceQuery(number="old")) == [1]


def test_an_exact_number_comes_before_longer_ones(stores: Stores) -> None:
    for source_id, number in enumerate(["170", "17-A", "17", "0017"], start=1):
        stores.records.save(an_invoice(source_id, number=number), expected_version=0)

    assert listed(stores, InvoiceQuery(number="17"))[:2] == [3, 4]


def test_a_refused_write_leaves_nothing_to_be_found(stores: Stores) -> None:
    stores.records.save(an_invoice(1), expected_version=0)
    with pytest.raises(ConflictError):
        stores.records.save(an_invoice(1, number="LATE"), expected_version=0)

    assert listed(stores, InvoiceQuery(number="late")) == []


def test_a_search_sees_what_was_just_written_whole(stores: Stores) -> None:
    stores.records.save(an_invoice(1), expected_version=0)

    page = stores.records.list_invoices(PARTNER, InvoiceQuery(number="inv-1"), limit=10)

    assert page == Page((replace(an_invoice(1), line_items=()),))


def test_no_search_reaches_another_partner(invoices: Stores) -> None:
    for query in (InvoiceQuery(number="inv-9"), InvoiceQuery(amount_minor=11000)):
        assert 9 not in listed(invoices, query)


def test_a_customer_is_found_by_the_beginnings_of_its_words(stores: Stores) -> None:
    names = ["Northwind Dental", "Dental North", "South Wind", "Nor Northern Lights"]
    for source_id, name in enumerate(names, start=1):
        stores.records.save(a_customer(source_id, name=name), expected_version=0)

    assert set(named(stores, CustomerQuery(name="north"))) == {names[0], names[1], names[3]}
    assert set(named(stores, CustomerQuery(name="dent no"))) == {names[0], names[1]}
    assert named(stores, CustomerQuery(name="wind")) == [names[2]]
    assert named(stores, CustomerQuery(name="nor lights"), limit=1) == [names[3]]
    assert named(stores, CustomerQuery(name="orth")) == []


def test_customers_come_by_name_without_regard_to_case(stores: Stores) -> None:
    names = ["beta", "Alpha", "alpha two", "ÉCLAIR", "Ab#1", "Ab", "zeta", "Alpha  Two b"]
    for source_id, name in enumerate(names, start=1):
        stores.records.save(a_customer(source_id, name=name), expected_version=0)
    archived = a_customer(20, name="Alpha gone").archived(ArchiveReason.BY_PERSON, START)
    stores.records.save(archived, expected_version=0)
    assert named(stores, CustomerQuery()) == [
        "Ab",
        "Ab#1",
        "Alpha",
        "alpha two",
        "Alpha  Two b",
        "beta",
        "ÉCLAIR",
        "zeta",
    ]
    assert named(stores, CustomerQuery(name="ALPHA")) == ["Alpha", "alpha two", "Alpha  Two b"]
    assert named(stores, CustomerQuery(name="ab#")) == ["Ab#1"]
    assert named(stores, CustomerQuery(name="écl")) == ["ÉCLAIR"]
    assert named(stores, CustomerQuery(name="nobody")) == []
    assert named(stores, CustomerQuery(is_archived=True)) == ["Alpha gone"]
    assert named(stores, CustomerQuery(), limit=3) == named(stores, CustomerQuery())


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_customer_is_found_however_its_accents_are_written(
    stores: Stores, form: Literal["NFC", "NFD"]
) -> None:
    for source_id, name in enumerate(["Müller", "Mu\u0308ller & Co"], start=1):
        stores.records.save(a_customer(source_id, name=name), expected_version=0)

    found = named(stores, CustomerQuery(name=normalize(form, "MÜLL")), limit=1)

    assert found == ["Müller", "Mu\u0308ller & Co"]


def test_customers_may_have_no_name_or_a_very_long_one(stores: Stores) -> None:
    for source_id, name in enumerate(["", "ß" * 3000, "\t", "\0"], start=1):
        stores.records.save(a_customer(source_id, name=name), expected_version=0)
    assert sorted(named(stores, CustomerQuery(), limit=1)) == sorted(["", "ß" * 3000, "\t", "\0"])
    with pytest.raises(InvalidInputError):
        stores.records.list_customers(PARTNER, CustomerQuery(name="x" * 201), limit=10)


def test_customers_are_kept_apart_by_connection(stores: Stores) -> None:
    stores.records.save(a_customer(1, name="here"), expected_version=0)
    other = a_customer(1, name="there", connection_id=OTHER_CONNECTION)
    stores.records.save(other, expected_version=0)
    assert named(stores, CustomerQuery(connection_id=OTHER_CONNECTION)) == ["there"]


def test_payments_come_latest_first_and_undated_last(stores: Stores) -> None:
    first, second = an_invoice(1), an_invoice(2, customer_id=mirrored_id(CONNECTION, 12))
    day = date(2026, 2, 10)
    first = replace(
        first,
        payments=(
            a_payment(1, of=first, paid_on=day),
            a_payment(2, of=first, paid_on=None),
            a_payment(3, of=first, paid_on=day + timedelta(days=2)),
        ),
    )
    second = replace(second, payments=(a_payment(4, of=second, paid_on=day + timedelta(days=1)),))
    for invoice in (first, second):
        stores.records.save(invoice, expected_version=0)
    assert paid(stores, PaymentQuery()) == [3, 4, 1, 2]
    assert paid(stores, PaymentQuery(), limit=1) == [3, 4, 1, 2]
    assert paid(stores, PaymentQuery(customer_id=second.customer_id)) == [4]
    assert paid(stores, PaymentQuery(customer_id=first.customer_id)) == [3, 1, 2]
    assert paid(stores, PaymentQuery(invoice_id=first.invoice_id)) == [3, 1, 2]
    assert paid(stores, PaymentQuery(invoice_id=mirrored_id(CONNECTION, 99))) == []
    assert paid(stores, PaymentQuery(paid_from=day + timedelta(days=1))) == [3, 4]
    assert paid(stores, PaymentQuery(paid_to=day)) == [1]
    assert paid(stores, PaymentQuery(connection_id=OTHER_CONNECTION)) == []


def listed(stores: Stores, query: InvoiceQuery, *, limit: int = 100) -> list[int | None]:
    pages = walk(lambda c: stores.records.list_invoices(PARTNER, query, limit=limit, cursor=c))
    return [invoice.source_id for invoice in pages]


def named(stores: Stores, query: CustomerQuery, *, limit: int = 100) -> list[str]:
    pages = walk(lambda c: stores.records.list_customers(PARTNER, query, limit=limit, cursor=c))
    return [customer.name for customer in pages]


def paid(stores: Stores, query: PaymentQuery, *, limit: int = 100) -> list[int]:
    pages = walk(lambda c: stores.records.list_payments(PARTNER, query, limit=limit, cursor=c))
    return [payment.source_id for payment in pages]
