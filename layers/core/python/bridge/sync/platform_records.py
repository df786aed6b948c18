"""Customers and invoices made on the platform: they live beside mirrored ones and stay there.

Nothing here knows ConnectWise, so nothing here can reach it. Mirrored records follow ConnectWise
alone and are refused (connection guide: what is made or changed on the platform does not sync
back).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from bridge.domain.customer import Address, ArchiveReason, Customer
from bridge.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotPossibleError,
)
from bridge.domain.identity import Origin, is_record_id, new_id
from bridge.domain.invoice import Invoice, LineItem
from bridge.domain.money import MAX_AMOUNT_MINOR, Currency
from bridge.ports import Clock, RecordStore

MAX_ROUNDS = 5

# ISO 4217, list one: minor units of the currencies that do not have two.
_DECIMALS = {
    0: {
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
        *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    },
    3: {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"},
    4: {"CLF", "UYW"},
}
_DECIMALS_OF_CODE = {code: decimals for decimals, codes in _DECIMALS.items() for code in codes}


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    """What a person may say about a platform-only customer."""

    name: str
    email: str = ""
    phone: str = ""
    account_number: str = ""
    address: Address = field(default_factory=Address)


@dataclass(frozen=True, slots=True)
class InvoiceDetails:
    """What a person may say about a platform-only invoice. Line amounts are minor units."""

    customer_id: str
    number: str
    currency_code: str
    issued_on: date
    line_items: tuple[LineItem, ...]
    due_on: date | None = None
    reference: str = ""
    purchase_order: str = ""


def currency_of(code: str) -> Currency:
    """Return an ISO 4217 currency with its official number of decimals."""
    return Currency(code, _DECIMALS_OF_CODE.get(code, 2))


class PlatformRecords:
    """Creates, edits and archives one partner's platform-only records."""

    def __init__(self, records: RecordStore, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def create_customer(self, partner_id: str, details: CustomerDetails) -> Customer:
        customer = Customer(
            customer_id=new_id(),
            partner_id=partner_id,
            origin=Origin.PLATFORM,
            name=details.name,
            email=details.email,
            phone=details.phone,
            account_number=details.account_number,
            address=details.address,
        )
        self._records.save_customer(customer, expected_version=0)
        return customer

    def change_customer(
        self, partner_id: str, customer_id: str, change: Callable[[Customer], Customer]
    ) -> Customer:
        """Apply a change. Raises NotFoundError, NotPossibleError, ConflictError."""
        for _ in range(MAX_ROUNDS):
            customer, version = self._own_customer(partner_id, customer_id)
            _refuse_archived(is_archived=customer.archive is not None)
            changed = change(customer)
            if self._saved_customer(customer, changed, version):
                return changed
        raise ConflictError("the customer keeps changing")

    def archive_customer(self, partner_id: str, customer_id: str) -> None:
        """Archive the customer; archiving twice is the same as once."""
        for _ in range(MAX_ROUNDS):
            customer, version = self._own_customer(partner_id, customer_id)
            archived = customer.archived(ArchiveReason.BY_PERSON, self._clock.now())
            if self._saved_customer(customer, archived, version):
                return
        raise ConflictError("the customer keeps changing")

    def create_invoice(self, partner_id: str, details: InvoiceDetails) -> Invoice:
        """Create an open invoice of a customer, platform-only or mirrored.

        Raises InvalidInputError when the customer is not one of the partner's open ones or the
        lines add up to more than any plausible invoice.
        """
        self._require_customer(partner_id, details.customer_id)
        total_minor = _total(details.line_items)
        invoice = Invoice(
            invoice_id=new_id(),
            partner_id=partner_id,
            origin=Origin.PLATFORM,
            customer_id=details.customer_id,
            number=details.number,
            currency=currency_of(details.currency_code),
            total_minor=total_minor,
            balance_minor=total_minor,
            subtotal_minor=total_minor,
            issued_on=details.issued_on,
            due_on=details.due_on,
            reference=details.reference,
            purchase_order=details.purchase_order,
            line_items=details.line_items,
        )
        self._records.save_invoice(invoice, expected_version=0)
        return invoice

    def change_invoice(
        self, partner_id: str, invoice_id: str, change: Callable[[Invoice], Invoice]
    ) -> Invoice:
        """Apply a change; total and balance follow the lines.

        Raises NotFoundError, NotPossibleError, InvalidInputError, ConflictError.
        """
        for _ in range(MAX_ROUNDS):
            invoice, version = self._own_invoice(partner_id, invoice_id)
            _refuse_archived(is_archived=invoice.archive is not None)
            changed = _balanced(change(invoice))
            if self._saved_invoice(invoice, changed, version):
                return changed
        raise ConflictError("the invoice keeps changing")

    def archive_invoice(self, partner_id: str, invoice_id: str) -> None:
        """Archive the invoice; archiving twice is the same as once."""
        for _ in range(MAX_ROUNDS):
            invoice, version = self._own_invoice(partner_id, invoice_id)
            archived = invoice.archived(ArchiveReason.BY_PERSON, self._clock.now())
            if self._saved_invoice(invoice, archived, version):
                return
        raise ConflictError("the invoice keeps changing")

    def _own_customer(self, partner_id: str, customer_id: str) -> tuple[Customer, int]:
        stored = self._records.get_customer(partner_id, _known(customer_id))
        if stored.value is None:
            raise NotFoundError("no such customer")
        _refuse_mirrored(stored.value.origin)
        return stored.value, stored.version

    def _own_invoice(self, partner_id: str, invoice_id: str) -> tuple[Invoice, int]:
        stored = self._records.get_invoice(partner_id, _known(invoice_id))
        if stored.value is None:
            raise NotFoundError("no such invoice")
        _refuse_mirrored(stored.value.origin)
        return stored.value, stored.version

    def _require_customer(self, partner_id: str, customer_id: str) -> None:
        customer = None
        if is_record_id(customer_id):
            customer = self._records.get_customer(partner_id, customer_id).value
        if customer is None or customer.archive:
            raise InvalidInputError("there is no such open customer", field="customer_id")

    def _saved_customer(self, before: Customer, after: Customer, version: int) -> bool:
        if after == before:
            return True
        try:
            self._records.save_customer(after, expected_version=version)
        except ConflictError:
            return False
        return True

    def _saved_invoice(self, before: Invoice, after: Invoice, version: int) -> bool:
        if after == before:
            return True
        try:
            self._records.save_invoice(after, expected_version=version)
        except ConflictError:
            return False
        return True


def _known(record_id: str) -> str:
    if not is_record_id(record_id):
        raise NotFoundError("no such record")
    return record_id


def _balanced(invoice: Invoice) -> Invoice:
    total_minor = _total(invoice.line_items)
    settled_minor = invoice.paid_minor + invoice.credited_minor
    return replace(
        invoice,
        total_minor=total_minor,
        subtotal_minor=total_minor,
        balance_minor=total_minor - settled_minor,
    )


def _total(line_items: Sequence[LineItem]) -> int:
    total_minor = sum(line.amount_minor for line in line_items)
    if abs(total_minor) > MAX_AMOUNT_MINOR:
        raise InvalidInputError("the lines add up to too much", field="line_items")
    return total_minor


def _refuse_mirrored(origin: Origin) -> None:
    if origin is not Origin.PLATFORM:
        raise NotPossibleError(
            "mirrored_record", "This record comes from ConnectWise; change it there."
        )


def _refuse_archived(*, is_archived: bool) -> None:
    if is_archived:
        raise NotPossibleError("archived_record", "An archived record cannot be changed.")
