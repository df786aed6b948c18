"""Customers: mirrored companies and those made on the platform."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated

from pydantic import StringConstraints

from bridge.domain.customer import Address, Customer
from bridge.domain.identity import Origin
from bridge.sync.platform_records import CustomerDetails
from dashboard_api.models.values import ArchiveView, Input, Line, Name, NamedRefView, View

Email = Annotated[
    str,
    StringConstraints(
        max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+$"
    ),
]


class AddressInput(Input):
    line_1: Line = ""
    line_2: Line = ""
    city: Line = ""
    state: Line = ""
    zip: Line = ""
    country: Line = ""

    def to_domain(self) -> Address:
        return Address(**self.model_dump())


class CustomerInput(Input):
    """A platform-only customer."""

    name: Name
    email: Email | None = None
    phone: Line | None = None
    account_number: Line | None = None
    address: AddressInput | None = None

    def to_details(self) -> CustomerDetails:
        return CustomerDetails(
            name=self.name,
            email=self.email or "",
            phone=self.phone or "",
            account_number=self.account_number or "",
            address=self.address.to_domain() if self.address else Address(),
        )


class CustomerPatch(Input):
    """What may be changed of a platform-only customer; what is left out stays, null clears."""

    name: Name | None = None
    email: Email | None = None
    phone: Line | None = None
    account_number: Line | None = None
    address: AddressInput | None = None

    def apply_to(self, customer: Customer) -> Customer:
        sent = self.model_fields_set
        address = self.address.to_domain() if self.address else Address()
        return replace(
            customer,
            name=self.name or customer.name,
            email=(self.email or "") if "email" in sent else customer.email,
            phone=(self.phone or "") if "phone" in sent else customer.phone,
            account_number=(self.account_number or "")
            if "account_number" in sent
            else customer.account_number,
            address=address if "address" in sent else customer.address,
        )


class AddressView(View):
    line_1: str
    line_2: str
    city: str
    state: str
    zip: str
    country: str


class CustomerView(View):
    """A payer. Mirrored ones follow ConnectWise and cannot be changed here."""

    id: str
    connection_id: str | None
    source_id: int | None
    origin: Origin
    name: str
    identifier: str | None
    email: str | None
    phone: str | None
    account_number: str | None
    address: AddressView
    status: NamedRefView | None
    types: list[NamedRefView]
    territory: NamedRefView | None
    billing_terms: NamedRefView | None
    currency: str | None
    archive: ArchiveView | None

    @classmethod
    def of(cls, customer: Customer) -> CustomerView:
        return cls(
            id=customer.customer_id,
            connection_id=customer.connection_id,
            source_id=customer.source_id,
            origin=customer.origin,
            name=customer.name,
            identifier=customer.identifier or None,
            email=customer.email or None,
            phone=customer.phone or None,
            account_number=customer.account_number or None,
            address=AddressView(**asdict(customer.address)),
            status=NamedRefView.of(customer.status),
            types=[NamedRefView(id=ref.source_id, name=ref.name) for ref in customer.types],
            territory=NamedRefView.of(customer.territory),
            billing_terms=NamedRefView.of(customer.billing_terms),
            currency=customer.currency_code or None,
            archive=ArchiveView.of(customer.archive),
        )


class CustomerPage(View):
    items: list[CustomerView]
    next_cursor: str | None
