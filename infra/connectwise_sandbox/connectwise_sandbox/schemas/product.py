"""Products stand on tickets, projects, sales orders and invoices."""

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
from connectwise_sandbox.schemas.choices import BillableOption, YearCycle
from connectwise_sandbox.schemas.custom_fields import CustomFieldValue
from connectwise_sandbox.schemas.references import (
    AgreementReference,
    IdentifiedReference,
    InvoiceGroupingReference,
    InvoiceReference,
    NumberedReference,
    Reference,
    TicketReference,
    WarehouseReference,
)

PriceMethod = Literal[
    "FlatRateForRange", "PercentMarkupFromCost", "PercentMarkdownFromPrice", "PricePerUnit"
]
PriceAttribute = Literal["FixedFee", "NotToExceed", "OverrideRate", "TimeAndMaterials"]
ProductClass = Literal["Agreement", "Bundle", "Inventory", "NonInventory", "Service"]


class CatalogItem(Entity):
    """A catalog item is a product that is for sale; its fields are those of public clients."""

    identifier: str = Field(max_length=60)
    description: str = Field(max_length=60)
    inactive_flag: Flag | None = None
    category: Reference | None = None
    subcategory: Reference | None = None
    type: Reference | None = None
    product_class: ProductClass | None = None
    serialized_flag: Flag | None = None
    serialized_cost_flag: Flag | None = None
    phase_product_flag: Flag | None = None
    unit_of_measure: Reference | None = None
    min_stock_level: Whole | None = None
    price: Amount | None = None
    cost: Amount | None = None
    price_attribute: PriceAttribute | None = None
    taxable_flag: Flag | None = None
    drop_ship_flag: Flag | None = None
    special_order_flag: Flag | None = None
    customer_description: str = Field(max_length=6000)
    manufacturer: Reference | None = None
    manufacturer_part_number: str | None = Field(default=None, max_length=50)
    vendor: IdentifiedReference | None = None
    vendor_sku: str | None = Field(default=None, max_length=50)
    notes: str | None = None
    integration_xref: str | None = Field(default=None, alias="integrationXRef", max_length=50)
    sla: Reference | None = None
    entity_type: Reference | None = None
    recurring_flag: Flag | None = None
    recurring_revenue: Amount | None = None
    recurring_cost: Amount | None = None
    recurring_one_time_flag: Flag | None = None
    recurring_bill_cycle: Reference | None = None
    recurring_cycle_type: YearCycle | None = None
    date_entered: str | None = None
    calculated_price_flag: Flag | None = None
    calculated_cost_flag: Flag | None = None
    calculated_price: Amount | None = None
    calculated_cost: Amount | None = None
    billable_option: BillableOption | None = None
    custom_fields: list[CustomFieldValue] | None = None


class ProductRecurring(Model):
    """This is the cycle in which a product is billed."""

    recurring_revenue: Amount | None = None
    recurring_cost: Amount | None = None
    start_date: str | None = None
    end_date: str | None = None
    bill_cycle_id: Whole | None = None
    bill_cycle: Reference | None = None
    cycles: Whole | None = None
    cycle_type: YearCycle | None = None
    agreement_type: Reference | None = None


class ProductItem(Entity):
    """A product item is a sold product; with an invoice reference it is a line of that invoice."""

    catalog_item: IdentifiedReference
    description: str | None = Field(default=None, max_length=2000)
    sequence_number: Amount | None = None
    quantity: Amount | None = None
    unit_of_measure: Reference | None = None
    price: Amount | None = None
    cost: Amount | None = None
    ext_price: Amount | None = None
    ext_cost: Amount | None = None
    discount: Amount | None = None
    margin: Amount | None = None
    agreement_amount: Amount | None = None
    price_method: PriceMethod | None = None
    billable_option: BillableOption
    agreement: AgreementReference | None = None
    location_id: Whole | None = None
    location: Reference | None = None
    business_unit_id: Whole | None = None
    business_unit: Reference | None = None
    vendor: IdentifiedReference | None = None
    vendor_sku: str | None = Field(default=None, max_length=50)
    taxable_flag: Flag | None = None
    dropship_flag: Flag | None = None
    special_order_flag: Flag | None = None
    phase_product_flag: Flag | None = None
    cancelled_flag: Flag | None = None
    quantity_cancelled: Amount | None = None
    cancelled_reason: str | None = Field(default=None, max_length=100)
    customer_description: str | None = Field(default=None, max_length=6000)
    internal_notes: str | None = Field(default=None, max_length=1000)
    product_supplied_flag: Flag | None = None
    sub_contractor_ship_to_id: Whole | None = None
    sub_contractor_amount_limit: Amount | None = None
    recurring: ProductRecurring | None = None
    sla: Reference | None = None
    entity_type: Reference | None = None
    ticket: TicketReference | None = None
    project: Reference | None = None
    phase: Reference | None = None
    sales_order: NumberedReference | None = None
    opportunity: Reference | None = None
    invoice: InvoiceReference | None = None
    warehouse_id: Whole | None = None
    warehouse_id_object: WarehouseReference | None = None
    warehouse_bin_id: Whole | None = None
    warehouse_bin_id_object: Reference | None = None
    calculated_price_flag: Flag | None = None
    calculated_cost_flag: Flag | None = None
    forecast_detail_id: Whole | None = None
    cancelled_by: Whole | None = None
    cancelled_date: Moment | None = None
    warehouse: str | None = None
    warehouse_bin: str | None = None
    purchase_date: Moment | None = None
    tax_code: Reference | None = None
    integration_xref: str | None = Field(default=None, alias="integrationXRef")
    list_price: Amount | None = None
    serial_number_ids: list[Whole] | None = None
    serial_numbers: list[str] | None = None
    company: IdentifiedReference | None = None
    forecast_status: Reference | None = None
    product_class: ProductClass | None = None
    need_to_purchase_flag: Flag | None = None
    need_to_order_quantity: Whole | None = None
    minimum_stock_flag: Flag | None = None
    ship_set: str | None = Field(default=None, max_length=10)
    calculated_price: Amount | None = None
    calculated_cost: Amount | None = None
    invoice_grouping: InvoiceGroupingReference | None = None
    po_approved_flag: Flag | None = None
    uom: str | None = None
    add_components_flag: Flag | None = None
    ignore_pricing_schedules_flag: Flag | None = None
    asio_subscriptions_id: Guid | None = Field(default=None, alias="asioSubscriptionsID")
    bypass_forecast_update: Flag | None = None
    custom_fields: list[CustomFieldValue] | None = None


class ProductComponent(Entity):
    """A component is a part of a bundle."""

    sequence_number: Whole | None = None
    quantity: Amount
    catalog_item: IdentifiedReference
    hide_price_flag: Flag | None = None
    hide_item_identifier_flag: Flag | None = None
    hide_description_flag: Flag | None = None
    hide_quantity_flag: Flag | None = None
    hide_extended_price_flag: Flag | None = None
    vendor: IdentifiedReference | None = None
    parent_product_item: Reference | None = None
    product_item: Reference | None = None
    price: Amount | None = None
    cost: Amount | None = None
