"""Filters are checked here before they are saved: unknown or impossible values are mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Set

from bridge.connections.filter_choices import FilterChoices
from bridge.domain.errors import InvalidInputError
from bridge.domain.filter_choices import ChoiceKind
from bridge.domain.filters import ImportFilters, refuse_senseless
from bridge.domain.identity import RecordKind
from bridge.ports import Clock, Psa


class FilterCheck:
    """The check compares filters with the calendar and with the tenant's own lists."""

    def __init__(self, choices: FilterChoices, clock: Clock) -> None:
        self._choices = choices
        self._clock = clock

    def refuse_senseless(self, filters: ImportFilters) -> None:
        """Raise InvalidInputError for values that are a mistake in any ConnectWise."""
        refuse_senseless(filters, self._clock.now().date())

    def refuse_unknown(
        self,
        psa: Psa,
        connection_id: str,
        filters: ImportFilters,
        *,
        saved: ImportFilters | None = None,
    ) -> None:
        """Raise InvalidInputError for ids and names that are missing in its lists.

        Values that are saved already pass, and so do those of a list that this ConnectWise
        denies or lacks. Raises the other errors of ConnectWise, if it has to be asked.
        """
        known = saved or ImportFilters()
        for field, kind, wanted, before in _ids(filters, known):
            if not wanted - before:
                continue
            choices = self._choices.read(psa, connection_id, kind)
            listed = {each.source_id for each in choices.choices}
            _refuse_unless(choices.is_known is False or wanted - before <= listed, field)
        self._refuse_unknown_names(psa, connection_id, filters, known)
        companies = filters.customer.company_ids - known.customer.company_ids
        if companies:
            found = psa.list_records_by_id(RecordKind.CUSTOMER, sorted(companies))
            _refuse_unless(companies <= found.keys(), "customers.company_ids")

    def _refuse_unknown_names(
        self, psa: Psa, connection_id: str, filters: ImportFilters, known: ImportFilters
    ) -> None:
        names = filters.invoice.agreement_types - known.invoice.agreement_types
        if not names:
            return
        choices = self._choices.read(psa, connection_id, ChoiceKind.AGREEMENT_TYPES)
        listed = {each.name.casefold() for each in choices.choices}
        is_listed = {name.casefold() for name in names} <= listed
        _refuse_unless(choices.is_known is False or is_listed, "invoices.agreement_types")


def _ids(
    filters: ImportFilters, known: ImportFilters
) -> Iterator[tuple[str, ChoiceKind, Set[int], Set[int]]]:
    """Yield each list of ids with its field in the API, its kind and its saved ids."""
    new, old = filters.customer, known.customer
    yield "customers.status_ids", ChoiceKind.COMPANY_STATUSES, new.status_ids, old.status_ids
    yield "customers.type_ids", ChoiceKind.COMPANY_TYPES, new.type_ids, old.type_ids
    yield "customers.territory_ids", ChoiceKind.TERRITORIES, new.territory_ids, old.territory_ids
    invoice, saved = filters.invoice, known.invoice
    yield (
        "invoices.billing_status_ids",
        ChoiceKind.BILLING_STATUSES,
        invoice.billing_status_ids,
        saved.billing_status_ids,
    )
    yield "invoices.location_ids", ChoiceKind.LOCATIONS, invoice.location_ids, saved.location_ids
    yield (
        "invoices.department_ids",
        ChoiceKind.DEPARTMENTS,
        invoice.department_ids,
        saved.department_ids,
    )


def _refuse_unless(is_listed: bool, field: str) -> None:
    if not is_listed:
        raise InvalidInputError(
            "holds a value that this ConnectWise does not have; choose from the filter choices",
            field=field,
        )
