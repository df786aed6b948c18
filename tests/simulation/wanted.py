"""What the partner wants of ConnectWise, by the books: in sight, and in no filter's way.

Written independently of the bridge's filters, so that the two can disagree.
"""

from __future__ import annotations

from decimal import Decimal

from bridge.domain.filters import CustomerFilter
from connectwise_sandbox.clock import day_of
from connectwise_sandbox.engine import Engine
from connectwise_sandbox.finance.balances import with_balance
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.sight import is_in_sight
from tests.simulation.world import World


def seen_record(engine: Engine, kind: Kind, source_id: int) -> Record | None:
    """Return a record that ConnectWise has and shows to our member, else None."""
    record = engine.tenant.store[kind].get(source_id)
    return record if record and is_in_sight(engine.switches, record) else None


def payer_id_of(invoice: Record) -> int:
    """Return the company that pays an invoice of the books."""
    payer_id: int = (invoice.get("billToCompany") or invoice["company"])["id"]
    return payer_id


def refusal_of_company(world: World, company: Record) -> str | None:
    """Return the name of the filter that leaves a company outside, None for one that is wanted."""
    wanted = world.connection.filters.customer
    type_ids = {each["id"] for each in company.get("types", ())}
    if wanted.status_ids and company.get("status", {}).get("id") not in wanted.status_ids:
        return "status_ids"
    if wanted.type_ids and not type_ids & wanted.type_ids:
        return "type_ids"
    return None


def refusal_of_invoice(world: World, invoice: Record) -> str | None:
    """Return the name of the filter that leaves an invoice outside, None for one that is wanted.

    Where a filter asks about customers, an invoice is judged with its payer, if he can be read.
    """
    wanted = world.connection.filters.invoice
    true = with_balance(world.engine.tenant, invoice)
    balance: Decimal = abs(true["balance"])
    if wanted.types and invoice["type"] not in {each.value for each in wanted.types}:
        return "types"
    status_id = invoice.get("status", {}).get("id")
    if wanted.billing_status_ids and status_id not in wanted.billing_status_ids:
        return "billing_status_ids"
    if wanted.date_from and day_of(invoice["date"]) < wanted.date_from:
        return "date_from"
    if wanted.minimum_balance is not None and balance < wanted.minimum_balance:
        return "minimum_balance"
    payer = world.engine.tenant.store[Kind.COMPANY].get(payer_id_of(invoice))
    return refusal_of_company(world, payer) if payer else None


def filters_customers(world: World) -> bool:
    """Tell whether a filter asks about customers."""
    return world.connection.filters.customer != CustomerFilter()
