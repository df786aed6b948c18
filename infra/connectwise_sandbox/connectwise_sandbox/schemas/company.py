"""Companies are the customers of a ConnectWise customer; setup tables give them status and type."""

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
    UserDefinedTexts,
    Whole,
)
from connectwise_sandbox.schemas.custom_fields import CustomFieldValue
from connectwise_sandbox.schemas.references import (
    CurrencyReference,
    IdentifiedReference,
    MemberReference,
    Reference,
)

MergeChoice = Literal["From", "To"]
MergeRecords = Literal["Discard", "Merge"]


class Company(UserDefinedTexts):
    """A company is a customer; deleting it only sets `deletedFlag`."""

    identifier: str = Field(max_length=30)
    name: str = Field(max_length=50)
    status: Reference | None = None
    address_line1: str | None = Field(default=None, max_length=50)
    address_line2: str | None = Field(default=None, max_length=50)
    city: str | None = Field(default=None, max_length=50)
    state: str | None = Field(default=None, max_length=50)
    zip: str | None = Field(default=None, max_length=12)
    country: IdentifiedReference | None = None
    phone_number: str | None = Field(default=None, max_length=30)
    fax_number: str | None = Field(default=None, max_length=30)
    website: str | None = Field(default=None, max_length=255)
    territory: Reference | None = None
    market: Reference | None = None
    account_number: str | None = None
    default_contact: Reference | None = None
    date_acquired: Moment | None = None
    sic_code: Reference | None = None
    parent_company: IdentifiedReference | None = None
    annual_revenue: Amount | None = None
    number_of_employees: Whole | None = None
    year_established: Whole | None = None
    revenue_year: Whole | None = None
    ownership_type: Reference | None = None
    time_zone_setup: Reference | None = None
    lead_source: str | None = Field(default=None, max_length=50)
    lead_flag: Flag | None = None
    unsubscribe_flag: Flag | None = None
    calendar: Reference | None = None
    vendor_identifier: str | None = None
    tax_identifier: str | None = None
    tax_code: Reference | None = None
    billing_terms: Reference | None = None
    invoice_template: Reference | None = None
    pricing_schedule: Reference | None = None
    company_entity_type: Reference | None = None
    bill_to_company: IdentifiedReference | None = None
    billing_site: Reference | None = None
    billing_contact: Reference | None = None
    invoice_delivery_method: Reference | None = None
    invoice_to_email_address: str | None = None
    invoice_cc_email_address: str | None = Field(default=None, alias="invoiceCCEmailAddress")
    deleted_flag: Flag | None = None
    date_deleted: Moment | None = None
    deleted_by: str | None = None
    mobile_guid: Guid | None = None
    facebook_url: str | None = None
    twitter_url: str | None = None
    linked_in_url: str | None = None
    currency: CurrencyReference | None = None
    territory_manager: MemberReference | None = None
    reseller_identifier: str | None = None
    is_vendor_flag: Flag | None = None
    types: list[Reference] | None = None
    site: Reference | None = None
    integrator_tags: list[str] | None = None
    custom_fields: list[CustomFieldValue] | None = None


class CompanySite(Entity):
    """A site is an address of a company."""

    name: str = Field(max_length=50)
    address_line1: str | None = Field(default=None, max_length=50)
    address_line2: str | None = Field(default=None, max_length=50)
    city: str | None = Field(default=None, max_length=50)
    state_reference: IdentifiedReference | None = None
    zip: str | None = Field(default=None, max_length=12)
    country: IdentifiedReference | None = None
    address_format: str | None = None
    phone_number: str | None = Field(default=None, max_length=30)
    phone_number_ext: str | None = Field(default=None, max_length=30)
    fax_number: str | None = Field(default=None, max_length=30)
    tax_code: Reference | None = None
    entity_type: Reference | None = None
    expense_reimbursement: Amount | None = None
    primary_address_flag: Flag | None = None
    default_shipping_flag: Flag | None = None
    default_billing_flag: Flag | None = None
    default_mailing_flag: Flag | None = None
    inactive_flag: Flag | None = None
    bill_separate_flag: Flag | None = None
    mobile_guid: Guid | None = None
    calendar: Reference | None = None
    time_zone: Reference | None = None
    company: IdentifiedReference | None = None
    custom_fields: list[CustomFieldValue] | None = None


class CompanyStatus(Entity):
    """A company status belongs to a list that each ConnectWise customer keeps."""

    name: str = Field(max_length=50)
    default_flag: Flag | None = None
    inactive_flag: Flag | None = None
    notify_flag: Flag | None = None
    disallow_saving_flag: Flag | None = None
    notification_message: str | None = Field(default=None, max_length=500)
    custom_note_flag: Flag | None = None
    cancel_open_tracks_flag: Flag | None = None
    track: Reference | None = None


class CompanyType(Entity):
    """A company type belongs to a list that each ConnectWise customer keeps."""

    name: str = Field(max_length=50)
    default_flag: Flag | None = None
    vendor_flag: Flag | None = None
    service_alert_flag: Flag | None = None
    service_alert_message: str | None = Field(default=None, max_length=150)


class CompanyTypeAssociation(Entity):
    """An association gives a company a type."""

    type: Reference
    company: IdentifiedReference


class CompanyFinance(Entity):
    """This record holds a company's billing options."""

    bill_override_flag: Flag | None = None
    bill_sr_flag: Flag | None = None
    bill_complete_sr_flag: Flag | None = None
    bill_unapproved_sr_flag: Flag | None = None
    bill_restrict_pm_flag: Flag | None = None
    bill_complete_pm_flag: Flag | None = None
    bill_unapproved_pm_flag: Flag | None = None
    email_template: Reference | None = None
    company: IdentifiedReference | None = None
    custom_fields: list[CustomFieldValue] | None = None


class CompanyMerge(Model):
    """This order merges a company into `toCompanyId` and chooses the values that win."""

    to_company_id: Whole
    name: MergeChoice | None = None
    identifier: MergeChoice | None = None
    status: MergeChoice | None = None
    type: MergeChoice | None = None
    primary_address: MergeChoice | None = None
    primary_contact: MergeChoice | None = None
    phone: MergeChoice | None = None
    fax: MergeChoice | None = None
    website: MergeChoice | None = None
    market: MergeChoice | None = None
    territory: MergeChoice | None = None
    revenue: MergeChoice | None = None
    revenue_year: MergeChoice | None = None
    number_of_employees: MergeChoice | None = None
    sic_code: MergeChoice | None = None
    date_acquired: MergeChoice | None = None
    time_zone: MergeChoice | None = None
    source_list: MergeChoice | None = None
    user_defined_field1: MergeChoice | None = None
    user_defined_field2: MergeChoice | None = None
    user_defined_field3: MergeChoice | None = None
    user_defined_field4: MergeChoice | None = None
    user_defined_field5: MergeChoice | None = None
    user_defined_field6: MergeChoice | None = None
    user_defined_field7: MergeChoice | None = None
    user_defined_field8: MergeChoice | None = None
    user_defined_field9: MergeChoice | None = None
    user_defined_field10: MergeChoice | None = None
    billing_address: MergeChoice | None = None
    billing_contact: MergeChoice | None = None
    tax_code: MergeChoice | None = None
    account_number: MergeChoice | None = None
    billing_terms: MergeChoice | None = None
    notes: MergeRecords | None = None
    sites: MergeRecords | None = None
    activities: MergeRecords | None = None
    opportunities: MergeRecords | None = None
    services: MergeRecords | None = None
    projects: MergeRecords | None = None
    contacts: MergeRecords | None = None
    documents: MergeRecords | None = None
