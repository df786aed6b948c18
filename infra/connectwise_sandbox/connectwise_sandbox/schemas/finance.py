"""Billing has these setup tables."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectwise_sandbox.schemas.base import Amount, Entity, Flag, Moment, Whole
from connectwise_sandbox.schemas.references import IdentifiedReference, Reference

TaxRateType = Literal["Amount", "Percent"]


class BillingStatus(Entity):
    """A billing status is a step that each ConnectWise customer defines for invoices."""

    name: str = Field(max_length=30)
    sort_order: Whole | None = None
    default_flag: Flag | None = None
    closed_flag: Flag | None = None
    """Locks the invoices with this status; paid and unpaid ones may have it."""
    inactive_flag: Flag | None = None
    sent_flag: Flag | None = None


class BillingTerm(Entity):
    """A billing term sets the due date of invoices."""

    name: str = Field(max_length=50)
    default_flag: Flag | None = None
    due_days: Whole
    """Days from the invoice date to the due date."""
    terms_xref: str | None = Field(default=None, max_length=50)


class FinanceCurrency(Entity):
    """A currency says how its amounts are printed."""

    currency_identifier: str = Field(max_length=10)
    name: str = Field(max_length=50)
    symbol: str | None = Field(default=None, max_length=10)
    display_id_flag: Flag | None = None
    display_symbol_flag: Flag | None = None
    currency_code: Reference | None = None
    thousands_separator: str | None = Field(default=None, max_length=1)
    decimal_separator: str | None = Field(default=None, max_length=1)
    negative_parentheses_flag: Flag | None = None
    right_align: Flag | None = None
    number_of_decimals: Whole | None = None
    report_format: str | None = None


class TaxCode(Entity):
    """A tax code has up to six levels; these are the fields that an integration reads."""

    identifier: str = Field(max_length=8)
    description: str = Field(max_length=50)
    invoice_caption: str = Field(max_length=25)
    country: IdentifiedReference | None = None
    effective_date: Moment
    default_flag: Flag | None = None
    display_on_invoice_flag: Flag | None = None
    cancel_date: Moment | None = None
    level_one_rate: Amount | None = None
    level_one_rate_type: TaxRateType | None = None
    level_one_caption: str | None = Field(default=None, max_length=25)
    level_two_rate: Amount | None = None
    level_two_rate_type: TaxRateType | None = None
    level_two_caption: str | None = Field(default=None, max_length=25)
    level_three_rate: Amount | None = None
    level_three_rate_type: TaxRateType | None = None
    level_three_caption: str | None = Field(default=None, max_length=25)
    level_four_rate: Amount | None = None
    level_four_rate_type: TaxRateType | None = None
    level_four_caption: str | None = Field(default=None, max_length=25)
    level_five_rate: Amount | None = None
    level_five_rate_type: TaxRateType | None = None
    level_five_caption: str | None = Field(default=None, max_length=25)
    level_six_rate: Amount | None = None
    level_six_rate_type: TaxRateType | None = None
    level_six_caption: str | None = Field(default=None, max_length=25)
