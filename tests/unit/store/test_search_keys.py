"""A search key is found by the beginning of what it is made of, and by nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.identity import new_id
from bridge.ports import CustomerQuery, InvoiceQuery
from bridge.store.keys import listed_id
from bridge.store.search_keys import (
    customer_path,
    customer_search_keys,
    invoice_path,
    invoice_search_keys,
)
from tests.builders.records import PARTNER, a_customer, an_invoice

TEXTS = st.text(st.sampled_from("aA01 -#\té"), max_size=6)
MAX_KEY_BYTES = 1024
"""DynamoDB's limit of a sort key."""


@given(number=TEXTS, typed=TEXTS, is_whole=st.booleans())
def test_the_path_of_a_number_holds_exactly_the_invoices_that_match(
    number: str, typed: str, *, is_whole: bool
) -> None:
    invoice = an_invoice(number=number)
    query = InvoiceQuery(number=typed, is_whole_number=is_whole)
    path = invoice_path(PARTNER, query)
    if path is not None:
        assert (path.place_of(invoice) is not None) == query.matches(invoice)


@given(name=TEXTS, typed=TEXTS)
def test_the_path_of_a_word_holds_every_customer_that_matches_once(name: str, typed: str) -> None:
    customer, query = a_customer(name=name), CustomerQuery(name=typed)
    path = customer_path(PARTNER, query)
    if path is not None and query.matches(customer):
        place = path.place_of(customer)
        assert place is not None
        assert path.low <= place <= path.high


@given(amount=st.integers(-200, 200), typed=st.integers(-200, 200))
def test_the_path_of_an_amount_is_exact(amount: int, typed: int) -> None:
    invoice, query = an_invoice(total_minor=amount), InvoiceQuery(amount_minor=typed)
    path = invoice_path(PARTNER, query)
    assert path is not None
    assert (path.place_of(invoice) is not None) == query.matches(invoice)


@given(st.text())
def test_every_search_key_fits_and_leads_to_its_record(text: str) -> None:
    invoice, customer = an_invoice(number=text), a_customer(name=text)
    found = [(key, invoice.invoice_id) for key in invoice_search_keys(invoice)]
    found += [(key, customer.customer_id) for key in customer_search_keys(customer)]
    for key, record_id in found:
        assert listed_id(key.sk) == record_id
        assert key.pk.startswith(f"PARTNER#{PARTNER}#")
        assert len(key.sk.encode()) <= MAX_KEY_BYTES


def test_platform_invoices_have_search_keys_too() -> None:
    invoice = an_invoice(invoice_id=new_id())
    assert {listed_id(key.sk) for key in invoice_search_keys(invoice)} == {invoice.invoice_id}
