"""R11, R12: a field that explains never takes its record with it; one that decides takes it alone.

What decides about an invoice is in ``DECIDING``; every other field that is read explains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice, LineItem, LineKind
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.payment import PaymentKind
from tests.unit.connectwise.books import (
    COMPANIES,
    CONTACTS,
    EXPENSES,
    PRODUCTS,
    TIME,
    Books,
    Raw,
    a_company_row,
    a_contact_row,
    a_payment_row,
    a_product_row,
    a_time_row,
    an_expense_row,
    an_invoice_row,
    payments_of,
)
from tests.unit.connectwise.books import INVOICES as INVOICES_ROUTE

DECIDING = {
    "id",
    "type",
    "company",
    "billToCompany",
    "date",
    "dueDate",
    "currency",
    "total",
    "balance",
}
INVOICE_FIELDS = sorted(set(an_invoice_row()) - DECIDING)
COMPANY_FIELDS = sorted(set(a_company_row()) - {"id"})
WORDS = {"billToCompany": "bill-to company", "dueDate": "due date"}

ODD_TEXTS = [
    *("1e1000000", "1e99999999999999999999", "-1e99999999999999999999", "9" * 5_000),
    *("1e308", "1e-320", "0e99999999", "8.2875", "NaN", "-Infinity", '"\\ud800"', '"\\u0000"'),
    *('{"_info":{}}', '{"id":0}', '{"id":"7"}', '{"id":1e3}', "[[[]]]", '"' + "x" * 9_000 + '"'),
    *("[" * 60 + "]" * 60, '{"a":' * 5_000 + "1" + "}" * 5_000),
]
values = st.sampled_from([Raw(text) for text in ODD_TEXTS]) | st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5).filter(lambda text: text.isascii()),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "name", "isClosed", "value"]), inner)
    ),
    max_leaves=4,
)


def books(header: Mapping[str, Any], **rows: list[Any]) -> Books:
    lines = {
        PRODUCTS: rows.get("products", [a_product_row()]),
        TIME: rows.get("time", []),
        EXPENSES: rows.get("expenses", []),
    }
    headers = [header, an_invoice_row(8, invoiceNumber="1043", payments=0, balance=110)]
    payments = rows.get("payments", [a_payment_row()])
    return Books({INVOICES_ROUTE: headers, payments_of(7): payments, **lines})


def mirrored(header: Mapping[str, Any], **rows: list[Any]) -> Invoice:
    """Return the invoice 7 of the books; it and its neighbour must be readable."""
    result = books(header, **rows).psa().fetch(INVOICES, [7, 8])
    assert result.broken == {}
    assert set(result.found) == {7, 8}
    return result.found[7]


def refused(header: Mapping[str, Any], **rows: list[Any]) -> str:
    """Return what is said of the invoice 7; its neighbour must be readable."""
    result = books(header, **rows).psa().fetch(INVOICES, [7, 8])
    assert set(result.found) == {8}
    return result.broken[7]


def decided(invoice: Invoice) -> tuple[object, ...]:
    return (
        *(invoice.total_minor, invoice.balance_minor, invoice.currency, invoice.due_on),
        *(invoice.customer_source_id, sum(line.amount_minor for line in invoice.line_items)),
    )


AS_IT_IS = decided(mirrored(an_invoice_row()))


# --- what explains -----------------------------------------------------------------------------


@given(st.sampled_from(INVOICE_FIELDS), values)
@settings(max_examples=300)
def test_an_explaining_field_of_an_invoice_never_parks_it(field: str, value: object) -> None:
    assert decided(mirrored(an_invoice_row() | {field: value})) == AS_IT_IS


@given(st.sampled_from(["products", "time", "expenses"]), st.data())
@settings(max_examples=300)
def test_no_field_of_a_line_parks_its_invoice(kind: str, data: st.DataObject) -> None:
    row = {"products": a_product_row(), "time": a_time_row(), "expenses": an_expense_row()}[kind]
    field = data.draw(st.sampled_from(sorted(set(row) - {"invoice"})))
    line = {**row, field: data.draw(values)}

    assert decided(mirrored(an_invoice_row(), **{kind: [line]})) == AS_IT_IS


@given(values)
def test_a_line_that_names_no_invoice_costs_no_invoice_anything(value: object) -> None:
    lines = [a_product_row(invoice=value), a_product_row(12)]

    assert mirrored(an_invoice_row(), products=lines).line_items[0].source_id == 12


@given(st.sampled_from(["paymentDate", "appliedBy", "credit"]), values)
def test_an_explaining_field_of_a_payment_never_parks_its_invoice(
    field: str, value: object
) -> None:
    (payment,) = mirrored(an_invoice_row(), payments=[a_payment_row(**{field: value})]).payments

    assert payment.amount_minor == 6_000


@given(st.sampled_from(COMPANY_FIELDS), values)
@settings(max_examples=300)
def test_no_field_but_the_id_parks_a_customer(field: str, value: object) -> None:
    rows = [a_company_row() | {field: value}, a_company_row(3)]
    result = Books({COMPANIES: rows}).psa().fetch(CUSTOMERS, [2, 3])

    assert result.broken == {}
    assert result.found[2].name
    assert result.found[3].name == "Acme Holding"


@given(st.sampled_from(["inactiveFlag", "communicationItems"]), values)
def test_no_field_of_a_contact_parks_a_customer(field: str, value: object) -> None:
    contacts = [a_contact_row(52, **{field: value}), a_contact_row(51, "b@x.example")]
    result = Books({COMPANIES: [a_company_row()], CONTACTS: contacts}).psa().fetch(CUSTOMERS, [2])

    assert result.found[2].email in ("a@x.example", "b@x.example")


def test_a_tax_finer_than_cents_is_rounded_to_the_even_cent() -> None:
    header = an_invoice_row(salesTax=Raw("8.2875"), subtotal=Raw("101.715"))

    invoice = mirrored(header)

    assert (invoice.tax_minor, invoice.subtotal_minor) == (829, 10_172)
    assert [(line.kind, line.amount_minor) for line in invoice.line_items] == [
        (LineKind.PRODUCT, 10_000),
        (LineKind.TAX, 829),
        (LineKind.ADJUSTMENT, 171),
    ]


def test_lines_and_the_agreement_may_be_finer_than_cents() -> None:
    header = an_invoice_row(agreementAmount=Raw("4.9950"), salesTax=Raw("5.0"))

    invoice = mirrored(header, products=[a_product_row(extPrice=Raw("100.0050"))])

    assert [(line.kind, line.amount_minor) for line in invoice.line_items] == [
        (LineKind.PRODUCT, 10_000),
        (LineKind.AGREEMENT, 500),
        (LineKind.TAX, 500),
    ]


@pytest.mark.parametrize("nothing", [{"_info": {}}, {"id": 0}, {"id": None}, {}, "None", 0])
def test_a_reference_to_nothing_is_an_absent_one(nothing: object) -> None:
    references: dict[str, Any] = dict.fromkeys(
        ("status", "agreement", "glBatch", "billingTerms"), nothing
    )

    invoice = mirrored(an_invoice_row(**references, locationId=0, departmentId=0))

    assert (invoice.status, invoice.agreement, invoice.billing_terms) == (None, None, None)
    assert (invoice.is_batched, invoice.location_id, invoice.department_id) == (False, None, None)


@pytest.mark.parametrize("nothing", [{"_info": {}}, {"id": 0}, {"id": None}, {}, None])
def test_a_bill_to_company_without_an_id_leaves_the_company_to_pay(nothing: object) -> None:
    assert mirrored(an_invoice_row(billToCompany=nothing)).customer_source_id == 1


@pytest.mark.parametrize(("number", "shown"), [(1042, "1042"), ("INV-1", "INV-1"), ([], "")])
def test_a_number_may_be_the_number_of_an_invoice(number: object, shown: str) -> None:
    assert mirrored(an_invoice_row(invoiceNumber=number)).number == shown


def test_an_unknown_way_of_billing_shows_the_line_with_its_amount() -> None:
    lines = mirrored(an_invoice_row(), products=[a_product_row(billableOption="Maybe")]).line_items

    assert lines[0] == LineItem(LineKind.PRODUCT, "Router", 10_000, 2, 50, 11)  # type: ignore[arg-type]


def test_payments_are_read_though_the_header_hides_their_sum() -> None:
    invoice = mirrored(
        an_invoice_row(payments="some", credits=None),
        payments=[a_payment_row(credit=None), a_payment_row(id=42, amount=5)],
    )

    assert [payment.kind for payment in invoice.payments] == [PaymentKind.MONEY, PaymentKind.CREDIT]
    assert (invoice.paid_minor, invoice.credited_minor) == (6_000, 500)


def test_a_company_without_a_name_goes_by_its_identifier_or_id() -> None:
    rows = [a_company_row(2, name=""), a_company_row(3, name=[], identifier=None)]

    found = Books({COMPANIES: rows}).psa().fetch(CUSTOMERS, [2, 3]).found

    assert [customer.name for customer in found.values()] == ["Acme", "Company 3"]


# --- what decides ------------------------------------------------------------------------------

NONSENSE: list[object] = [
    *(True, "", "soon", [], [7], {"id": "7"}, {"currencyCode": 7}, -1),
    *(Raw(text) for text in ("1e1000000", "1e99999999999999999999", "9" * 5_000, "NaN")),
    *(Raw("[" * 60 + "]" * 60), Raw("110.005"), Raw("1e300")),
]
HARMLESS: list[tuple[str, object]] = [
    ("dueDate", ""),  # an empty text is none
    ("total", -1),
    ("balance", -1),
    ("company", {"currencyCode": 7}),  # a reference without an id is none
    ("billToCompany", {"currencyCode": 7}),
]


@given(st.sampled_from(sorted(DECIDING - {"id"})), st.sampled_from(NONSENSE))
@example("dueDate", Raw("[" * 100_000 + "]" * 100_000))
@example("total", Raw("[" * 100_000 + "]" * 100_000))
def test_nonsense_in_a_deciding_field_parks_its_record_alone_and_is_told_in_peoples_words(
    field: str, value: object
) -> None:
    if (field, value) in HARMLESS:
        return

    said = refused(an_invoice_row() | {field: value})

    assert said.startswith(f"The {WORDS.get(field, field)} of invoice 1042 ")
    assert said.endswith("Correct it in ConnectWise; it is read again then.")


@given(st.sampled_from(NONSENSE))
def test_nonsense_in_the_amount_of_a_payment_parks_its_invoice_alone(value: object) -> None:
    if value == -1:
        return

    said = refused(an_invoice_row(), payments=[a_payment_row(amount=value)])

    assert said.startswith("The amount of a payment of invoice 1042 ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dueDate": "soon"}, "The due date of invoice 1042 cannot be read."),
        ({"total": None}, "The total of invoice 1042 cannot be read."),
        (
            {"balance": Raw("1.005")},
            "The balance of invoice 1042 has more decimals than its currency.",
        ),
        ({"type": "Hologram"}, "The type of invoice 1042 has an unknown value."),
        (
            {"total": "x", "invoiceNumber": None},
            "The total of the invoice with id 7 cannot be read.",
        ),
        (
            {"currency": {"currencyCode": "USD", "numberOfDecimals": 9}},
            "The currency of invoice 1042 has an impossible number of decimals.",
        ),
    ],
    ids=repr,
)
def test_a_person_is_told_which_field_of_which_invoice(changes: dict[str, Any], said: str) -> None:
    assert refused(an_invoice_row(**changes)) == (
        f"{said} Correct it in ConnectWise; it is read again then."
    )


# --- pages -------------------------------------------------------------------------------------


@given(st.sampled_from(["balance", "total", "payments", "dueDate", "status", "_info"]), values)
@settings(max_examples=200)
def test_no_row_takes_a_list_with_it(field: str, value: object) -> None:
    rows = [an_invoice_row(7, **{field: value}), an_invoice_row(8)]
    page = (
        Books({INVOICES_ROUTE: rows}).psa().list_records(RecordKind.INVOICE, after_id=0, limit=10)
    )

    assert [record.source_id for record in page.records] == [7, 8]


@pytest.mark.parametrize(
    "date", ["Fri, 31 Dec 9999 23:59:59 -1400", "Sat, 01 Jan 10000 00:00:00 GMT", "soon", ""]
)
def test_an_impossible_clock_gives_way_to_our_own(date: str) -> None:
    it = Books({INVOICES_ROUTE: [an_invoice_row()]}, date=date).psa()

    page = it.list_records(RecordKind.INVOICE, after_id=0, limit=10)

    assert page.server_time.year == 2026
