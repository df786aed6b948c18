"""The tenant's setup tables are read here, by id and name, for the choices of filters.

Source: ConnectWise public interface 2025.1. A company's territory is one of the system's
locations there, so both lists are the same one.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.listed_rows import row_id
from bridge.connectwise.wire_values import text_of
from bridge.domain.customer import NamedRef
from bridge.domain.filter_choices import ChoiceKind

_ROUTES: Mapping[ChoiceKind, str] = {
    ChoiceKind.COMPANY_STATUSES: "/company/companies/statuses",
    ChoiceKind.COMPANY_TYPES: "/company/companies/types",
    ChoiceKind.TERRITORIES: "/system/locations",
    ChoiceKind.LOCATIONS: "/system/locations",
    ChoiceKind.DEPARTMENTS: "/system/departments",
    ChoiceKind.AGREEMENT_TYPES: "/finance/agreements/types",
    ChoiceKind.BILLING_STATUSES: "/finance/billingStatuses",
}


def list_choices(reader: BulkReader, kind: ChoiceKind) -> tuple[NamedRef, ...]:
    """Return the rows of a setup table, those out of use among them: old records still name them.

    Raises the errors of ConnectWise. Unreadable rows are left out.
    """
    rows = reader.all(_ROUTES[kind], {"fields": "id,name"})
    found = []
    for row in rows:
        source_id = row_id(row)
        if source_id is not None:
            found.append(NamedRef(source_id, text_of(row.get("name"))))
    return tuple(sorted(found, key=lambda each: each.source_id))
