"""A search key leads from a search term to a record; it is a small item of its own.

# invoice by number      PARTNER#{p}#INVOICE_NUMBER    {folded number} {invoice id}
# invoice by amount      PARTNER#{p}#INVOICE_AMOUNT    {minor units} {invoice id}
# customer by word       PARTNER#{p}#CUSTOMER_WORD     {folded word} {folded name} {customer id}

A key is written before its record and stays when the record is found by another one from then on.
So a reader of keys looks at their records, too, and passes over keys that lead astray.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bridge.domain.customer import Customer
from bridge.domain.invoice import Invoice
from bridge.domain.search_terms import amounts_of, fold_name, fold_number, words_of
from bridge.ports import CustomerQuery, InvoiceQuery
from bridge.store.key_parts import Key, partner_part
from bridge.store.keys import LAST

R = TypeVar("R")

SEARCH_IS_COMPLETE = Key("SEARCH_KEYS", "COMPLETE")
"""The item that exists since all stored records have their search keys."""
# Ends a folded text, which holds single spaces only: so a text differs from a longer one's start.
_END = "\t#"
_NAME_CHARACTERS = 100
"""By so much of their names the customers of a word are sorted; a sort key has 1,024 bytes."""


@dataclass(frozen=True, slots=True)
class SearchPath(Generic[R]):
    """A path is a range of search keys that holds every record that a question may mean."""

    pk: str
    low: str
    place_of: Callable[[R], str | None]
    """Returns the sort key by which the path lists a record, if it does."""

    @property
    def high(self) -> str:
        return self.low + LAST


def invoice_search_keys(invoice: Invoice) -> frozenset[Key]:
    number = fold_number(invoice.number)
    numbered = [(_numbers_pk(invoice.partner_id), f"{number}{_END}")] if number else []
    priced = [(_amounts_pk(invoice.partner_id), f"{each}{_END}") for each in amounts_of(invoice)]
    return frozenset(Key(pk, start + invoice.invoice_id) for pk, start in (*numbered, *priced))


def customer_search_keys(customer: Customer) -> frozenset[Key]:
    pk = _words_pk(customer.partner_id)
    name = fold_name(customer.name)[:_NAME_CHARACTERS]
    ending = f"\t{name}{_END}{customer.customer_id}"
    return frozenset(Key(pk, word + ending) for word in words_of(customer.name))


def invoice_path(partner_id: str, query: InvoiceQuery) -> SearchPath[Invoice] | None:
    """Return the path of the number or the amount that is asked for, None for other questions."""
    number = fold_number(query.number or "")
    if number:
        low = number + _END if query.is_whole_number else number
        return _path(_numbers_pk(partner_id), low, invoice_search_keys)
    if query.amount_minor is not None:
        return _path(_amounts_pk(partner_id), f"{query.amount_minor}{_END}", invoice_search_keys)
    return None


def customer_path(partner_id: str, query: CustomerQuery) -> SearchPath[Customer] | None:
    """Return the path of the longest word that is asked for, if any is."""
    longest = max(words_of(query.name or ""), key=len, default="")
    return _path(_words_pk(partner_id), longest, customer_search_keys) if longest else None


def _path(pk: str, low: str, keys_of: Callable[[R], frozenset[Key]]) -> SearchPath[R]:
    def place_of(record: R) -> str | None:
        places = (key.sk for key in keys_of(record) if key.pk == pk and key.sk.startswith(low))
        # Several words of one name may begin alike; the record is listed once.
        return min(places, default=None)

    return SearchPath(pk, low, place_of)


def _numbers_pk(partner_id: str) -> str:
    return f"{partner_part(partner_id)}#INVOICE_NUMBER"


def _amounts_pk(partner_id: str) -> str:
    return f"{partner_part(partner_id)}#INVOICE_AMOUNT"


def _words_pk(partner_id: str) -> str:
    return f"{partner_part(partner_id)}#CUSTOMER_WORD"
