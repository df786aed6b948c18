"""Records and the references in them carry links, below `_info`, as recorded answers do.

ConnectWise links its whole interface; so some links lead to paths that the sandbox does not offer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from connectwise_sandbox.kinds import PATHS, Kind, Record, target_of

_OF_RECORDS: Mapping[Kind, Mapping[str, str]] = {
    Kind.INVOICE: {
        "products_href": "procurement/products?conditions=invoice/id={id}",
        "timeEntries_href": "time/entries?conditions=invoice/id={id}",
        "expenseEntries_href": "expense/entries?conditions=invoice/id={id}",
    },
    Kind.COMPANY: {
        "contacts_href": "company/contacts?conditions=company/id={id}",
        "agreements_href": "finance/agreements?conditions=company/id={id}",
        "tickets_href": "service/tickets?conditions=company/id={id}",
        "opportunities_href": "sales/opportunities?conditions=company/id={id}",
        "activities_href": "sales/activities?conditions=company/id={id}",
        "projects_href": "project/projects?conditions=company/id={id}",
        "configurations_href": "company/configurations?conditions=company/id={id}",
        "orders_href": "sales/orders?conditions=company/id={id}",
        "documents_href": "system/documents?recordType=Company&recordId={id}",
        "sites_href": "company/companies/{id}/sites",
        "teams_href": "company/companies/{id}/teams",
        "reports_href": "company/companies/{id}/managementSummaryReports",
        "notes_href": "company/companies/{id}/notes",
    },
    Kind.CONTACT: {
        "communications_href": "company/contacts/{id}/communications",
        "notes_href": "company/contacts/{id}/notes",
        "tracks_href": "company/contacts/{id}/tracks",
        "portalSecurity_href": "company/contacts/{id}/portalSecurity",
        "activities_href": "sales/activities?conditions=contact/id={id}",
        "documents_href": "system/documents?recordType=Contact&recordId={id}",
        "configurations_href": "company/configurations?conditions=contact/id={id}",
        "tickets_href": "service/tickets?conditions=contact/id={id}",
        "opportunities_href": "sales/opportunities?conditions=contact/id={id}",
        "projects_href": "project/projects?conditions=contact/id={id}",
    },
    Kind.AGREEMENT: {
        "additions_href": "finance/agreements/{id}/additions",
        "adjustments_href": "finance/agreements/{id}/adjustments",
    },
}
_NAMES: Mapping[Kind, str] = {
    Kind.AGREEMENT_TYPE: "type",
    Kind.BATCH: "batch",
    Kind.BILLING_STATUS: "status",
    Kind.CATALOG_ITEM: "catalog",
    Kind.COMPANY_STATUS: "status",
    Kind.COMPANY_TYPE: "type",
}
_OTHER_TABLES: Mapping[str, tuple[str, str]] = {
    # references to tables that the sandbox does not keep
    "country": ("company/countries", "country_href"),
    "market": ("company/marketDescriptions", "Market_href"),
    "relationship": ("company/contacts/relationships", "relationship_href"),
    "timeZone": ("system/timeZoneSetups", "timeZoneSetup_href"),
    "timeZoneSetup": ("system/timeZoneSetups", "timeZoneSetup_href"),
    "workRole": ("time/workRoles", "workRole_href"),
    "workType": ("time/workTypes", "workType_href"),
    "unitOfMeasure": ("procurement/unitsOfMeasure", "uom_href"),
    "project": ("project/projects", "project_href"),
    "salesOrder": ("sales/orders", "order_href"),
    "territoryManager": ("system/members", "member_href"),
    "billToSite": ("", "site_href"),
    "shipToSite": ("", "site_href"),
    "phase": ("", "phase_href"),
}
_WITHOUT_LINK = frozenset(
    {
        (Kind.AGREEMENT, "billingTerms"),
        (Kind.COMPANY, "billingTerms"),
        (Kind.INVOICE, "billingTerms"),
        (Kind.INVOICE, "status"),
    }
)
_TYPES: Mapping[Kind, tuple[Kind, str]] = {
    Kind.COMPANY: (Kind.COMPANY_TYPE, "type_href"),
    Kind.CONTACT: (Kind.CONTACT_TYPE, "type_href"),
}


def links_of(kind: Kind, record_id: int, api_url: str) -> Record:
    """Return the links that the `_info` of a record has, by name."""
    text = str(record_id)
    return {
        name: f"{api_url}/{path.replace('{id}', text)}"
        for name, path in _OF_RECORDS.get(kind, {}).items()
    }


def with_link(kind: Kind, record: Record, field: str, api_url: str) -> Record:
    """Return the reference in a record's field with the link to its target.

    A reference without an id keeps the link to its table (recorded of contacts' `relationship`).
    """
    reference: Record = record[field]
    path, name = _path_and_name(kind, field)
    if not name or "_info" in reference or reference.get("id") == 0:
        return reference
    path = path or _nested_path(kind, record, name)
    return reference | {"_info": {name: f"{api_url}/{path}/{reference.get('id', '')}"}}


def types_with_links(kind: Kind, types: list[Record], api_url: str) -> list[Record]:
    """Return the types of a company or contact, each with its link."""
    table, name = _TYPES[kind]
    path = f"{api_url}/{PATHS[table]}"
    return [each | {"_info": {name: f"{path}/{each['id']}"}} for each in types]


@cache
def _path_and_name(kind: Kind, field: str) -> tuple[str, str]:
    """Return the path of a field's target, empty for a nested one, and the name of the link."""
    if (kind, field) in _WITHOUT_LINK:
        return "", ""
    target = target_of(kind, field)
    if target is Kind.SITE:
        return "", "site_href"
    if target is None or target not in PATHS:
        return _OTHER_TABLES.get(field, ("", ""))
    return PATHS[target], f"{_NAMES.get(target, target.value)}_href"


def _nested_path(kind: Kind, record: Record, name: str) -> str:
    """Return the path of the sites of a record's company, or of the phases of its project."""
    if name == "phase_href":
        return f"project/projects/{record['project']['id']}/phases"
    company_id = record["id"] if kind is Kind.COMPANY else record.get("company", {}).get("id")
    return f"{PATHS[Kind.COMPANY]}/{company_id}/sites"
