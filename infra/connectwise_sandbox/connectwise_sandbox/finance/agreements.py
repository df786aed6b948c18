"""An agreement is billed by hand through this route."""

from __future__ import annotations

from connectwise_sandbox.finance.invoices import raise_total
from connectwise_sandbox.finance.resources import blank_invoice
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.messages import Response, json_response
from connectwise_sandbox.money import ZERO
from connectwise_sandbox.permissions import Action, Rows
from connectwise_sandbox.routing import Call, Router
from connectwise_sandbox.tenant import Tenant


def install_billing(router: Router) -> None:
    """Register the route that bills an agreement."""
    right = (Rows.AGREEMENT_INVOICING, Action.ADD)
    router.add("POST", "/finance/agreements/{id}/invoice", _bill, right)


def bill_agreement(tenant: Tenant, agreement: Record, by: str) -> Record:
    """Store an invoice over an agreement's amount and return it."""
    company = tenant.get(Kind.COMPANY, agreement["company"]["id"])
    reference = reference_to(Kind.AGREEMENT, agreement) | {"type": agreement["type"]["name"]}
    draft = blank_invoice(tenant, company, "Agreement") | {"agreement": reference}
    invoice = tenant.add(Kind.INVOICE, draft, by)
    amount = agreement.get("billAmount", ZERO)
    return raise_total(tenant, invoice, "agreementAmount", amount, by)


def _bill(call: Call) -> Response:
    agreement = call.tenant.get(Kind.AGREEMENT, call.ids["id"])
    return json_response(201, bill_agreement(call.tenant, agreement, call.member)["id"])
