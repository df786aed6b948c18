"""Agreements bill a company in regular cycles."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectwise_sandbox.schemas.base import Amount, Entity, Flag, Moment, Whole
from connectwise_sandbox.schemas.choices import BillableOption, BillingOption, YearCycle
from connectwise_sandbox.schemas.custom_fields import CustomFieldValue
from connectwise_sandbox.schemas.references import (
    AgreementReference,
    CurrencyReference,
    IdentifiedReference,
    InvoiceGroupingReference,
    IvItemReference,
    Reference,
    WorkTypeReference,
)

AgreementStatus = Literal["Active", "Cancelled", "Expired", "Inactive"]
ApplicationUnits = Literal["Amount", "Hours", "Incidents"]
ApplicationCycle = Literal[
    "Contract2Weeks",
    "Contract4Weeks",
    "ContractYear",
    "CalendarMonth",
    "CalendarQuarter",
    "CalendarWeek",
    "ContractQuarter",
    "CalendarYear",
]
CompensationRate = Literal["Actual", "Hourly"]
CompensationLimit = Literal["Billing", "Amount", "Percent"]
PeriodType = Literal["Current", "Future", "Both", "Undefined"]
AffixSide = Literal["Prefix", "Suffix"]


class Agreement(Entity):
    """An agreement is a contract with a company."""

    name: str = Field(max_length=100)
    type: Reference
    company: IdentifiedReference
    contact: Reference
    site: Reference | None = None
    sub_contract_company: IdentifiedReference | None = None
    sub_contract_contact: Reference | None = None
    parent_agreement: AgreementReference | None = None
    customer_po: str | None = Field(default=None, alias="customerPO", max_length=50)
    location: Reference | None = None
    department: IdentifiedReference | None = None
    restrict_location_flag: Flag | None = None
    restrict_department_flag: Flag | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    no_ending_date_flag: Flag | None = None
    opportunity: Reference | None = None
    cancelled_flag: Flag | None = None
    date_cancelled: Moment | None = None
    reason_cancelled: str | None = Field(default=None, max_length=100)
    sla: Reference | None = None
    work_order: str | None = Field(default=None, max_length=20)
    internal_notes: str | None = None
    application_units: ApplicationUnits | None = None
    application_limit: Amount | None = None
    application_cycle: ApplicationCycle | None = None
    application_unlimited_flag: Flag | None = None
    one_time_flag: Flag | None = None
    cover_agreement_time: Flag | None = None
    cover_agreement_product: Flag | None = None
    cover_agreement_expense: Flag | None = None
    cover_sales_tax: Flag | None = None
    carry_over_unused: Flag | None = None
    allow_overruns: Flag | None = None
    expired_days: Whole | None = None
    limit: Whole | None = None
    expire_when_zero: Flag | None = None
    charge_to_firm: Flag | None = None
    employee_comp_rate: CompensationRate | None = None
    employee_comp_not_exceed: CompensationLimit | None = None
    comp_hourly_rate: Amount | None = None
    comp_limit_amount: Amount | None = None
    billing_cycle: Reference | None = None
    bill_one_time_flag: Flag | None = None
    billing_terms: Reference | None = None
    invoicing_cycle: YearCycle | None = None
    bill_to_company: IdentifiedReference | None = None
    bill_to_contact: Reference | None = None
    bill_to_site: Reference | None = None
    bill_amount: Amount | None = None
    taxable: Flag | None = None
    prorate_first_bill: Amount | None = None
    bill_start_date: Moment | None = None
    tax_code: Reference | None = None
    restrict_down_payment: Flag | None = None
    prorate_flag: Flag | None = None
    invoice_prorated_additions_flag: Flag | None = None
    invoice_description: str | None = None
    top_comment: Flag | None = None
    bottom_comment: Flag | None = None
    work_role: Reference | None = None
    work_type: WorkTypeReference | None = None
    project_type: Reference | None = None
    invoice_template: Reference | None = None
    bill_time: BillingOption | None = None
    bill_expenses: BillingOption | None = None
    bill_products: BillingOption | None = None
    billable_time_invoice: Flag | None = None
    billable_expense_invoice: Flag | None = None
    billable_product_invoice: Flag | None = None
    currency: CurrencyReference | None = None
    period_type: PeriodType | None = None
    auto_invoice_flag: Flag | None = None
    next_invoice_date: str | None = None
    company_location: Reference | None = None
    ship_to_company: IdentifiedReference | None = None
    ship_to_contact: Reference | None = None
    ship_to_site: Reference | None = None
    agreement_status: AgreementStatus | None = None
    custom_fields: list[CustomFieldValue] | None = None


class AgreementType(Entity):
    """An agreement type is a template for agreements."""

    name: str = Field(max_length=50)
    prefix_suffix_option: AffixSide | None = None
    default_flag: Flag | None = None
    inactive_flag: Flag | None = None
    pre_payment_flag: Flag | None = None
    invoice_pre_suffix: str | None = Field(default=None, max_length=5)
    location: Reference | None = None
    department: IdentifiedReference | None = None
    restrict_location_flag: Flag | None = None
    restrict_department_flag: Flag | None = None
    sla: Reference | None = None
    application_units: ApplicationUnits | None = None
    application_limit: Amount | None = None
    application_cycle: ApplicationCycle | None = None
    application_unlimited_flag: Flag | None = None
    one_time_flag: Flag | None = None
    cover_agreement_time_flag: Flag | None = None
    cover_agreement_product_flag: Flag | None = None
    cover_agreement_expense_flag: Flag | None = None
    cover_sales_tax_flag: Flag | None = None
    carry_over_unused_flag: Flag | None = None
    allow_overruns_flag: Flag | None = None
    expired_days: Whole | None = None
    limit: Whole | None = None
    expire_when_zero: Flag | None = None
    charge_to_firm_flag: Flag | None = None
    employee_comp_rate: CompensationRate
    employee_comp_not_exceed: CompensationLimit
    comp_hourly_rate: Amount | None = None
    comp_limit_amount: Amount | None = None
    billing_cycle: Reference | None = None
    bill_one_time_flag: Flag | None = None
    billing_terms: Reference | None = None
    invoicing_cycle: YearCycle
    bill_amount: Amount | None = None
    taxable_flag: Flag | None = None
    restrict_down_payment_flag: Flag | None = None
    invoice_description: str | None = Field(default=None, max_length=4000)
    top_comment_flag: Flag | None = None
    bottom_comment_flag: Flag | None = None
    work_role: Reference | None = None
    work_type: WorkTypeReference | None = None
    project_type: Reference | None = None
    invoice_template: Reference | None = None
    bill_time: BillingOption
    bill_expenses: BillingOption
    bill_products: BillingOption
    billable_time_invoice_flag: Flag | None = None
    billable_expense_invoice_flag: Flag | None = None
    billable_product_invoice_flag: Flag | None = None
    integration_xref: str | None = Field(default=None, alias="integrationXRef", max_length=50)
    prorate_flag: Flag | None = None
    email_template: Reference | None = None
    auto_invoice_flag: Flag | None = None
    invoice_prorated_additions_flag: Flag | None = None


class Addition(Entity):
    """An addition is a product that an agreement bills in every cycle."""

    product: IvItemReference
    quantity: Amount | None = None
    less_included: Amount | None = None
    unit_price: Amount | None = None
    unit_cost: Amount | None = None
    bill_customer: BillableOption
    effective_date: Moment | None = None
    cancelled_date: Moment | None = None
    taxable_flag: Flag | None = None
    serial_number: str | None = Field(default=None, max_length=50)
    invoice_description: str | None = Field(default=None, max_length=6000)
    purchase_item_flag: Flag | None = None
    special_order_flag: Flag | None = None
    agreement_id: Whole | None = None
    description: str | None = None
    billed_quantity: Amount | None = None
    uom: str | None = None
    ext_price: Amount | None = None
    ext_cost: Amount | None = None
    sequence_number: Amount | None = None
    margin: Amount | None = None
    prorate_cost: Amount | None = None
    prorate_price: Amount | None = None
    extended_prorate_cost: Amount | None = None
    extended_prorate_price: Amount | None = None
    prorate_current_period_flag: Flag | None = None
    opportunity: Reference | None = None
    agreement_status: AgreementStatus | None = None
    invoice_grouping: InvoiceGroupingReference | None = None
    custom_fields: list[CustomFieldValue] | None = None


class Adjustment(Entity):
    """An adjustment changes once how much an agreement still covers."""

    amount: Amount | None = None
    description: str | None = Field(default=None, max_length=1000)
    effective_date: Moment | None = None
    agreement_id: Whole | None = None
    custom_fields: list[CustomFieldValue] | None = None
