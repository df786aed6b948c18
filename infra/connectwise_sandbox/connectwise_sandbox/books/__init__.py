"""A seed makes a provider's books: setup tables, customers, two years of billing."""

from __future__ import annotations

from random import Random

from connectwise_sandbox.books.billing import bill_two_years
from connectwise_sandbox.books.custom_fields import CustomFields
from connectwise_sandbox.books.customers import enter_customers
from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.books.setup_tables import enter_setup_tables
from connectwise_sandbox.tenant import Tenant

MAX_CUSTOMERS = 20_000
MAX_INVOICES = 100_000


def open_books(tenant: Tenant, *, seed: int, customers: int, invoices: int) -> None:
    """Fill an empty tenant; the same seed, sizes and present day give the same books.

    Raises ValueError for sizes below 1 customer or 0 invoices, or above the maxima.
    """
    if not 1 <= customers <= MAX_CUSTOMERS or not 0 <= invoices <= MAX_INVOICES:
        raise ValueError(f"1 to {MAX_CUSTOMERS} customers and up to {MAX_INVOICES} invoices")
    pen = Pen(tenant, Random(f"books {seed}"))
    enter_setup_tables(pen)
    custom_fields = CustomFields(pen)
    enter_customers(pen, customers, custom_fields)
    bill_two_years(pen, invoices, custom_fields)
