"""From rows to the bridge's customers and invoices."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connectwise.mapping import Owner, to_customer, to_invoice
from bridge.connectwise.wire import (
    CompanyRow,
    ContactRow,
    ExpenseRow,
    InvoiceRow,
    LineRow,
    PaymentRow,
    ProductRow,
    TimeRow,
    parse_row,
)
from bridge.domain.customer import Archive, ArchiveReason, Customer
from bridge.domain.errors import MalformedRecordError
from bridge.domain.identity import Origin
from bridge.domain.invoice import Invoice, InvoiceState, LineItem, LineKind
from bridge.domain.payment import PaymentKind

OWNER = Owner("partner-1", "c" * 32)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def invoice(
    *lines: LineRow, payments: tuple[dict[str, Any], ...] = (), decimals: int = 2, **row: Any
) -> Invoice:
    header = {
        "id": 7,
        "type": "Standard",
        "date": "2026-01-31T00:00:00Z",
        "currency": {"currencyCode": "USD", "numberOfDecimals": decimals},
        "total": Decimal(100),
        "balance": Decimal(100),
        "company": {"id": 1},
    }
    return to_invoice(
        OWNER,
        parse_row(InvoiceRow, header | row),
        lines=lines,
        payments=[parse_row(PaymentRow, each) for each in payments],
    )


def product(**row: Any) -> LineRow:
    return parse_row(ProductRow, {"id": 11, "invoice": {"id": 7}} | row)


def test_an_invoice_belongs_to_its_owner_and_its_payer() -> None:
    it = invoice()

    assert it.invoice_id == f"{'c' * 32}-7"
    assert (it.partner_id, it.connection_id, it.origin) == (
        "partner-1",
        "c" * 32,
        Origin.CONNECTWISE,
    )
    assert (it.customer_id, it.customer_source_id) == (f"{'c' * 32}-1", 1)


@pytest.mark.parametrize(
    ("decimals", "amount", "minor"),
    [(0, "1500", 1500), (2, "94.00000000000001", 9400), (3, "1.234", 1234), (2, "-0.01", -1)],
)
def test_amounts_are_minor_units_of_the_invoices_own_currency(
    decimals: int, amount: str, minor: int
) -> None:
    assert invoice(total=Decimal(amount), decimals=decimals).total_minor == minor


def test_an_amount_finer_than_its_currency_is_malformed() -> None:
    with pytest.raises(MalformedRecordError) as raised:
        invoice(balance=Decimal("94.005"))
    assert raised.value.field == "balance"


def test_the_balance_is_connectwises_own_and_decides_the_state() -> None:
    it = invoice(
        balance=Decimal(40),
        payments=({"id": 1, "amount": Decimal(10)},),
        status={"id": 4, "name": "Paid", "isClosed": True},
    )

    assert (it.balance_minor, it.state) == (4_000, InvoiceState.PARTIALLY_PAID)
    assert it.status is not None
    assert it.status.is_closed


def test_what_an_invoice_carries_beside_money() -> None:
    it = invoice(
        invoiceNumber="INV-1",
        dueDate="2026-02-28T00:00:00Z",
        agreement={"id": 3, "name": "Care", "type": "Managed Services"},
        billingTerms={"id": 2, "name": "Net 30"},
        locationId=5,
        departmentId=6,
        reference="ref",
        customerPO="po",
        glBatch={"id": 9},
        salesTax=Decimal("7.5"),
    )

    assert (it.number, it.due_on, it.is_batched) == ("INV-1", date(2026, 2, 28), True)
    assert (it.agreement_type, it.location_id, it.department_id) == ("Managed Services", 5, 6)
    assert (it.reference, it.purchase_order, it.tax_minor) == ("ref", "po", 750)
    assert it.agreement is not None
    assert it.billing_terms is not None
    assert (it.agreement.name, it.billing_terms.name) == ("Care", "Net 30")


def test_lines_of_every_kind_add_up_with_one_adjustment() -> None:
    lines: list[LineRow] = [
        parse_row(
            ExpenseRow,
            {"id": 31, "invoice": {"id": 7}, "type": {"name": "Mileage"}, "invoiceAmount": 5},
        ),
        parse_row(
            TimeRow,
            {
                "id": 21,
                "invoice": {"id": 7},
                "notes": "On site",
                "extendedInvoiceAmount": Decimal("12.345"),
                "invoiceHours": Decimal("0.5"),
                "hourlyRate": Decimal("24.69"),
            },
        ),
        product(customerDescription="Router", quantity=2, price=Decimal(20), extPrice=Decimal(40)),
    ]

    it = invoice(*lines, agreement={"id": 3, "name": "Care"}, agreementAmount=Decimal(30))

    assert it.line_items == (
        LineItem(LineKind.PRODUCT, "Router", 4_000, Decimal(2), Decimal(20), 11),
        LineItem(LineKind.TIME, "On site", 1_234, Decimal("0.5"), Decimal("24.69"), 21),
        LineItem(LineKind.EXPENSE, "Mileage", 500, source_id=31),
        LineItem(LineKind.AGREEMENT, "Care", 3_000, source_id=3),
        LineItem(LineKind.ADJUSTMENT, "Adjustments", 1_266),
    )


def test_what_was_paid_ahead_and_the_tax_have_lines_of_their_own() -> None:
    it = invoice(
        product(extPrice=Decimal(500)),
        previousProgressApplied=Decimal(120),
        downpaymentApplied=Decimal(300),
        salesTax=Decimal(20),
    )

    assert it.total_minor == 10_000
    assert it.line_items[1:] == (
        LineItem(LineKind.PROGRESS, "Progress billed before", -12_000),
        LineItem(LineKind.DOWN_PAYMENT, "Down payment applied", -30_000),
        LineItem(LineKind.TAX, "Sales tax", 2_000),
    )


@given(
    st.lists(st.decimals(-999, 999, places=4), min_size=4, max_size=4),
    st.decimals(-9_999, 9_999, places=2),
)
def test_lines_add_up_to_the_total_whatever_the_header_holds(
    parts: list[Decimal], total: Decimal
) -> None:
    names = ("previousProgressApplied", "downpaymentApplied", "salesTax", "agreementAmount")

    header: dict[str, Any] = dict(zip(names, parts, strict=True))

    it = invoice(product(extPrice=Decimal("0.005")), total=total, **header)

    assert sum(line.amount_minor for line in it.line_items) == it.total_minor


@pytest.mark.parametrize(
    ("row", "amounts"),
    [
        ({"cancelledFlag": True}, []),
        ({"billableOption": "DoNotBill"}, []),
        ({"billableOption": "NoCharge"}, [0]),
        ({"extPrice": None}, [0]),
        ({}, [10_000]),
    ],
)
def test_what_is_not_billed_is_not_shown_and_what_is_free_costs_nothing(
    row: dict[str, Any], amounts: list[int]
) -> None:
    it = invoice(product(**{"extPrice": Decimal(100)} | row))

    shown = [line.amount_minor for line in it.line_items if line.kind is LineKind.PRODUCT]
    assert shown == amounts


def test_payments_come_in_order_of_id_with_kind_and_day() -> None:
    it = invoice(
        payments=(
            {"id": 9, "amount": Decimal(60), "credit": {"id": 77}, "appliedBy": "b"},
            {"id": 8, "amount": Decimal(40), "paymentDate": "2026-02-01T00:00:00Z"},
        )
    )

    assert [(p.source_id, p.kind, p.amount_minor, p.paid_on) for p in it.payments] == [
        (8, PaymentKind.MONEY, 4_000, date(2026, 2, 1)),
        (9, PaymentKind.CREDIT, 6_000, None),
    ]
    assert it.payments[1].credit_source_id == 77
    assert {p.customer_id for p in it.payments} == {it.customer_id}


def test_a_payment_finer_than_the_currency_is_malformed() -> None:
    with pytest.raises(MalformedRecordError):
        invoice(payments=({"id": 1, "amount": Decimal("0.001")},))


@pytest.mark.parametrize("code", ["usd", "", "DOLLAR"])
def test_an_unknown_form_of_currency_is_malformed(code: str) -> None:
    with pytest.raises(MalformedRecordError):
        invoice(currency={"currencyCode": code, "numberOfDecimals": 2})


# --- customers ---------------------------------------------------------------------------------


def company(**row: Any) -> CompanyRow:
    return parse_row(CompanyRow, {"id": 1, "name": "Acme"} | row)


def contact(source_id: int, *items: dict[str, Any], **fields: Any) -> ContactRow:
    row = {"id": source_id, "communicationItems": list(items), **fields}
    return parse_row(ContactRow, row)


def mail(value: str, *, is_default: bool = False) -> dict[str, Any]:
    return {"communicationType": "Email", "value": value, "defaultFlag": is_default}


def customer(row: CompanyRow, *contacts: ContactRow) -> Customer:
    known = {each.id: each for each in contacts}
    return to_customer(OWNER, row, known, server_time=NOW)


def email(row: CompanyRow, *contacts: ContactRow) -> str:
    return customer(row, *contacts).email


def test_the_default_mail_of_a_contact_goes_before_its_others() -> None:
    phone = {"communicationType": "Phone", "value": "555", "defaultFlag": True}
    row = company(defaultContact={"id": 2})

    assert email(
        row, contact(2, phone, mail("a@x.example"), mail("b@x.example", is_default=True))
    ) == ("b@x.example")
    assert email(row, contact(2, phone, mail("a@x.example"))) == "a@x.example"
    assert email(row, contact(2, phone)) == ""
    assert email(row) == ""


def test_a_billing_contact_without_mail_leaves_it_to_the_default_contact() -> None:
    row = company(billingContact={"id": 2}, defaultContact={"id": 3}, invoiceToEmailAddress=" ")

    assert email(row, contact(2, mail("  ")), contact(3, mail("c@x.example"))) == "c@x.example"


def test_a_contact_that_left_is_passed_over() -> None:
    row = company(billingContact={"id": 2}, defaultContact={"id": 3})
    left = contact(2, mail("left@x.example"), inactiveFlag=True)

    assert email(row, left, contact(3, mail("here@x.example"))) == "here@x.example"
    assert email(row, left) == ""


def test_several_addresses_and_those_of_copies_are_kept_apart() -> None:
    it = customer(
        company(
            invoiceToEmailAddress="a@x.example; b@x.example",
            invoiceCCEmailAddress="c@x.example, d@x.example",
        )
    )

    assert (it.email, it.further_emails) == ("a@x.example", ("b@x.example",))
    assert it.emails == ("a@x.example", "b@x.example")
    assert it.cc_emails == ("c@x.example", "d@x.example")


def test_a_customer_carries_what_filters_and_pages_need() -> None:
    it = to_customer(
        OWNER,
        company(
            identifier="ACME",
            status={"id": 1, "name": "Active"},
            types=[{"id": 2, "name": "Client"}],
            territory={"id": 3, "name": "North"},
            country={"name": "US"},
            addressLine1="1 Main St",
            currency={"currencyCode": "USD"},
            billingContact={"id": 4},
            defaultContact={"id": 4},
        ),
        {},
        server_time=NOW,
    )

    assert it.status is not None
    assert it.territory is not None
    assert (it.status.source_id, it.territory.source_id) == (1, 3)
    assert [each.source_id for each in it.types] == [2]
    assert (it.address.line_1, it.address.country) == ("1 Main St", "US")
    assert (it.currency_code, it.contact_ids) == ("USD", (4,))


@pytest.mark.parametrize(
    ("deleted_at", "at"),
    [
        ("2026-02-01T10:00:00Z", datetime(2026, 2, 1, 10, tzinfo=UTC)),
        ("2026-02-01T10:00:00", datetime(2026, 2, 1, 10, tzinfo=UTC)),
        ("nonsense", NOW),
        (None, NOW),
    ],
)
def test_a_deleted_company_is_archived_when_it_was_deleted(
    deleted_at: str | None, at: datetime
) -> None:
    row = company(deletedFlag=True, dateDeleted=deleted_at)

    archive = to_customer(OWNER, row, {}, server_time=NOW).archive

    assert archive == Archive(ArchiveReason.DELETED_IN_CONNECTWISE, at)
