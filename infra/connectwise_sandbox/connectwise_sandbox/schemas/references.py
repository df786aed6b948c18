"""References are the short forms in which one record names another."""

from __future__ import annotations

from connectwise_sandbox.schemas.base import Amount, Entity, Flag, Whole


class Reference(Entity):
    """A reference carries a display name; to write one, the id is enough."""

    name: str | None = None


class IdentifiedReference(Reference):
    """This reference carries a short text id too."""

    identifier: str | None = None


class NumberedReference(Entity):
    """This reference names a document by its number."""

    identifier: str | None = None


class AgreementReference(Reference):
    """This reference names an agreement."""

    type: str | None = None
    charge_firm_flag: Flag | None = None


class BillingStatusReference(Reference):
    """This reference names a billing status; `isClosed` repeats its `closedFlag`."""

    is_closed: Flag | None = None


class CurrencyReference(Reference):
    """This reference names a currency and carries everything needed to print an amount."""

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
    """This reference names the part of an expense that a batch entry books."""

    amount: Amount | None = None


class InvoiceGroupingReference(Reference):
    """This reference names the group under which lines are printed together."""

    description: str | None = None
    show_price_flag: Flag | None = None
    show_sub_items_flag: Flag | None = None
    group_parent_child_additions_flag: Flag | None = None


class InvoiceReference(Entity):
    """This reference names an invoice; `identifier` is the invoice number."""

    identifier: str | None = None
    billing_type: str | None = None
    apply_to_type: str | None = None
    invoice_date: str | None = None
    charge_firm_flag: Flag | None = None


class IvItemReference(Entity):
    """This reference names an inventory item."""

    identifier: str | None = None
    serialized_flag: Flag | None = None


class MemberReference(IdentifiedReference):
    """This reference names a member; `identifier` is the login name."""

    daily_capacity: Amount | None = None


class PriorityReference(Reference):
    """This reference names a ticket priority."""

    sort: Whole | None = None
    level: str | None = None


class ServiceStatusReference(Reference):
    """This reference names a ticket status."""

    sort: Whole | None = None


class TicketReference(Entity):
    """This reference names a ticket."""

    summary: str | None = None


class WarehouseReference(Reference):
    """This reference names a warehouse."""

    locked_flag: Flag | None = None


class WorkTypeReference(Reference):
    """This reference names a work type."""

    utilization_flag: Flag | None = None
