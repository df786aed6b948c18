"""Closed invoices and payments are handed over to an accounting package."""

from __future__ import annotations

from pydantic import Field

from connectwise_sandbox.schemas.base import Amount, Entity, Flag, Model, Whole
from connectwise_sandbox.schemas.choices import InvoiceType, PaymentSource
from connectwise_sandbox.schemas.invoice import WisePayPayment
from connectwise_sandbox.schemas.references import (
    CurrencyReference,
    ExpenseDetailReference,
    IdentifiedReference,
    InvoiceReference,
    NumberedReference,
    Reference,
)


class AccountingBatch(Entity):
    """An accounting batch locks the records that were handed over together."""

    batch_identifier: str | None = None
    export_invoices_flag: Flag | None = None
    export_expenses_flag: Flag | None = None
    export_products_flag: Flag | None = None
    closed_flag: Flag | None = None


class CreateAccountingBatchRequest(Model):
    """This order makes a batch of the unposted records with the given ids."""

    id: Whole | None = None
    batch_identifier: str | None = Field(default=None, max_length=50)
    gl_interface_identifier: str | None = None
    export_invoices_flag: Flag | None = None
    export_expenses_flag: Flag | None = None
    export_products_flag: Flag | None = None
    processed_record_ids: list[Whole]
    summarize_expenses: Flag | None = None


class BatchEntry(Entity):
    """A batch entry is one booking in a batch."""

    account_type: str | None = None
    name: str | None = None
    account_number: str | None = None
    debit: Amount | None = None
    credit: Amount | None = None
    cost: Amount | None = None
    item: str | None = None
    sales_code: str | None = None
    cost_of_goods_sold_account_number: str | None = None
    invoice: InvoiceReference | None = None
    purchase_order: Reference | None = None
    line_item: NumberedReference | None = None
    transfer: str | None = None
    expense: ExpenseDetailReference | None = None
    adjustment_detail: Reference | None = None


class UnpostedInvoice(Entity):
    """An unposted invoice is closed and awaits its batch; `id` is that of its ledger record."""

    billing_log_id: Whole | None = None
    """The id of the invoice."""
    location_id: Whole | None = None
    location: Reference | None = None
    department_id: Whole | None = None
    department: IdentifiedReference | None = None
    company: IdentifiedReference | None = None
    account_number: str | None = None
    bill_to_company: IdentifiedReference | None = None
    bill_to_site: Reference | None = None
    ship_to_company: IdentifiedReference | None = None
    ship_to_site: Reference | None = None
    invoice_number: str | None = None
    invoice_date: str | None = None
    invoice_type: InvoiceType | None = None
    description: str | None = None
    billing_terms: Reference | None = None
    due_days: str | None = None
    due_date: str | None = None
    currency: CurrencyReference | None = None
    sub_total: Amount | None = None
    total: Amount | None = None
    has_time: Flag | None = None
    has_expenses: Flag | None = None
    has_products: Flag | None = None
    invoice_taxable_flag: Flag | None = None
    tax_code: Reference | None = None
    avalara_tax_flag: Flag | None = None
    item_taxable_flag: Flag | None = None
    sales_tax_amount: Amount | None = None
    state_tax_flag: Flag | None = None
    state_tax_xref: str | None = None
    state_tax_amount: Amount | None = None
    county_tax_flag: Flag | None = None
    county_tax_xref: str | None = None
    county_tax_amount: Amount | None = None
    city_tax_flag: Flag | None = None
    city_tax_xref: str | None = None
    city_tax_amount: Amount | None = None
    country_tax_flag: Flag | None = None
    country_tax_xref: str | None = None
    country_tax_amount: Amount | None = None
    composite_tax_flag: Flag | None = None
    composite_tax_xref: str | None = None
    composite_tax_amount: Amount | None = None
    level_six_tax_flag: Flag | None = None
    level_six_tax_xref: str | None = None
    level_six_tax_amount: Amount | None = None
    created_by: str | None = None
    date_closed: str | None = None


class UnpostedPayments(Entity):
    """An unposted payment awaits its batch."""

    type: str | None = None
    source: PaymentSource | None = None
    invoice: InvoiceReference | None = None
    amount: Amount | None = None
    payment_date: str | None = None
    applied_by: str | None = None
    wise_pay_payment: WisePayPayment | None = None
    payment_sync_status: str | None = None
    payment_sync_date: str | None = None
    payment_account: str | None = None
    ar_payment_account: str | None = Field(default=None, alias="aRPaymentAccount")


class GLEntry(Entity):
    """A GL entry is one side of an invoice's booking in the ledger."""

    type: str | None = None
    amount: Amount | None = None
    description: str | None = Field(default=None, max_length=100)
    segment1: str | None = Field(default=None, max_length=255)
    segment2: str | None = Field(default=None, max_length=255)
    segment3: str | None = Field(default=None, max_length=255)
    segment4: str | None = Field(default=None, max_length=255)
    segment5: str | None = Field(default=None, max_length=255)
    segment6: str | None = Field(default=None, max_length=255)
    segment7: str | None = Field(default=None, max_length=255)
    segment8: str | None = Field(default=None, max_length=255)
    segment9: str | None = Field(default=None, max_length=255)
    segment10: str | None = Field(default=None, max_length=255)
    product_id: str | None = Field(default=None, max_length=255)
    cost: Amount | None = None
    sales_code: str | None = Field(default=None, max_length=255)
    inventory: str | None = Field(default=None, max_length=255)
    cogs1: str | None = Field(default=None, max_length=255)
    cogs2: str | None = Field(default=None, max_length=255)
    cogs3: str | None = Field(default=None, max_length=255)
    cogs4: str | None = Field(default=None, max_length=255)
    cogs5: str | None = Field(default=None, max_length=255)
    cogs6: str | None = Field(default=None, max_length=255)
    cogs7: str | None = Field(default=None, max_length=255)
    cogs8: str | None = Field(default=None, max_length=255)
    cogs9: str | None = Field(default=None, max_length=255)
    cogs10: str | None = Field(default=None, max_length=255)
    is_batched: Flag | None = None
