"""Contacts are people at companies; communications reach them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectwise_sandbox.schemas.base import (
    Entity,
    Flag,
    Guid,
    Model,
    UserDefinedTexts,
    Whole,
)
from connectwise_sandbox.schemas.custom_fields import CustomFieldValue
from connectwise_sandbox.schemas.references import IdentifiedReference, Reference

CommunicationKind = Literal["Email", "Fax", "Phone"]
Presence = Literal["NoAgent", "Online", "DoNotDisturb", "Away", "Offline"]
Gender = Literal["Female", "Male"]


class CommunicationType(Entity):
    """A communication type names a way to reach contacts, such as e-mail at work."""

    description: str
    phone_flag: Flag | None = None
    fax_flag: Flag | None = None
    email_flag: Flag | None = None
    default_flag: Flag | None = None
    exchange_xref: str | None = Field(default=None, max_length=50)
    iphone_xref: str | None = Field(default=None, max_length=50)
    android_xref: str | None = Field(default=None, max_length=50)
    google_xref: str | None = Field(default=None, max_length=50)


class ContactType(Entity):
    """A contact type belongs to a list that each ConnectWise customer keeps."""

    description: str = Field(max_length=50)
    default_flag: Flag | None = None
    service_alert_flag: Flag | None = None
    service_alert_message: str | None = Field(default=None, max_length=150)


class ContactCommunicationItem(Model):
    """A communication item is an address or number inside its contact."""

    id: Whole | None = None
    type: Reference | None = None
    value: str | None = None
    extension: str | None = None
    default_flag: Flag | None = None
    domain: str | None = None
    communication_type: CommunicationKind | None = None


class ContactCommunication(Entity):
    """A communication is an address or number as a record of its own."""

    contact_id: Whole | None = None
    type: Reference
    value: str = Field(max_length=250)
    extension: str | None = Field(default=None, max_length=15)
    default_flag: Flag | None = None
    mobile_guid: Guid | None = None
    communication_type: CommunicationKind | None = None
    domain: str | None = None


class Contact(UserDefinedTexts):
    """A contact is a person; only the first name is required (recorded answers)."""

    first_name: str
    last_name: str | None = None
    company: IdentifiedReference | None = None
    site: Reference | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: IdentifiedReference | None = None
    relationship: Reference | None = None
    relationship_override: str | None = None
    department: Reference | None = None
    inactive_flag: Flag | None = None
    default_merge_contact_id: Whole | None = None
    security_identifier: str | None = None
    manager_contact: Reference | None = None
    assistant_contact: Reference | None = None
    title: str | None = None
    school: str | None = None
    nick_name: str | None = None
    married_flag: Flag | None = None
    children_flag: Flag | None = None
    children: str | None = None
    significant_other: str | None = None
    portal_password: str | None = None
    portal_security_level: Whole | None = None
    disable_portal_login_flag: Flag | None = None
    unsubscribe_flag: Flag | None = None
    gender: Gender | None = None
    birth_day: str | None = None
    anniversary: str | None = None
    presence: Presence | None = None
    mobile_guid: Guid | None = None
    facebook_url: str | None = None
    twitter_url: str | None = None
    linked_in_url: str | None = None
    default_phone_type: str | None = None
    default_phone_nbr: str | None = None
    default_phone_extension: str | None = None
    default_billing_flag: Flag | None = None
    default_flag: Flag | None = None
    company_location: Reference | None = None
    communication_items: list[ContactCommunicationItem] | None = None
    types: list[Reference] | None = None
    integrator_tags: list[str] | None = None
    custom_fields: list[CustomFieldValue] | None = None
    photo: Reference | None = None
    ignore_duplicates: Flag | None = None
    type_ids: list[Whole] | None = None
