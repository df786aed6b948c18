"""Technicians record tickets, time and expenses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectwise_sandbox.schemas.base import (
    Amount,
    Entity,
    Flag,
    Guid,
    Model,
    Moment,
    Whole,
)
from connectwise_sandbox.schemas.choices import BillingOption
from connectwise_sandbox.schemas.custom_fields import CustomFieldValue
from connectwise_sandbox.schemas.references import (
    AgreementReference,
    CurrencyReference,
    IdentifiedReference,
    InvoiceReference,
    MemberReference,
    PriorityReference,
    Reference,
    ServiceStatusReference,
    TicketReference,
    WorkTypeReference,
)

ChargeToType = Literal["Company", "ServiceTicket", "ProjectTicket", "ChargeCode", "Activity"]
EntryStatus = Literal[
    "Open",
    "Rejected",
    "PendingApproval",
    "ErrorsCorrected",
    "PendingProjectApproval",
    "ApprovedByTierOne",
    "RejectBySecondTier",
    "ApprovedByTierTwo",
    "ReadyToBill",
    "Billed",
    "WrittenOff",
    "BilledAgreement",
]
Level = Literal["Low", "Medium", "High"]
BillingMethod = Literal["ActualRates", "FixedFee", "NotToExceed", "OverrideRate"]
TicketType = Literal["ProjectIssue", "ProjectTicket", "ServiceTicket"]


class Ticket(Entity):
    """A ticket asks for service or project work; these are the fields that an integration reads."""

    summary: str = Field(max_length=100)
    record_type: TicketType | None = None
    board: Reference | None = None
    status: ServiceStatusReference | None = None
    company: IdentifiedReference
    site: Reference | None = None
    contact: Reference | None = None
    type: Reference | None = None
    sub_type: Reference | None = None
    item: Reference | None = None
    team: Reference | None = None
    owner: MemberReference | None = None
    priority: PriorityReference | None = None
    source: Reference | None = None
    agreement: AgreementReference | None = None
    agreement_type: str | None = None
    severity: Level | None = None
    impact: Level | None = None
    external_xref: str | None = Field(default=None, alias="externalXRef", max_length=100)
    po_number: str | None = Field(default=None, max_length=50)
    initial_description: str | None = None
    closed_date: str | None = None
    closed_by: str | None = None
    closed_flag: Flag | None = None
    actual_hours: Amount | None = None
    approved: Flag | None = None
    estimated_expense_revenue: Amount | None = None
    estimated_product_revenue: Amount | None = None
    estimated_time_revenue: Amount | None = None
    billing_method: BillingMethod | None = None
    billing_amount: Amount | None = None
    hourly_rate: Amount | None = None
    parent_ticket_id: Whole | None = None
    bill_time: BillingOption | None = None
    bill_expenses: BillingOption | None = None
    bill_products: BillingOption | None = None
    location: Reference | None = None
    department: IdentifiedReference | None = None
    currency: CurrencyReference | None = None
    integrator_tags: list[str] | None = None
    custom_fields: list[CustomFieldValue] | None = None


class TimeEntry(Entity):
    """A time entry is work done; with an invoice reference it is a line of that invoice."""

    company: IdentifiedReference | None = None
    company_type: str | None = None
    charge_to_id: Whole | None = None
    charge_to_type: ChargeToType | None = None
    member: MemberReference | None = None
    location_id: Whole | None = None
    business_unit_id: Whole | None = None
    business_group_desc: str | None = None
    location: Reference | None = None
    department: Reference | None = None
    work_type: WorkTypeReference | None = None
    work_role: Reference | None = None
    agreement: AgreementReference | None = None
    agreement_type: str | None = None
    activity: Reference | None = None
    opportunity_recid: Whole | None = None
    project_activity: str | None = None
    territory: str | None = None
    time_start: Moment
    time_end: Moment | None = None
    hours_deduct: Amount | None = None
    actual_hours: Amount | None = None
    billable_option: BillingOption | None = None
    notes: str | None = None
    internal_notes: str | None = None
    add_to_detail_description_flag: Flag | None = None
    add_to_internal_analysis_flag: Flag | None = None
    add_to_resolution_flag: Flag | None = None
    email_resource_flag: Flag | None = None
    email_contact_flag: Flag | None = None
    email_cc_flag: Flag | None = None
    email_cc: str | None = None
    hours_billed: Amount | None = None
    invoice_hours: Amount | None = None
    hourly_cost: str | None = None
    """A text on the wire."""
    entered_by: str | None = None
    date_entered: Moment | None = None
    invoice: InvoiceReference | None = None
    mobile_guid: Guid | None = None
    hourly_rate: Amount | None = None
    overage_rate: Amount | None = None
    agreement_hours: Amount | None = None
    agreement_amount: Amount | None = None
    agreement_adjustment: Amount | None = None
    adjustment: Amount | None = None
    invoice_ready: Whole | None = None
    time_sheet: Reference | None = None
    status: EntryStatus | None = None
    ticket: TicketReference | None = None
    project: Reference | None = None
    phase: Reference | None = None
    ticket_board: str | None = None
    ticket_status: str | None = None
    ticket_type: str | None = None
    ticket_sub_type: str | None = None
    invoice_flag: Flag | None = None
    extended_invoice_amount: Amount | None = None
    location_name: str | None = None
    tax_code: Reference | None = None
    custom_fields: list[CustomFieldValue] | None = None


class ExpenseTax(Model):
    """This is the tax within an expense."""

    id: Whole | None = None
    amount: Amount | None = None
    type: Reference | None = None


class ExpenseEntry(Entity):
    """An expense entry is money spent; with an invoice reference it is a line of that invoice."""

    expense_report: Reference | None = None
    company: IdentifiedReference | None = None
    charge_to_id: Whole | None = None
    charge_to_type: ChargeToType | None = None
    type: Reference
    member: MemberReference | None = None
    payment_method: Reference | None = None
    classification: Reference | None = None
    amount: Amount
    billable_option: BillingOption | None = None
    date: Moment
    location_id: Whole | None = None
    business_unit_id: Whole | None = None
    notes: str | None = None
    agreement: AgreementReference | None = None
    invoice_amount: Amount | None = None
    mobile_guid: Guid | None = None
    taxes: list[ExpenseTax] | None = None
    invoice: InvoiceReference | None = None
    currency: CurrencyReference | None = None
    status: EntryStatus | None = None
    bill_amount: Amount | None = None
    agreement_amount: Amount | None = None
    odometer_start: Amount | None = None
    odometer_end: Amount | None = None
    ticket: TicketReference | None = None
    project: Reference | None = None
    phase: Reference | None = None
    custom_fields: list[CustomFieldValue] | None = None
