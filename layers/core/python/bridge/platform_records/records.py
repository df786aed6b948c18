"""Customers and invoices made on the platform are kept here, and stay on it.

This package reaches stores alone, so its records stay out of ConnectWise. Mirrored records follow
ConnectWise and are refused here (connection guide: changes made on the platform stay on it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from bridge.domain.currencies import currency_of
from bridge.domain.customer import Address, ArchiveReason, Customer
from bridge.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    NotPossibleError,
    OutOfTimeError,
)
from bridge.domain.identity import Origin, new_id, platform_invoice_id
from bridge.domain.invoice import Invoice, InvoiceState, LineItem
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES, MirroredKind, R
from bridge.domain.money import MAX_AMOUNT_MINOR
from bridge.ports import Clock, InvoiceQuery, RecordStore, until_saved

PAGE_SIZE = 100
MIN_SECONDS_FOR_PAGE = 3.0
MAX_NUMBERS_TOLD = 10
_UNARCHIVED = (InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID, InvoiceState.PAID)


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    """The values of a platform-only customer that a person may set."""

    name: str
    email: str = ""
    phone: str = ""
    account_number: str = ""
    address: Address = field(default_factory=Address)


@dataclass(frozen=True, slots=True)
class InvoiceDetails:
    """The values of a platform-only invoice that a person may set."""

    customer_id: str
    number: str
    currency_code: str
    issued_on: date
    line_items: tuple[LineItem, ...]
    """Lines with amounts in minor units."""
    due_on: date | None = None
    reference: str = ""
    purchase_order: str = ""


class PlatformRecords:
    """Platform-only records are created, edited and archived here, each for one partner."""

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
        self._records.save(customer, expected_version=0)
        return customer

    def change_customer(
        self, partner_id: str, customer_id: str, change: Callable[[Customer], Customer]
    ) -> Customer:
        """Apply a change. Raises NotFoundError, NotPossibleError, ConflictError."""
        return self._change(CUSTOMERS, partner_id, customer_id, _refusing_archived(change))

    def archive_customer(self, partner_id: str, customer_id: str) -> None:
        """Archive the customer; archiving twice is the same as once.

        Raises NotPossibleError while invoices of the customer are open: debts would leave the
        view together with the debtor.
        """
        self._read_platform_only(CUSTOMERS, partner_id, customer_id)
        self._refuse_open_invoices(partner_id, customer_id)
        self._change(CUSTOMERS, partner_id, customer_id, self._archived)

    def create_invoice(self, partner_id: str, details: InvoiceDetails) -> Invoice:
        """Create an open invoice of a customer, platform-only or mirrored.

        Raises InvalidInputError for an unknown or archived customer, a number that another
        invoice of the platform has, a due day before the day of issue, and lines that add up to
        more than MAX_AMOUNT_MINOR.
        """
        self._require_customer(partner_id, details.customer_id)
        _refuse_early_due_day(details.issued_on, details.due_on)
        self._refuse_taken_number(partner_id, details.number)
        total_minor = _total(details.line_items)
        invoice = Invoice(
            invoice_id=platform_invoice_id(partner_id, details.number),
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
        return self._save_new(invoice)

    def change_invoice(
        self, partner_id: str, invoice_id: str, change: Callable[[Invoice], Invoice]
    ) -> Invoice:
        """Apply a change; total and balance follow the lines.

        Raises NotFoundError, NotPossibleError, InvalidInputError, ConflictError.
        """

        def with_totals(invoice: Invoice) -> Invoice:
            changed = _with_totals(change(invoice))
            if (changed.issued_on, changed.due_on) != (invoice.issued_on, invoice.due_on):
                _refuse_early_due_day(changed.issued_on, changed.due_on)
            if changed.number != invoice.number:
                self._refuse_taken_number(partner_id, changed.number)
            return changed

        return self._change(INVOICES, partner_id, invoice_id, _refusing_archived(with_totals))

    def archive_invoice(self, partner_id: str, invoice_id: str) -> None:
        """Archive the invoice; archiving twice is the same as once."""
        self._change(INVOICES, partner_id, invoice_id, self._archived)

    def _save_new(self, invoice: Invoice) -> Invoice:
        """Save the invoice under the id of its number, so that of two at once one is refused.

        An invoice that had the number before, and is archived or has another one now, keeps that
        id; the new invoice gets a random one then.
        """
        try:
            self._records.save(invoice, expected_version=0)
        except ConflictError:
            self._refuse_taken_number(invoice.partner_id, invoice.number)
            known = self._records.get(INVOICES, invoice.partner_id, invoice.invoice_id).value
            if known is not None and known.archive is None and known.number == invoice.number:
                raise _number_taken() from None
            invoice = replace(invoice, invoice_id=new_id())
            self._records.save(invoice, expected_version=0)
        return invoice

    def _refuse_taken_number(self, partner_id: str, number: str) -> None:
        """Raise InvalidInputError if an unarchived invoice of the platform has the number.

        Numbers of ConnectWise are its own affair. Raises OutOfTimeError where looking
        through the partner's invoices takes too long.
        """
        for state in _UNARCHIVED:
            query = InvoiceQuery(number=number, is_whole_number=True, state=state)
            for invoice in self._all(partner_id, query):
                if invoice.origin is Origin.PLATFORM and invoice.number == number:
                    raise _number_taken()

    def _refuse_open_invoices(self, partner_id: str, customer_id: str) -> None:
        numbers = [
            invoice.number
            for state in (InvoiceState.OPEN, InvoiceState.PARTIALLY_PAID)
            for invoice in self._all(partner_id, InvoiceQuery(customer_id=customer_id, state=state))
        ]
        if numbers:
            told = ", ".join(sorted(numbers)[:MAX_NUMBERS_TOLD])
            more = "" if len(numbers) <= MAX_NUMBERS_TOLD else " and others"
            raise NotPossibleError(
                "open_invoices",
                f"The customer has open invoices: {told}{more}. Archive them first.",
            )

    def _all(self, partner_id: str, query: InvoiceQuery) -> Iterator[Invoice]:
        cursor: str | None = None
        while True:
            if self._clock.remaining_seconds() < MIN_SECONDS_FOR_PAGE:
                raise OutOfTimeError("no time to look through all invoices")
            page = self._records.list_invoices(partner_id, query, limit=PAGE_SIZE, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _change(
        self, kind: MirroredKind[R], partner_id: str, record_id: str, change: Callable[[R], R]
    ) -> R:
        return until_saved(
            read=lambda: self._read_platform_only(kind, partner_id, record_id),
            change=change,
            save=lambda changed, version: self._records.save(changed, expected_version=version),
        )

    def _read_platform_only(
        self, kind: MirroredKind[R], partner_id: str, record_id: str
    ) -> tuple[R, int]:
        """Return a platform-only record and its version. Raises NotFoundError, NotPossibleError."""
        stored = self._records.get(kind, partner_id, record_id)
        if stored.value is None:
            raise NotFoundError(f"no such {kind.record_kind.value}")
        _refuse_mirrored(stored.value.origin)
        return stored.value, stored.version

    def _archived(self, record: R) -> R:
        return record.archived(ArchiveReason.BY_PERSON, self._clock.now())

    def _require_customer(self, partner_id: str, customer_id: str) -> None:
        customer = self._records.get(CUSTOMERS, partner_id, customer_id).value
        if customer is None or customer.archive:
            raise InvalidInputError("there is no such open customer", field="customer_id")


def _refusing_archived(change: Callable[[R], R]) -> Callable[[R], R]:
    """Return the change; it raises NotPossibleError for an archived record."""

    def refusing_archived(record: R) -> R:
        if record.archive is not None:
            raise NotPossibleError("archived_record", "An archived record cannot be changed.")
        return change(record)

    return refusing_archived


def _with_totals(invoice: Invoice) -> Invoice:
    total_minor = _total(invoice.line_items)
    settled_minor = invoice.paid_minor + invoice.credited_minor
    return replace(
        invoice,
        total_minor=total_minor,
        subtotal_minor=total_minor,
        balance_minor=total_minor - settled_minor,
    )


def _refuse_early_due_day(issued_on: date, due_on: date | None) -> None:
    if due_on is not None and due_on < issued_on:
        raise InvalidInputError("is before the day of issue", field="due_on")


def _number_taken() -> InvalidInputError:
    return InvalidInputError("another invoice made on the platform has it", field="number")


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
