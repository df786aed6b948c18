"""Stored records take their outward form here before they leave the sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Set
from functools import cache

from connectwise_sandbox.kinds import PATHS, Kind, Record, target_of
from connectwise_sandbox.permissions import Action, Rows
from connectwise_sandbox.tenant import Tenant

_LINE_HREFS: Mapping[str, Kind] = {
    "products_href": Kind.PRODUCT,
    "timeEntries_href": Kind.TIME_ENTRY,
    "expenseEntries_href": Kind.EXPENSE_ENTRY,
}
_HREF_NAMES: Mapping[Kind, str] = {
    Kind.AGREEMENT_TYPE: "type",
    Kind.BILLING_STATUS: "status",
    Kind.CATALOG_ITEM: "catalog",
    Kind.COMPANY_STATUS: "status",
    Kind.COMPANY_TYPE: "type",
}
_HIDDEN_MEMBER_FIELDS = ("hourlyCost", "hourlyRate")


def present(tenant: Tenant, kind: Kind, record: Record, only: Set[str] | None = None) -> Record:
    """Return a record as a client sees it: with hrefs, computed values and corruption.

    `only` names the properties that are asked for; others may be missing then.
    """
    names = record.keys() if only is None else record.keys() & only
    shown = {
        name: _with_href(tenant, kind, name, value) if isinstance(value, dict) else value
        for name, value in ((name, record[name]) for name in names)
    }
    match kind:
        case Kind.INVOICE if only is None or "_info" in only:
            shown["_info"] = record["_info"] | _line_hrefs(tenant, record["id"])
        case Kind.PAYMENT:
            shown |= _invoice_amounts(tenant, record)
        case Kind.MEMBER if not tenant.role.allows(Rows.MEMBER_FINANCE, Action.INQUIRE):
            shown = {
                name: value for name, value in shown.items() if name not in _HIDDEN_MEMBER_FIELDS
            }
    corruption = tenant.corruptions.get((kind, record["id"]))
    if corruption is not None:
        shown |= corruption.overrides
        shown = {name: value for name, value in shown.items() if value is not None}
    return shown


def _with_href(tenant: Tenant, kind: Kind, name: str, reference: Record) -> Record:
    path, href_name = _path_and_href_name(kind, name)
    if path is None or "_info" in reference:
        return reference
    href = f"{tenant.api_url}/{path}/{reference['id']}"
    return reference | {"_info": {href_name: href}}


@cache
def _path_and_href_name(kind: Kind, field: str) -> tuple[str | None, str]:
    target = target_of(kind, field)
    if target is None:
        return None, ""
    return PATHS.get(target), f"{_HREF_NAMES.get(target, target.value)}_href"


def _line_hrefs(tenant: Tenant, invoice_id: int) -> Record:
    return {
        name: f"{tenant.api_url}/{PATHS[kind]}?conditions=invoice/id={invoice_id}"
        for name, kind in _LINE_HREFS.items()
    }


def _invoice_amounts(tenant: Tenant, payment: Record) -> Record:
    invoice = tenant.store[Kind.INVOICE].get(payment["invoice"]["id"])
    if invoice is None:
        return {}
    balance = invoice["balance"]
    return {"balance": balance, "invoiceBalance": balance, "invoiceTotal": invoice["total"]}
