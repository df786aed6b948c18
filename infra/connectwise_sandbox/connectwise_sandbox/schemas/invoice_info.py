"""The invoice information combines an invoice with everything that is printed on it."""

from __future__ import annotations

from pydantic import Field

from connectwise_sandbox.schemas.base import Amount, Entity, Flag, Guid, Model, Whole
from connectwise_sandbox.schemas.invoice import Invoice
from connectwise_sandbox.schemas.product import ProductComponent, ProductItem
from connectwise_sandbox.schemas.references import (
    CurrencyReference,
    IdentifiedReference,
    Reference,
)
from connectwise_sandbox.schemas.work import ExpenseEntry, TimeEntry


class AgreementBillingInfo(Model):
    """This is the agreement that an invoice bills."""

    agreement_name: str | None = None
    agreement_type: str | None = None
    agreement_amount: Amount | None = None
    agreement_rec_id: Whole | None = None
    parent_rec_id: Whole | None = None


class InvoiceTemplate(Entity):
    """An invoice template lays invoices out; these are the fields that an integration reads."""

    name: str = Field(max_length=50)
    logo_visible_flag: Flag | None = None
    header_title_caption: str | None = Field(default=None, max_length=50)
    header_terms_visible_flag: Flag | None = None
    header_due_date_visible_flag: Flag | None = None
    header_po_number_visible_flag: Flag | None = None


class BillingSetup(Entity):
    """A billing setup is the sender of invoices, in the fields that an integration reads."""

    remit_name: str = Field(max_length=50)
    location: Reference
    address_one: str | None = Field(default=None, max_length=50)
    address_two: str | None = Field(default=None, max_length=50)
    city: str | None = Field(default=None, max_length=50)
    state: IdentifiedReference | None = None
    zip: str | None = Field(default=None, max_length=12)
    country: IdentifiedReference | None = None
    phone: str | None = Field(default=None, max_length=15)
    invoice_title: str = Field(max_length=50)
    payable_name: str = Field(max_length=50)
    invoice_footer: str | None = Field(default=None, max_length=500)
    overall_invoice_default: Reference
    email_template: Reference
    business_number: str | None = Field(default=None, max_length=50)
    currency: CurrencyReference | None = None
    company_code: str | None = Field(default=None, max_length=250)


class DocumentInfo(Entity):
    """A document is a stored file, here the logo."""

    title: str | None = None
    file_name: str | None = None
    server_file_name: str | None = None
    owner: str | None = None
    link_flag: Flag | None = None
    image_flag: Flag | None = None
    public_flag: Flag | None = None
    html_template_flag: Flag | None = None
    read_only_flag: Flag | None = None
    size: Whole | None = None
    url_flag: Flag | None = None
    created_on_date: str | None = None
    document_type: Reference | None = None
    guid: Guid | None = None


class InvoiceInfo(Entity):
    """This is the answer of `/finance/info/invoice/{id}`."""

    invoice: Invoice | None = None
    invoice_template: InvoiceTemplate | None = None
    products: list[ProductItem] | None = None
    bundled_components_info: list[ProductComponent] | None = None
    expenses: list[ExpenseEntry] | None = None
    time_entries: list[TimeEntry] | None = None
    logo: DocumentInfo | None = None
    billing_setup: BillingSetup | None = None
    agreement_billing_info: list[AgreementBillingInfo] | None = None
