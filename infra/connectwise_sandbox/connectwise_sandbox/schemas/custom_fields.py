"""Custom fields are added to the records by a ConnectWise customer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectwise_sandbox.schemas.base import Entity, Flag, Model, Moment, Whole

CustomFieldType = Literal[
    "TextArea",
    "Button",
    "Currency",
    "Date",
    "Hyperlink",
    "IPAddress",
    "Checkbox",
    "Number",
    "Percent",
    "PhoneNumber",
    "Text",
    "Password",
]
CustomFieldEntry = Literal["Date", "EntryField", "List", "Option"]


class CustomFieldValue(Model):
    """A custom field value is a custom field on a record."""

    id: Whole | None = None
    caption: str | None = None
    type: CustomFieldType | None = None
    entry_method: CustomFieldEntry | None = None
    number_of_decimals: Whole | None = None
    value: object | None = None
    """A plain text, number or boolean (recorded answers; the published type is an object)."""
    connect_wise_id: str | None = None


class UserDefinedFieldOption(Model):
    """An option is one choice of a custom field that is picked from a list."""

    id: Whole | None = None
    option_value: str | None = None
    default_flag: Flag | None = None
    inactive_flag: Flag | None = None
    sort_order: Whole | None = None


class UserDefinedField(Entity):
    """A user-defined field defines a custom field."""

    pod_id: Whole
    caption: str = Field(max_length=25)
    sequence_number: Whole
    screen_id: str | None = Field(default=None, max_length=25)
    help_text: str | None = Field(default=None, max_length=1000)
    field_type_identifier: CustomFieldType
    number_decimals: Whole | None = None
    entry_type_identifier: CustomFieldEntry | None = None
    required_flag: Flag | None = None
    display_on_screen_flag: Flag | None = None
    read_only_flag: Flag | None = None
    list_view_flag: Flag | None = None
    button_url: str | None = Field(default=None, max_length=1000)
    options: list[UserDefinedFieldOption] | None = None
    business_unit_ids: list[Whole] | None = None
    location_ids: list[Whole] | None = None
    add_all_business_units: Flag | None = None
    remove_all_business_units: Flag | None = None
    add_all_locations: Flag | None = None
    remove_all_locations: Flag | None = None
    connect_wise_id: str | None = Field(default=None, alias="connectWiseID")
    date_created: Moment | None = None
