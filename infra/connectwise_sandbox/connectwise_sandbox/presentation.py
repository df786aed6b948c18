"""Stored records take their outward form here before they leave the sandbox."""

from __future__ import annotations

from collections.abc import Set

from connectwise_sandbox.errors import corrupt_page
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.links import links_of, types_with_links, with_link
from connectwise_sandbox.outward_forms import in_outward_form
from connectwise_sandbox.permissions import Action, Rows
from connectwise_sandbox.sight import sight_of_member
from connectwise_sandbox.tenant import Tenant

_HIDDEN_MEMBER_FIELDS = ("hourlyCost", "hourlyRate")


def present(tenant: Tenant, kind: Kind, record: Record, only: Set[str] | None = None) -> Record:
    """Return a record as a client sees it: with hrefs, computed values and corruption.

    `only` names the properties that are asked for; others may be missing then.
    """
    names = record.keys() if only is None else record.keys() & only
    url = tenant.api_url
    shown = {
        name: with_link(kind, record, name, url) if isinstance(record[name], dict) else record[name]
        for name in names
    }
    if "_info" in shown:
        shown["_info"] = record["_info"] | links_of(kind, record["id"], url)
    match kind:
        case Kind.COMPANY | Kind.CONTACT if "types" in shown:
            shown["types"] = types_with_links(kind, record["types"], url)
        case Kind.PAYMENT:
            shown |= _invoice_amounts(tenant, record)
        case Kind.MEMBER:
            shown |= sight_of_member(tenant, record)
            if not tenant.role.allows(Rows.MEMBER_FINANCE, Action.INQUIRE):
                for name in _HIDDEN_MEMBER_FIELDS:
                    shown.pop(name, None)
    shown = in_outward_form(tenant.switches, kind, shown, only)
    corruption = tenant.corruptions.get((kind, record["id"]))
    if corruption is not None:
        shown |= corruption.overrides
        shown = {name: value for name, value in shown.items() if value is not None}
    return shown


def written_alone(tenant: Tenant, kind: Kind, record: Record) -> object:
    """Return a record as it is written outside of lists; raises the 500 of one that fails."""
    corruption = tenant.corruptions.get((kind, record["id"]))
    if corruption is not None and corruption.fails_above_rows == 0:
        raise corrupt_page()
    if corruption is not None and corruption.raw_row is not None:
        return corruption.raw_row
    return present(tenant, kind, record)


def _invoice_amounts(tenant: Tenant, payment: Record) -> Record:
    invoice = tenant.store[Kind.INVOICE].get(payment["invoice"]["id"])
    if invoice is None:
        return {}
    balance = invoice["balance"]
    return {"balance": balance, "invoiceBalance": balance, "invoiceTotal": invoice["total"]}
