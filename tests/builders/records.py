"""Customers, invoices and payments."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from bridge.domain.customer import Address, Customer, NamedRef
from bridge.domain.identity import Origin, mirrored_id
from bridge.domain.invoice import BillingStatus, Invoice, LineItem, LineKind
from bridge.domain.money import Currency
from bridge.domain.payment import Payment, PaymentKind

PARTNER = "partner-a"
OTHER_PARTNER = "partner-b"
CONNECTION = "c0" * 16
OTHER_CONNECTION = "d1" * 16
USD = Currency("USD", 2)
OPEN_STATUS = BillingStatus(1, "New", is_closed=False)


def a_customer(source_id: int = 11, **changes: Any) -> Customer:
    """A mirrored customer; its id follows from ``connection_id`` and ``source_id``."""
    connection_id = changes.get("connection_id", CONNECTION)
    customer = Customer(
        customer_id=mirrored_id(connection_id, source_id),
        partner_id=PARTNER,
        origin=Origin.CONNECTWISE,
        name="Northwind Dental",
        connection_id=connection_id,
        source_id=source_id,
        identifier="Northwind",
        email="billing@northwind.example",
        phone="5550100",
        account_number="A-11",
        address=Address(line_1="1 Quay Street", city="Tampa", state="FL", zip="33601"),
        status=NamedRef(1, "Active"),
        types=(NamedRef(2, "Client"),),
        territory=NamedRef(3, "South"),
        billing_terms=NamedRef(4, "Net 30"),
        currency_code="USD",
        contact_ids=(501,),
    )
    return replace(customer, **changes)


def an_invoice(source_id: int = 1001, **changes: Any) -> Invoice:
    """A mirrored, open invoice of 110.00 with two lines."""
    connection_id = changes.get("connection_id", CONNECTION)
    invoice = Invoice(
        invoice_id=mirrored_id(connection_id, source_id),
        partner_id=PARTNER,
        origin=Origin.CONNECTWISE,
        customer_id=mirrored_id(connection_id, 11),
        number=f"INV-{source_id}",
        currency=USD,
        total_minor=11000,
        balance_minor=11000,
        issued_on=date(2026, 2, 1),
        due_on=date(2026, 3, 3),
        connection_id=connection_id,
        source_id=source_id,
        customer_source_id=11,
        subtotal_minor=10000,
        tax_minor=1000,
        status=OPEN_STATUS,
        line_items=(
            LineItem(LineKind.PRODUCT, "Firewall", 10000, Decimal("2.5"), Decimal("40.00"), 71),
            LineItem(LineKind.ADJUSTMENT, "Taxes and adjustments", 1000),
        ),
    )
    return replace(invoice, **changes)


def a_payment(source_id: int = 9001, *, of: Invoice | None = None, **changes: Any) -> Payment:
    """A payment of 50.00 on an invoice (1001 unless told otherwise)."""
    invoice = of or an_invoice()
    connection_id = invoice.connection_id or CONNECTION
    payment = Payment(
        payment_id=mirrored_id(connection_id, source_id),
        partner_id=invoice.partner_id,
        connection_id=connection_id,
        invoice_id=invoice.invoice_id,
        customer_id=invoice.customer_id,
        source_id=source_id,
        origin=Origin.CONNECTWISE,
        kind=PaymentKind.MONEY,
        amount_minor=5000,
        currency=invoice.currency,
        paid_on=date(2026, 2, 20),
        applied_by="Admin1",
    )
    return replace(payment, **changes)


def a_paid_invoice(source_id: int = 1001, **changes: Any) -> Invoice:
    return an_invoice(source_id, **{"balance_minor": 0, "paid_minor": 11000, **changes})
