"""A filter's values are chosen from lists of the partner's own ConnectWise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bridge.domain.customer import NamedRef


class ChoiceKind(StrEnum):
    """Each kind is one list of the tenant's setup tables."""

    COMPANY_STATUSES = "company_statuses"
    COMPANY_TYPES = "company_types"
    TERRITORIES = "territories"
    LOCATIONS = "locations"
    DEPARTMENTS = "departments"
    AGREEMENT_TYPES = "agreement_types"
    BILLING_STATUSES = "billing_statuses"


@dataclass(frozen=True, slots=True)
class ChoiceList:
    """A list of choices, or the reason why ConnectWise keeps it back."""

    choices: tuple[NamedRef, ...] = ()
    missing_rights: tuple[str, ...] = ()
    """The rights that ConnectWise asks for before it gives the list."""
    is_known: bool = True
    """False where ConnectWise denied the list or lacks it."""
