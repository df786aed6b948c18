"""Import filters and what they would change."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from bridge.domain.filters import (
    MAX_FILTER_VALUES,
    CustomerFilter,
    ImportFilters,
    InvoiceFilter,
)
from bridge.domain.invoice import InvoiceType
from bridge.sync.filter_changes import ArchivingStep
from bridge.sync.filter_preview import Effect, Preview
from dashboard_api.models.runs import RunView
from dashboard_api.models.values import AmountView, CalendarDate, Input, Name, View, plain

SourceId = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
SourceIds = Annotated[tuple[SourceId, ...], Field(max_length=MAX_FILTER_VALUES)]
DecimalText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,13}(\.[0-9]{1,4})?$")]


class CustomerFilterInput(Input):
    """Ids of the partner's ConnectWise; an empty list does not restrict."""

    status_ids: SourceIds = ()
    type_ids: SourceIds = ()
    territory_ids: SourceIds = ()
    company_ids: SourceIds = ()


class InvoiceFilterInput(Input):
    """``minimum_balance`` is a decimal in the invoice's own currency, e.g. ``"25.00"``."""

    types: Annotated[tuple[InvoiceType, ...], Field(max_length=MAX_FILTER_VALUES)] = ()
    billing_status_ids: SourceIds = ()
    location_ids: SourceIds = ()
    department_ids: SourceIds = ()
    agreement_types: Annotated[tuple[Name, ...], Field(max_length=MAX_FILTER_VALUES)] = ()
    date_from: CalendarDate | None = None
    minimum_balance: DecimalText | None = None


class FiltersInput(Input):
    """Which customers and invoices are imported; nothing set means everything."""

    customers: CustomerFilterInput = CustomerFilterInput()
    invoices: InvoiceFilterInput = InvoiceFilterInput()

    def to_domain(self) -> ImportFilters:
        minimum = self.invoices.minimum_balance
        return ImportFilters(
            customer=CustomerFilter(
                status_ids=frozenset(self.customers.status_ids),
                type_ids=frozenset(self.customers.type_ids),
                territory_ids=frozenset(self.customers.territory_ids),
                company_ids=frozenset(self.customers.company_ids),
            ),
            invoice=InvoiceFilter(
                types=frozenset(self.invoices.types),
                billing_status_ids=frozenset(self.invoices.billing_status_ids),
                location_ids=frozenset(self.invoices.location_ids),
                department_ids=frozenset(self.invoices.department_ids),
                agreement_types=frozenset(self.invoices.agreement_types),
                date_from=self.invoices.date_from,
                minimum_balance=None if minimum is None else Decimal(minimum),
            ),
        )


class CustomerFilterView(View):
    status_ids: list[int]
    type_ids: list[int]
    territory_ids: list[int]
    company_ids: list[int]


class InvoiceFilterView(View):
    types: list[InvoiceType]
    billing_status_ids: list[int]
    location_ids: list[int]
    department_ids: list[int]
    agreement_types: list[str]
    date_from: CalendarDate | None
    minimum_balance: str | None


class FiltersView(View):
    """The filters of a connection, in the form in which they can be sent back."""

    customers: CustomerFilterView
    invoices: InvoiceFilterView

    @classmethod
    def of(cls, filters: ImportFilters) -> FiltersView:
        customer, invoice = filters.customer, filters.invoice
        return cls(
            customers=CustomerFilterView(
                status_ids=sorted(customer.status_ids),
                type_ids=sorted(customer.type_ids),
                territory_ids=sorted(customer.territory_ids),
                company_ids=sorted(customer.company_ids),
            ),
            invoices=InvoiceFilterView(
                types=sorted(invoice.types),
                billing_status_ids=sorted(invoice.billing_status_ids),
                location_ids=sorted(invoice.location_ids),
                department_ids=sorted(invoice.department_ids),
                agreement_types=sorted(invoice.agreement_types),
                date_from=invoice.date_from,
                minimum_balance=plain(invoice.minimum_balance),
            ),
        )


class SavedFiltersView(View):
    """The filters as saved, and the import that brings what they let in newly."""

    filters: FiltersView
    run: RunView


class SampleView(View):
    id: str
    label: str


class EffectView(View):
    """Counts of mirrored records of one kind.

    ``leaving`` ones are kept until they are archived; ``in_connectwise`` is ConnectWise's own
    count of what the proposed filters let in (null when it could not be asked).
    """

    staying: int
    leaving: int
    returning: int
    leaving_samples: list[SampleView]
    returning_samples: list[SampleView]
    leaving_balances: list[AmountView]
    in_connectwise: int | None

    @classmethod
    def of(cls, effect: Effect) -> EffectView:
        return cls(
            staying=effect.staying,
            leaving=effect.leaving,
            returning=effect.returning,
            leaving_samples=[
                SampleView(id=sample.record_id, label=sample.label)
                for sample in effect.leaving_samples
            ],
            returning_samples=[
                SampleView(id=sample.record_id, label=sample.label)
                for sample in effect.returning_samples
            ],
            leaving_balances=[
                AmountView.of(money.amount_minor, money.currency) for money in effect.open_money()
            ],
            in_connectwise=effect.in_connectwise,
        )


class PreviewView(View):
    """One part of the answer; add up the parts until ``next_cursor`` is null."""

    customers: EffectView
    invoices: EffectView
    next_cursor: str | None

    @classmethod
    def of(cls, preview: Preview) -> PreviewView:
        return cls(
            customers=EffectView.of(preview.customers),
            invoices=EffectView.of(preview.invoices),
            next_cursor=preview.next_cursor,
        )


class UndoInput(Input):
    """Which archiving to undo."""

    undo_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}T[0-9]{12}Z$")]


class ArchivingView(View):
    """What this request archived or brought back.

    ``contested_count`` records changed meanwhile and were left alone. Repeat with
    ``next_cursor`` until it is null; ``undo_id`` stays the same over all parts.
    """

    undo_id: str
    customer_count: int
    invoice_count: int
    contested_count: int
    next_cursor: str | None

    @classmethod
    def of(cls, step: ArchivingStep) -> ArchivingView:
        return cls(
            undo_id=step.undo_id,
            customer_count=step.customers,
            invoice_count=step.invoices,
            contested_count=step.contested,
            next_cursor=step.next_cursor,
        )
