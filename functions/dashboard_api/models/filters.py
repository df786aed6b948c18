"""Filter models hold import filters and show their effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from bridge.domain.filter_choices import ChoiceKind, ChoiceList
from bridge.domain.filters import (
    MAX_FILTER_VALUES,
    CustomerFilter,
    ImportFilters,
    InvoiceFilter,
)
from bridge.domain.invoice import InvoiceType
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.mirror.filter_preview import Effect, Preview, Sample
from dashboard_api.models.runs import RunView
from dashboard_api.models.values import (
    AmountView,
    CalendarDate,
    Input,
    Name,
    NamedRefView,
    View,
    plain,
)

SourceId = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
SourceIds = Annotated[tuple[SourceId, ...], Field(max_length=MAX_FILTER_VALUES)]
DecimalText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,13}(\.[0-9]{1,4})?$")]


class CustomerFilterInput(Input):
    """A customer filter lists ids of the partner's ConnectWise; an empty list lets all in."""

    status_ids: SourceIds = ()
    type_ids: SourceIds = ()
    territory_ids: SourceIds = ()
    company_ids: SourceIds = ()


class InvoiceFilterInput(Input):
    """An invoice filter lists values of the partner's ConnectWise; an empty list lets all in."""

    types: Annotated[tuple[InvoiceType, ...], Field(max_length=MAX_FILTER_VALUES)] = ()
    billing_status_ids: SourceIds = ()
    location_ids: SourceIds = ()
    department_ids: SourceIds = ()
    agreement_types: Annotated[tuple[Name, ...], Field(max_length=MAX_FILTER_VALUES)] = ()
    date_from: CalendarDate | None = None
    minimum_balance: DecimalText | None = Field(
        None, description='A decimal in the invoice\'s own currency, e.g. "25.00".'
    )


class FiltersInput(Input):
    """Import filters choose customers and invoices; empty filters let everything in."""

    customers: CustomerFilterInput = CustomerFilterInput()
    invoices: InvoiceFilterInput = InvoiceFilterInput()

    def apply_to(self, known: ImportFilters) -> ImportFilters:
        """Return the known filters with those fields changed that the caller sent."""
        customer, invoice = self.customers, self.invoices
        wanted = self.to_domain()
        return ImportFilters(
            customer=replace(
                known.customer,
                **{name: getattr(wanted.customer, name) for name in customer.model_fields_set},
            ),
            invoice=replace(
                known.invoice,
                **{name: getattr(wanted.invoice, name) for name in invoice.model_fields_set},
            ),
        )

    def to_domain(self) -> ImportFilters:
        invoices = self.invoices
        minimum = invoices.minimum_balance
        return ImportFilters(
            customer=CustomerFilter(**{name: frozenset(ids) for name, ids in self.customers}),
            invoice=InvoiceFilter(
                types=frozenset(invoices.types),
                billing_status_ids=frozenset(invoices.billing_status_ids),
                location_ids=frozenset(invoices.location_ids),
                department_ids=frozenset(invoices.department_ids),
                agreement_types=frozenset(invoices.agreement_types),
                date_from=invoices.date_from,
                minimum_balance=None if minimum is None else Decimal(minimum),
            ),
        )


class CustomerFilterView(View):
    """A customer filter is shown in the form in which it can be sent back."""

    status_ids: list[int]
    type_ids: list[int]
    territory_ids: list[int]
    company_ids: list[int]


class InvoiceFilterView(View):
    """An invoice filter is shown in the form in which it can be sent back."""

    types: list[InvoiceType]
    billing_status_ids: list[int]
    location_ids: list[int]
    department_ids: list[int]
    agreement_types: list[str]
    date_from: CalendarDate | None
    minimum_balance: str | None


class FiltersView(View):
    """A connection's filters are shown in the form in which they can be sent back."""

    customers: CustomerFilterView
    invoices: InvoiceFilterView

    @classmethod
    def of(cls, filters: ImportFilters) -> FiltersView:
        invoice = filters.invoice
        return cls(
            customers=CustomerFilterView(
                **{name: sorted(ids) for name, ids in asdict(filters.customer).items()}
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


class ChoiceListView(View):
    """A list of choices from the partner's ConnectWise."""

    items: list[NamedRefView]
    missing_rights: list[str] = Field(
        description="The rights without which ConnectWise denies the list."
    )
    is_known: bool = Field(description="False where ConnectWise denied the list or lacks it.")

    @classmethod
    def of(cls, choices: ChoiceList) -> ChoiceListView:
        items = [NamedRefView(id=each.source_id, name=each.name) for each in choices.choices]
        return cls(
            items=items,
            missing_rights=list(choices.missing_rights),
            is_known=choices.is_known,
        )


class FilterChoicesView(View):
    """The choices for each field of the filters; agreement types are chosen by name."""

    company_statuses: ChoiceListView
    company_types: ChoiceListView
    territories: ChoiceListView
    locations: ChoiceListView
    departments: ChoiceListView
    agreement_types: ChoiceListView
    billing_statuses: ChoiceListView
    invoice_types: list[InvoiceType]

    @classmethod
    def of(cls, lists: Mapping[ChoiceKind, ChoiceList]) -> FilterChoicesView:
        views = {kind.value: ChoiceListView.of(choices) for kind, choices in lists.items()}
        return cls(**views, invoice_types=list(InvoiceType))


class SavedFiltersView(View):
    """Saved filters come with the import that brings the records they newly let in."""

    filters: FiltersView
    run: RunView


class SampleView(View):
    """A sample is one of the records that filters would move."""

    id: str
    label: str

    @classmethod
    def of(cls, sample: Sample) -> SampleView:
        return cls(id=sample.record_id, label=sample.label)


class EffectView(View):
    """An effect counts the mirrored records of one kind."""

    staying: int
    leaving: int = Field(description="They are kept until they are archived.")
    returning: int
    leaving_samples: list[SampleView]
    returning_samples: list[SampleView]
    leaving_balances: list[AmountView]
    in_connectwise: int | None = Field(
        description="ConnectWise's own count of what the proposed filters let in; null on later "
        "parts of the answer, and when ConnectWise could not be asked."
    )

    @classmethod
    def of(cls, effect: Effect) -> EffectView:
        return cls(
            staying=effect.staying,
            leaving=effect.leaving,
            returning=effect.returning,
            leaving_samples=[SampleView.of(sample) for sample in effect.leaving_samples],
            returning_samples=[SampleView.of(sample) for sample in effect.returning_samples],
            leaving_balances=[
                AmountView.of(money.amount_minor, money.currency) for money in effect.open_money()
            ],
            in_connectwise=effect.in_connectwise,
        )


class PreviewView(View):
    """A preview comes in parts: add them up until ``next_cursor`` is null."""

    customers: EffectView
    invoices: EffectView
    next_cursor: str | None

    @classmethod
    def of(cls, preview: Preview) -> PreviewView:
        return cls(
            customers=EffectView.of(preview.effects[CUSTOMERS.plural]),
            invoices=EffectView.of(preview.effects[INVOICES.plural]),
            next_cursor=preview.next_cursor,
        )
