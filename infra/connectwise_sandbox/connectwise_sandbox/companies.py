"""Companies are served here, with their soft deletion, their merging and their types."""

from __future__ import annotations

from typing import ClassVar

from connectwise_sandbox.bodies import read_json
from connectwise_sandbox.clock import wire_time
from connectwise_sandbox.errors import (
    bad_reference,
    invalid_field,
    invalid_object,
)
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.messages import Response, json_response
from connectwise_sandbox.permissions import Rows
from connectwise_sandbox.resources import READ_WRITE, Parent, Resource
from connectwise_sandbox.routing import Call, Router
from connectwise_sandbox.schemas import validate_new
from connectwise_sandbox.tenant import Tenant

COMPANIES = "/company/companies"
_FOLLOWS_COMPANY = (Kind.CONTACT, Kind.SITE, Kind.AGREEMENT)
_MERGED_FIELDS = {
    "name": ("name",),
    "identifier": ("identifier",),
    "status": ("status",),
    "primaryAddress": ("addressLine1", "addressLine2", "city", "state", "zip", "country"),
    "primaryContact": ("defaultContact",),
    "phone": ("phoneNumber",),
    "website": ("website",),
    "territory": ("territory",),
    "billingContact": ("billingContact",),
    "taxCode": ("taxCode",),
    "accountNumber": ("accountNumber",),
    "billingTerms": ("billingTerms",),
}


class Companies(Resource):
    """This resource serves companies; a deleted one still answers 200 and stays in lists."""

    set_by_server: ClassVar[frozenset[str]] = frozenset(
        {"dateDeleted", "deletedBy", "deletedFlag", "types"}
    )
    never_empty: ClassVar[frozenset[str]] = frozenset({"identifier", "name", "status"})

    def __init__(self) -> None:
        super().__init__(Kind.COMPANY, COMPANIES, Rows.COMPANY_MAINTENANCE, methods=READ_WRITE)

    def install(self, router: Router) -> None:
        """Register the routes of companies and of merging them."""
        super().install(router)
        router.add("POST", f"{COMPANIES}/{{id}}/merge", self.merge, self.right("PATCH"))

    def add(self, tenant: Tenant, record: Record, by: str) -> Record:
        """Store a company; raises ObjectExists for an identifier that is taken."""
        _require_free_identifier(tenant, record["identifier"])
        return tenant.add(Kind.COMPANY, record | {"deletedFlag": False}, by)

    def remove(self, tenant: Tenant, record: Record, by: str) -> None:
        """Mark a company as deleted."""
        delete_company(tenant, record, by)

    def merge(self, call: Call) -> Response:
        """Merge the company of the path into the one that the body names."""
        losing = self.find(call)
        body = read_json(call.request)
        errors = validate_new("companyMerge", body)
        if errors:
            raise invalid_object("companyMerge", errors)
        winning = call.tenant.store[Kind.COMPANY].get(body["toCompanyId"])
        if winning is None or winning["id"] == losing["id"]:
            raise bad_reference("companyMerge", "toCompanyId")
        merge_companies(call.tenant, losing, winning, call.member, choices=body)
        return json_response(200, {"success": True, "message": "The companies were merged."})


def delete_company(tenant: Tenant, company: Record, by: str) -> Record:
    """Mark a company as deleted and return it; callbacks say `deleted`."""
    gone = company | {
        "deletedFlag": True,
        "dateDeleted": wire_time(tenant.server_time),
        "deletedBy": by,
    }
    stored = tenant.change(Kind.COMPANY, gone, by, announce=False)
    if tenant.switches.delete_fires_callback:
        tenant.announce("deleted", Kind.COMPANY, stored, by)
    return stored


def merge_companies(
    tenant: Tenant, losing: Record, winning: Record, by: str, choices: Record | None = None
) -> None:
    """Merge `losing` into `winning`.

    The losing company gets `deletedFlag` and keeps its status, or by a switch is gone. By default
    it keeps its `lastUpdated` too, and callbacks stay silent (seen by several integrators).
    Contacts, sites, agreements and, by a switch, invoices move.
    """
    taken = {
        field: losing[field]
        for choice, fields in _MERGED_FIELDS.items()
        if choices is not None and choices.get(choice) == "From"
        for field in fields
        if field in losing
    }
    merged = tenant.change(Kind.COMPANY, winning | taken, by)
    touch = tenant.switches.merge_touches_last_updated
    tenant.change(Kind.COMPANY, losing | {"deletedFlag": True}, by, touch=touch, announce=touch)
    reference = reference_to(Kind.COMPANY, merged)
    for kind in _FOLLOWS_COMPANY:
        for record in tenant.store[kind].referring("company", [losing["id"]]):
            tenant.change(kind, record | {"company": reference}, by, announce=False)
    if tenant.switches.merged_company == "gone":
        tenant.store[Kind.COMPANY].remove(losing["id"])
    if tenant.switches.merge_moves_invoices:
        for invoice in tenant.store[Kind.INVOICE].referring("company", [losing["id"]]):
            moved = invoice | {"company": reference, "billToCompany": reference}
            tenant.change(Kind.INVOICE, moved, by, touch=touch, announce=touch)


def _require_free_identifier(tenant: Tenant, identifier: str) -> None:
    if any(row["identifier"] == identifier for row in tenant.store[Kind.COMPANY]):
        message = "A company with this identifier exists already."
        raise invalid_field("company", "identifier", message, code="ObjectExists")


class TypeAssociations(Resource):
    """This resource gives companies their types; a company repeats them in `types`."""

    def __init__(self) -> None:
        super().__init__(
            Kind.TYPE_ASSOCIATION,
            f"{COMPANIES}/{{parentId}}/typeAssociations",
            Rows.COMPANY_MAINTENANCE,
            methods=READ_WRITE,
            parent=Parent(Kind.COMPANY, "company"),
        )

    def add(self, tenant: Tenant, record: Record, by: str) -> Record:
        """Give a company a type."""
        stored = super().add(tenant, record, by)
        _repeat_types(tenant, stored["company"]["id"], by)
        return stored

    def change(self, tenant: Tenant, before: Record, after: Record, by: str) -> Record:
        """Give a company another type instead."""
        stored = super().change(tenant, before, after, by)
        _repeat_types(tenant, stored["company"]["id"], by)
        return stored

    def remove(self, tenant: Tenant, record: Record, by: str) -> None:
        """Take a type from a company."""
        super().remove(tenant, record, by)
        _repeat_types(tenant, record["company"]["id"], by)


def _repeat_types(tenant: Tenant, company_id: int, by: str) -> None:
    associations = tenant.store[Kind.TYPE_ASSOCIATION].referring("company", [company_id])
    company = tenant.get(Kind.COMPANY, company_id)
    types = [each["type"] for each in associations]
    tenant.change(Kind.COMPANY, company | {"types": types}, by)
