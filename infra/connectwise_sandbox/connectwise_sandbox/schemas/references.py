"""Short forms in which one record names another."""

from __future__ import annotations

from connectwise_sandbox.schemas.base import Amount, Entity, Flag, Whole


class Reference(Entity):
    """A reference with a display name; writing needs no more than the id."""

    name: str | None = None


class IdentifiedReference(Reference):
    """A reference to something that also has a short text id of its own."""

    identifier: str | None = None


class NumberedReference(Entity):
    """A reference to a document that is known by its number."""

    identifier: str | None = None


class AgreementReference(Reference):
    """A reference to an agreement."""

    type: str | None = None
    charge_firm_flag: Flag | None = None


class BillingStatusReference(Reference):
    """A reference to a billing status; `isClosed` repeats its `closedFlag`."""

    is_closed: Flag | None = None


class CurrencyReference(Reference):
    """A reference to a currency with everything that is needed to print an amount."""

    symbol: str | None = None
    currency_code: str | None = None
    decimal_separator: str | None = None
    number_of_decimals: Whole | None = None
    thousands_separator: str | None = None
    negative_parentheses_flag: Flag | None = None
    display_symbol_flag: Flag | None = None
    currency_identifier: str | None = None
    display_id_flag: Flag | None = None
    right_align: Flag | None = None


class ExpenseDetailReference(Entity):
    """A reference to the part of an expense that a batch entry books."""

    amount: Amount | None = None


class InvoiceGroupingReference(Reference):
    """A reference to the group under which lines are printed together."""

    description: str | None = None
    show_price_flag: Flag | None = None
    show_sub_items_flag: Flag | None = None
    group_parent_child_additions_flag: Flag | None = None


class InvoiceReference(Entity):
    """A reference to an invoice; `identifier` is the invoice number."""

    identifier: str | None = None
    billing_type: str | None = None
    apply_to_type: str | None = None
    invoice_date: str | None = None
    charge_firm_flag: Flag | None = None


class IvItemReference(Entity):
    """A reference to an inventory item."""

    identifier: str | None = None
    serialized_flag: Flag | None = None


class MemberReference(IdentifiedReference):
    """A reference to a member; `identifier` is the login name."""

    daily_capacity: Amount | None = None


class PriorityReference(Reference):
    """A reference to a ticket priority."""

    sort: Whole | None = None
    level: str | None = None


class ServiceStatusReference(Reference):
    """A reference to a ticket status."""

    sort: Whole | None = None


class TicketReference(Entity):
    """A reference to a ticket."""

    summary: str | None = None


class WarehouseReference(Reference):
    """A reference to a warehouse."""

    locked_flag: Flag | None = None


class WorkTypeReference(Reference):
    """A reference to a work type."""

    utilization_flag: Flag | None = None
