"""The API installs every path that the sandbox answers below `apis/3.0`."""

from __future__ import annotations

from urllib.parse import urlencode

from connectwise_sandbox.bodies import read_json
from connectwise_sandbox.companies import COMPANIES, Companies, TypeAssociations
from connectwise_sandbox.contacts import Contacts
from connectwise_sandbox.errors import bad_request
from connectwise_sandbox.finance.accounting import (
    BatchEntries,
    Batches,
    install_unposted,
)
from connectwise_sandbox.finance.agreements import install_billing
from connectwise_sandbox.finance.payment_resource import Payments
from connectwise_sandbox.finance.resources import INVOICES, Invoices, Lines
from connectwise_sandbox.finance.statuses import BillingStatuses
from connectwise_sandbox.kinds import PATHS, Kind
from connectwise_sandbox.messages import Request, Response
from connectwise_sandbox.permissions import Row, Rows
from connectwise_sandbox.resources import READ_WRITE, Parent, Resource
from connectwise_sandbox.routing import Call, Handler, Router
from connectwise_sandbox.system import Callbacks, install_system

_TABLES: tuple[tuple[Kind, Row], ...] = (
    (Kind.COMPANY_STATUS, Rows.TABLE_SETUP),
    (Kind.COMPANY_TYPE, Rows.TABLE_SETUP),
    (Kind.CONTACT_TYPE, Rows.TABLE_SETUP),
    (Kind.COMMUNICATION_TYPE, Rows.TABLE_SETUP),
    (Kind.BILLING_TERM, Rows.TABLE_SETUP),
    (Kind.TAX_CODE, Rows.TABLE_SETUP),
    (Kind.CURRENCY, Rows.TABLE_SETUP),
    (Kind.AGREEMENT_TYPE, Rows.TABLE_SETUP),
    (Kind.AGREEMENT, Rows.AGREEMENTS),
    (Kind.TICKET, Rows.SERVICE_TICKETS),
    (Kind.LOCATION, Rows.TABLE_SETUP),
    (Kind.DEPARTMENT, Rows.TABLE_SETUP),
    (Kind.USER_DEFINED_FIELD, Rows.TABLE_SETUP),
)
_RESTRICTED: tuple[tuple[Kind, Row, tuple[str, ...]], ...] = (
    (Kind.COMPANY_FINANCE, Rows.COMPANY_FINANCE, ("GET", "PUT", "PATCH")),
    (Kind.MEMBER, Rows.MEMBER_MAINTENANCE, ("GET", "POST", "PUT", "PATCH")),
    (Kind.SECURITY_ROLE, Rows.SECURITY_ROLES, ("GET", "POST")),
)
_LINES: tuple[tuple[Kind, Row], ...] = (
    (Kind.PRODUCT, Rows.PRODUCTS),
    (Kind.TIME_ENTRY, Rows.TIME_ENTRY),
    (Kind.EXPENSE_ENTRY, Rows.EXPENSE_REPORT_ENTRY),
)


def build_router() -> Router:
    """Return a router with every resource installed."""
    router = Router()
    invoices = Invoices()
    for resource in (
        Companies(),
        Contacts(),
        TypeAssociations(),
        invoices,
        Payments(invoices),
        Batches(),
        BatchEntries(),
        BillingStatuses(),
        Callbacks(),
        *_build_plain_resources(),
    ):
        resource.install(router)
    install_unposted(router)
    install_billing(router)
    install_system(router)
    tickets = Resource(Kind.TICKET, f"/{PATHS[Kind.TICKET]}", Rows.SERVICE_TICKETS)
    router.add("POST", f"{tickets.path}/search", _build_search(tickets), tickets.right("GET"))
    return router


def _build_plain_resources() -> list[Resource]:
    tables = [Resource(kind, f"/{PATHS[kind]}", row, methods=READ_WRITE) for kind, row in _TABLES]
    lines = [Lines(kind, f"/{PATHS[kind]}", row, methods=READ_WRITE) for kind, row in _LINES]
    agreements, products = f"/{PATHS[Kind.AGREEMENT]}", f"/{PATHS[Kind.PRODUCT]}"
    of_agreement = Parent(Kind.AGREEMENT, "agreementId")
    nested = [
        Resource(
            kind,
            f"{agreements}/{{parentId}}/{name}",
            Rows.AGREEMENTS,
            methods=READ_WRITE,
            parent=of_agreement,
        )
        for kind, name in ((Kind.ADDITION, "additions"), (Kind.ADJUSTMENT, "adjustments"))
    ]
    return [
        *tables,
        *lines,
        *nested,
        Resource(
            Kind.SITE,
            f"{COMPANIES}/{{parentId}}/sites",
            Rows.COMPANY_MAINTENANCE,
            methods=READ_WRITE,
            parent=Parent(Kind.COMPANY, "company"),
        ),
        Resource(Kind.CATALOG_ITEM, f"/{PATHS[Kind.CATALOG_ITEM]}", Rows.PRODUCT_CATALOG),
        Resource(
            Kind.COMPONENT,
            f"{products}/{{parentId}}/components",
            Rows.PRODUCT_CATALOG,
            parent=Parent(Kind.PRODUCT, "parentProductItem"),
            has_count=False,
        ),
        Resource(
            Kind.ROUTING,
            f"{INVOICES}/{{parentId}}/routings",
            Rows.INVOICING,
            methods=READ_WRITE,
            parent=Parent(Kind.INVOICE, "invoice"),
            has_count=False,
        ),
        *(
            Resource(kind, f"/{PATHS[kind]}", row, methods=methods)
            for kind, row, methods in _RESTRICTED
        ),
    ]


def _build_search(resource: Resource) -> Handler:
    """Return a handler that takes its conditions from the body of a POST."""

    def answer(call: Call) -> Response:
        body = read_json(call.request)
        if not isinstance(body, dict):
            raise bad_request("The body of a search is an object.")
        lowered = {str(name).lower(): value for name, value in body.items()}
        names = ("conditions", "orderBy", "childConditions", "customFieldConditions")
        asked = [(name, str(lowered[name.lower()])) for name in names if lowered.get(name.lower())]
        asked += list(call.request.query)
        target = f"{call.request.path}?{urlencode(asked)}"
        request = Request.of("GET", target, call.request.headers)
        return resource.list(Call(call.tenant, request, call.ids, call.member))

    return answer
