"""A finding of a search says where a record of ConnectWise is, in a person's words."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import Field

from bridge.domain.identity import RecordKind
from bridge.mirror.record_search import Finding, Whereabouts
from dashboard_api.models.values import View


class RecordKindName(StrEnum):
    """The kinds of mirrored records, as paths name them."""

    CUSTOMERS = "customers"
    INVOICES = "invoices"

    @property
    def record_kind(self) -> RecordKind:
        return _KINDS[self]


_KINDS: Final = {
    RecordKindName.CUSTOMERS: RecordKind.CUSTOMER,
    RecordKindName.INVOICES: RecordKind.INVOICE,
}
FILTER_NAMES: Final = {
    "customers.status_ids": "the customers' filter by status",
    "customers.type_ids": "the customers' filter by type",
    "customers.territory_ids": "the customers' filter by territory",
    "customers.company_ids": "the customers' filter by company",
    "invoices.types": "the invoices' filter by type",
    "invoices.billing_status_ids": "the invoices' filter by billing status",
    "invoices.location_ids": "the invoices' filter by location",
    "invoices.department_ids": "the invoices' filter by department",
    "invoices.agreement_types": "the invoices' filter by agreement type",
    "invoices.date_from": "the invoices' filter by date",
    "invoices.minimum_balance": "the invoices' filter by balance",
}
_SENTENCES: Final = {
    Whereabouts.HERE: "It is here.",
    Whereabouts.ARCHIVED: "It is here, and a person archived it on {since}.",
    Whereabouts.LEFT_OUT: "It is left outside by {filter}; change the filters to have it.",
    Whereabouts.PAYER_UNREADABLE: (
        "ConnectWise does not give its customer away to our API member, so the customers' filter "
        "cannot be judged: give the member access to the company, or take that filter off."
    ),
    Whereabouts.BROKEN: "ConnectWise has it, and it cannot be read: see its problem.",
    Whereabouts.DELETED: "It was deleted in ConnectWise; that was found on {since}.",
    Whereabouts.HIDDEN: (
        "ConnectWise has it and leaves it out of our API member's lists: look at the security "
        "role, location and department of the member."
    ),
    Whereabouts.ARRIVING: "It belongs here and was missing; it is being fetched now.",
    Whereabouts.UNKNOWN: (
        "ConnectWise shows no such record to our API member: it never existed, was deleted "
        "before it came here, or lies outside what the member may see."
    ),
}
_LEFT_SINCE: Final = "It is here, and would be left outside by {filter} now."
_OUT_OF_DATE: Final = "It is here as it was read last; it cannot be read now: see its problem."


class FindingView(View):
    """One record that was searched for, and where it is."""

    source_id: int = Field(description="Its id in ConnectWise.")
    label: str | None = Field(description="Its number or name, where it could be read.")
    whereabouts: Whereabouts
    sentence: str = Field(description="The same for a person, with what can be done.")
    record_id: str | None = Field(description="Its id here, once it is here.")
    refused_by: str | None = Field(
        description="The filter that leaves it out, e.g. `invoices.date_from`. A record that is "
        "here stays when it leaves a filter, until it is archived."
    )
    problem_id: str | None = Field(description="The open problem with reading it, if any.")
    since: datetime | None = Field(description="When it was archived or found deleted.")

    @classmethod
    def of(cls, finding: Finding) -> FindingView:
        return cls(
            source_id=finding.source_id,
            label=finding.label or None,
            whereabouts=finding.whereabouts,
            sentence=_sentence(finding),
            record_id=finding.record_id,
            refused_by=finding.refused_by,
            problem_id=finding.problem_id,
            since=finding.since,
        )


class FindingList(View):
    """All records that were found; none means that nobody has such a number."""

    items: list[FindingView]


def _sentence(finding: Finding) -> str:
    sentence = _SENTENCES[finding.whereabouts]
    if finding.whereabouts is Whereabouts.HERE:
        if finding.problem_id:
            sentence = _OUT_OF_DATE
        elif finding.refused_by:
            sentence = _LEFT_SINCE
    name = FILTER_NAMES.get(finding.refused_by or "", "a filter of its time")
    since = f"{finding.since:%Y-%m-%d}" if finding.since else ""
    return sentence.format(filter=name, since=since)
