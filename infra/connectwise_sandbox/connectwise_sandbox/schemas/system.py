"""The ConnectWise installation has users, a structure and callbacks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectwise_sandbox.schemas.base import Amount, Entity, Flag, Model, Moment, Whole
from connectwise_sandbox.schemas.custom_fields import CustomFieldValue
from connectwise_sandbox.schemas.references import (
    IdentifiedReference,
    MemberReference,
    Reference,
    WorkTypeReference,
)

LicenseClass = Literal["A", "C", "F", "X"]
ContactPlace = Literal["Office", "Mobile", "Home"]
InvoicingDisplay = Literal["RemainOnInvoicingScreen", "ShowRecentInvoices"]
InvoiceScreenTab = Literal["ShowInvoicingTab", "ShowAgreementInvoicingTab"]


class CallbackEntry(Entity):
    """A callback entry registers a URL for changes."""

    description: str | None = Field(default=None, max_length=100)
    url: str
    object_id: Whole
    """1 with the level owner."""
    type: str
    level: str
    member_id: Whole | None = None
    payload_version: str | None = None
    inactive_flag: Flag | None = None
    is_soap_callback_flag: Flag | None = None
    is_self_suppressed_flag: Flag | None = None
    connect_wise_id: str | None = Field(default=None, alias="connectWiseID")


class LicenseBit(Model):
    """A license bit is a licensed feature."""

    name: str | None = None
    active_flag: Flag | None = None


class Info(Model):
    """This is the answer of `/system/info`, the usual test of credentials."""

    version: str | None = None
    is_cloud: Flag | None = None
    server_time_zone: str | None = None
    license_bits: list[LicenseBit] | None = None
    cloud_region: str | None = None
    max_work_flow_records_allowed: Whole | None = None


class MemberInfo(Entity):
    """Member info is the part of a member that everybody may read."""

    identifier: str | None = None
    first_name: str | None = None
    middle_initial: str | None = None
    last_name: str | None = None
    full_name: str | None = None
    default_email: str | None = None
    photo: Reference | None = None
    license_class: LicenseClass | None = None
    inactive_flag: Flag | None = None


class Member(Entity):
    """A member is a user of ConnectWise, in the fields that an integration reads."""

    identifier: str = Field(max_length=15)
    license_class: LicenseClass
    """A is an API member, F a full member, X a subcontractor."""
    notes: str | None = None
    vendor_number: str | None = None
    inactive_date: Moment | None = None
    inactive_flag: Flag | None = None
    last_login: str | None = None
    client_id: str | None = None
    first_name: str = Field(max_length=30)
    last_name: str = Field(max_length=30)
    hire_date: Moment
    country: IdentifiedReference | None = None
    office_email: str | None = Field(default=None, max_length=250)
    mobile_email: str | None = Field(default=None, max_length=250)
    home_email: str | None = Field(default=None, max_length=250)
    default_email: ContactPlace
    primary_email: str | None = Field(default=None, max_length=250)
    office_phone: str | None = Field(default=None, max_length=15)
    mobile_phone: str | None = Field(default=None, max_length=15)
    home_phone: str | None = Field(default=None, max_length=15)
    default_phone: ContactPlace
    security_role: Reference
    title: str | None = None
    type: Reference | None = None
    time_zone: Reference | None = None
    admin_flag: Flag | None = None
    structure_level: Reference | None = None
    security_location: Reference | None = None
    default_location: Reference | None = None
    default_department: IdentifiedReference | None = None
    reports_to: MemberReference | None = None
    restrict_location_flag: Flag | None = None
    restrict_department_flag: Flag | None = None
    work_role: Reference | None = None
    work_type: WorkTypeReference | None = None
    agreement_invoicing_display_options: InvoicingDisplay | None = None
    invoice_screen_default_tab_format: InvoiceScreenTab | None = None
    invoicing_display_options: InvoicingDisplay | None = None
    hourly_cost: Amount | None = None
    hourly_rate: Amount | None = None
    custom_fields: list[CustomFieldValue] | None = None


class SecurityRole(Entity):
    """A security role is a set of rights that members hold."""

    name: str = Field(max_length=30)
    role_type: str | None = Field(default=None, max_length=30)
    admin_flag: Flag | None = None
    inactive_flag: Flag | None = None


class Location(Entity):
    """A location is a branch of the ConnectWise customer."""

    owner_level_id: Whole | None = None
    structure_level: Reference
    name: str = Field(max_length=50)
    manager: MemberReference | None = None
    reports_to: Reference | None = None
    sales_rep: str | None = Field(default=None, max_length=50)
    time_zone_setup: Reference | None = None
    calendar: Reference | None = None
    override_address_line1: str | None = Field(default=None, max_length=50)
    override_address_line2: str | None = Field(default=None, max_length=50)
    override_city: str | None = Field(default=None, max_length=50)
    override_state: str | None = Field(default=None, max_length=50)
    override_zip: str | None = Field(default=None, max_length=12)
    override_country: IdentifiedReference | None = None
    override_phone_number: str | None = Field(default=None, max_length=15)
    override_fax_number: str | None = Field(default=None, max_length=15)
    owa_url: str | None = Field(default=None, max_length=100)
    payroll_xref: str | None = Field(default=None, max_length=10)
    location_flag: Flag | None = None
    client_flag: Flag | None = None
    work_role_ids: list[Whole] | None = None
    department_ids: list[Whole] | None = None


class Department(Entity):
    """A department of the ConnectWise customer is also called business unit."""

    identifier: str = Field(max_length=15)
    name: str = Field(max_length=50)
