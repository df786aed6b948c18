"""Customer models show mirrored companies and those made on the platform."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated

from pydantic import Field, StringConstraints

from bridge.domain.customer import Address, Customer
from bridge.domain.identity import Origin
from bridge.platform_records.records import CustomerDetails
from dashboard_api.models.values import (
    ArchiveView,
    FoundPage,
    Input,
    Line,
    Name,
    NamedRefView,
    View,
)

Email = Annotated[
    str,
    StringConstraints(
        max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+$"
    ),
]


class AddressInput(Input):
    """An address may have gaps; lines that are left out stay empty."""

    line_1: Line = ""
    line_2: Line = ""
    city: Line = ""
    state: Line = ""
    zip: Line = ""
    country: Line = ""

    def to_domain(self) -> Address:
        return Address(**self.model_dump())


class CustomerFields(Input):
    """These fields of a platform-only customer are optional in every input."""

    email: Email | None = None
    phone: Line | None = None
    account_number: Line | None = None
    address: AddressInput | None = None


class CustomerInput(CustomerFields):
    """A new customer lives on the platform only."""

    name: Name

    def to_details(self) -> CustomerDetails:
        return CustomerDetails(
            name=self.name,
            email=self.email or "",
            phone=self.phone or "",
            account_number=self.account_number or "",
            address=self.address.to_domain() if self.address else Address(),
        )


class CustomerPatch(CustomerFields):
    """A patch changes a platform-only customer: a field left out stays, null clears."""

    name: Name | None = None

    def apply_to(self, customer: Customer) -> Customer:
        address = self.address.to_domain() if self.address else Address()
        return replace(
            customer,
            name=self.name or customer.name,
            email=self.sent("email", customer.email) or "",
            phone=self.sent("phone", customer.phone) or "",
            account_number=self.sent("account_number", customer.account_number) or "",
            address=address if "address" in self.model_fields_set else customer.address,
        )


class AddressView(View):
    """An address is shown as it is stored, with empty lines."""

    line_1: str
    line_2: str
    city: str
    state: str
    zip: str
    country: str


class CustomerView(View):
    """A customer pays invoices. Mirrored ones follow ConnectWise and may not be changed here."""

    id: str
    connection_id: str | None
    source_id: int | None
    origin: Origin
    name: str
    identifier: str | None
    email: str | None = Field(description="The first of `emails`.")
    emails: list[str] = Field(description="The addresses that invoices go to.")
    cc_emails: list[str] = Field(description="The addresses that copies of invoices go to.")
    phone: str | None
    account_number: str | None
    address: AddressView
    status: NamedRefView | None
    types: list[NamedRefView]
    territory: NamedRefView | None
    billing_terms: NamedRefView | None
    currency: str | None
    archive: ArchiveView | None
    outside_filters: bool = Field(
        description="It lies outside the import filters, and stays until it is archived."
    )

    @classmethod
    def of(cls, customer: Customer, outside: frozenset[str] = frozenset()) -> CustomerView:
        """Return the view; ``outside`` are the ids of records that lie outside the filters."""
        return cls(
            id=customer.customer_id,
            connection_id=customer.connection_id,
            source_id=customer.source_id,
            origin=customer.origin,
            name=customer.name,
            identifier=customer.identifier or None,
            email=customer.email or None,
            emails=list(customer.emails),
            cc_emails=list(customer.cc_emails),
            phone=customer.phone or None,
            account_number=customer.account_number or None,
            address=AddressView(**asdict(customer.address)),
            status=NamedRefView.of(customer.status),
            types=[NamedRefView(id=ref.source_id, name=ref.name) for ref in customer.types],
            territory=NamedRefView.of(customer.territory),
            billing_terms=NamedRefView.of(customer.billing_terms),
            currency=customer.currency_code or None,
            archive=ArchiveView.of(customer.archive),
            outside_filters=customer.customer_id in outside,
        )


class CustomerPage(FoundPage[CustomerView]):
    """A page of customers is in the order of their names."""
