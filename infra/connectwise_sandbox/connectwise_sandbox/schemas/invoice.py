"""Invoices and their payments have these fields."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectwise_sandbox.schemas.base import Amount, Entity, Flag, Model, Moment, Whole
from connectwise_sandbox.schemas.choices import InvoiceType, PaymentSource
from connectwise_sandbox.schemas.custom_fields import CustomFieldValue
from connectwise_sandbox.schemas.references import (
    AgreementReference,
    BillingStatusReference,
    CurrencyReference,
    IdentifiedReference,
    InvoiceReference,
    MemberReference,
    NumberedReference,
    Reference,
    TicketReference,
)

ApplyToType = Literal["All", "Agreement", "Project", "ProjectPhase", "SalesOrder", "Ticket"]
PaymentSyncStatus = Literal["Unapplied", "Applied", "Synced"]


class Invoice(Entity):
    """An invoice bills a company: `balance` is `total` less `payments` and `credits`."""

    invoice_number: str | None = Field(default=None, max_length=15)
    type: InvoiceType
    status: BillingStatusReference | None = None
    company: IdentifiedReference
    bill_to_company: IdentifiedReference | None = None
    ship_to_company: IdentifiedReference | None = None
    account_number: str | None = None
    apply_to_type: ApplyToType | None = None
    apply_to_id: Whole | None = None
    attention: str | None = Field(default=None, max_length=60)
    ship_to_attention: str | None = Field(default=None, max_length=60)
    billing_site: Reference | None = None
    billing_site_address_line1: str | None = None
    billing_site_address_line2: str | None = None
    billing_site_city: str | None = None
    billing_site_state: str | None = None
    billing_site_zip: str | None = None
    billing_site_country: str | None = None
    shipping_site: Reference | None = None
    shipping_site_address_line1: str | None = None
    shipping_site_address_line2: str | None = None
    shipping_site_city: str | None = None
    shipping_site_state: str | None = None
    shipping_site_zip: str | None = None
    shipping_site_country: str | None = None
    billing_terms: Reference | None = None
    reference: str | None = Field(default=None, max_length=50)
    customer_po: str | None = Field(default=None, alias="customerPO", max_length=50)
    template_setup_id: Whole | None = None
    invoice_template: Reference | None = None
    email_template_id: Whole | None = None
    add_to_batch_email_list: Flag | None = None
    date: Moment | None = None
    restrict_downpayment_flag: Flag | None = None
    location_id: Whole | None = None
    location: Reference | None = None
    department_id: Whole | None = None
    department: Reference | None = None
    territory_id: Whole | None = None
    territory: Reference | None = None
    top_comment: str | None = None
    bottom_comment: str | None = None
    taxable_flag: Flag | None = None
    tax_code: Reference | None = None
    internal_notes: str | None = None
    downpayment_previously_taxed_flag: Flag | None = None
    service_total: Amount | None = None
    override_down_payment_amount_flag: Flag | None = None
    currency: CurrencyReference | None = None
    due_date: Moment | None = None
    expense_total: Amount | None = None
    product_total: Amount | None = None
    previous_progress_applied: Amount | None = None
    service_adjustment_amount: Amount | None = None
    agreement_amount: Amount | None = None
    downpayment_applied: Amount | None = None
    subtotal: Amount | None = None
    total: Amount | None = None
    remaining_downpayment: Amount | None = None
    sales_tax: Amount | None = None
    adjustment_reason: str | None = None
    adjusted_by: str | None = None
    closed_by: str | None = None
    payments: Amount | None = None
    credits: Amount | None = None
    balance: Amount | None = None
    special_invoice_flag: Flag | None = None
    billing_setup_reference: Reference | None = None
    ticket: TicketReference | None = None
    project: Reference | None = None
    phase: Reference | None = None
    sales_order: NumberedReference | None = None
    agreement: AgreementReference | None = None
    gl_batch: Reference | None = None
    unbatched_batch: Reference | None = None
    custom_fields: list[CustomFieldValue] | None = None


class ClosedInvoice(Entity):
    """A closed invoice lets these fields change."""

    status: BillingStatusReference | None = None
    internal_notes: str | None = None


class WisePayBatchPayment(Model):
    """This is the batch of ConnectWise's own payment product that brought a payment."""

    amount: Amount | None = None
    wise_pay_href: str | None = None


class WisePayFeeInvoice(Model):
    """This invoice bills the fee of ConnectWise's own payment product."""

    id: Whole | None = None
    invoice_number: str | None = None
    amount: Amount | None = None
    invoice_href: str | None = None


class WisePayPayment(Model):
    """These details describe a payment made by ConnectWise's own payment product."""

    payment_date_utc: str | None = None
    wise_pay_reference: str | None = None
    batch_payment: WisePayBatchPayment | None = None
    fee_invoice: WisePayFeeInvoice | None = None


class InvoicePayment(Entity):
    """A payment pays one invoice with money or, through `credit`, with a credit memo."""

    type: str | None = None
    source: PaymentSource | None = None
    invoice: InvoiceReference | None = None
    credit: InvoiceReference | None = None
    amount: Amount | None = None
    balance: Amount | None = None
    invoice_balance: Amount | None = None
    invoice_total: Amount | None = None
    payment_date: Moment | None = None
    applied_by: str | None = None
    wise_pay_payment: WisePayPayment | None = None
    payment_sync_status: PaymentSyncStatus | None = None
    gl_batch_id: str | None = Field(default=None, alias="glBatchID", max_length=50)
    payment_sync_date: Moment | None = None
    payment_account: str | None = None
    ar_payment_account: str | None = Field(default=None, alias="aRPaymentAccount")


class InvoiceRouting(Entity):
    """A routing is one step in the review of an invoice."""

    invoice: InvoiceReference | None = None
    sequence_number: Whole | None = None
    member: MemberReference | None = None
    reviewed_flag: Flag | None = None
    date_reviewed_utc: Moment | None = Field(default=None, alias="dateReviewedUTC")
