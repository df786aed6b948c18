"""Random domain objects, from the type hints of the domain itself."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

from hypothesis import strategies as st

from bridge.domain.connection import CallbackSecret, Connection, PsaAddress
from bridge.domain.customer import Address, Archive, Customer, NamedRef
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from bridge.domain.identity import mirrored_id
from bridge.domain.invoice import BillingStatus, Invoice, LineItem
from bridge.domain.money import MAX_AMOUNT_MINOR, MAX_DECIMALS, Currency
from bridge.domain.payment import Payment
from bridge.domain.problem import Problem
from bridge.domain.run import Counters, Run
from tests.builders.records import CONNECTION, PARTNER

T = TypeVar("T")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001  # made aware here
    lambda moment: moment.replace(tzinfo=UTC)
)
amounts_minor = st.integers(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR)
source_ids = st.integers(1, 9_999_999_999)
currencies = st.builds(
    Currency,
    code=st.from_regex(r"[A-Z]{3}", fullmatch=True),
    decimals=st.integers(0, MAX_DECIMALS),
)

st.register_type_strategy(str, texts)
st.register_type_strategy(int, amounts_minor)
st.register_type_strategy(datetime, moments)
st.register_type_strategy(date, st.dates(date(1990, 1, 1), date(2100, 1, 1)))
st.register_type_strategy(Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=4))
st.register_type_strategy(Currency, currencies)

mirrored_ids = st.sampled_from([mirrored_id(CONNECTION, i) for i in (1, 7, 1001, 9_999_999_999)])


def whole(record_type: type[T], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """Every field of a dataclass, those with defaults too."""
    names = (field.name for field in dataclasses.fields(cast(Any, record_type)))
    inferred: Any = {name: ... for name in names if name not in given}
    return st.builds(record_type, **inferred, **given)


for part in (
    Address,
    Archive,
    BillingStatus,
    CallbackSecret,
    Counters,
    CustomerFilter,
    ImportFilters,
    InvoiceFilter,
    LineItem,
    NamedRef,
    PsaAddress,
):
    st.register_type_strategy(part, whole(part))

_ours = {"partner_id": st.just(PARTNER)}
_of_connection = {**_ours, "connection_id": st.just(CONNECTION)}

connections = whole(Connection, **_of_connection)
customers = whole(Customer, customer_id=mirrored_ids, **_of_connection)
payments = whole(Payment, payment_id=mirrored_ids, customer_id=mirrored_ids, **_of_connection)
invoices = whole(
    Invoice,
    invoice_id=mirrored_ids,
    customer_id=mirrored_ids,
    payments=st.lists(payments, max_size=3, unique_by=lambda p: p.payment_id).map(tuple),
    **_of_connection,
)
runs = whole(Run, **_of_connection)
problems = whole(Problem, **_of_connection)
