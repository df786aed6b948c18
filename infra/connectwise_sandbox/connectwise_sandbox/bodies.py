"""JSON bodies of clients are read here, with the references and amounts in them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from connectwise_sandbox.errors import (
    bad_reference,
    bad_request,
    refused,
    unconvertible,
)
from connectwise_sandbox.kinds import Kind, Record, reference_to, target_of
from connectwise_sandbox.messages import Request
from connectwise_sandbox.money import as_amount
from connectwise_sandbox.tenant import Tenant

MAX_BODY_BYTES = 1_000_000

MONEY_FIELDS = frozenset(
    {
        "agreementAmount",
        "amount",
        "billAmount",
        "cost",
        "discount",
        "extCost",
        "extPrice",
        "extendedInvoiceAmount",
        "hourlyRate",
        "invoiceAmount",
        "price",
        "unitCost",
        "unitPrice",
    }
)
QUANTITY_FIELDS = frozenset({"actualHours", "invoiceHours", "quantity"})


def read_json(request: Request) -> Any:
    """Return the decoded body, fractions as Decimal; raises the 400, 413 or 415."""
    content_type = request.headers.get("content-type", "application/json")
    if "json" not in content_type.lower():
        raise refused(415, "UnsupportedMediaType", "The body must be sent as application/json.")
    if len(request.body) > MAX_BODY_BYTES:
        raise refused(413, "RequestTooLarge", f"A body has at most {MAX_BODY_BYTES} bytes.")
    try:
        return json.loads(request.body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise bad_request("The body is not readable JSON.") from error


def complete_record(
    tenant: Tenant, kind: Kind, record: Record, before: Record | None = None
) -> Record:
    """Return a record with complete references and with decimals as amounts.

    A client may name a referred record by `id`, `identifier` or `name`. Properties that equal
    those of `before` are left alone. Raises the InvalidObject error for a reference to a missing
    record, and the 500 for an amount of another JSON type.
    """
    completed = dict(record)
    for field, value in record.items():
        if before is not None and before.get(field) == value:
            continue
        target = target_of(kind, field)
        if target is not None and isinstance(value, dict):
            completed[field] = _complete_reference(tenant, kind, field, target, value)
        elif field in MONEY_FIELDS or field in QUANTITY_FIELDS:
            amount = as_amount(value)
            if amount is None:
                raise unconvertible(value, field)
            completed[field] = amount
    return completed


def _complete_reference(
    tenant: Tenant, kind: Kind, field: str, target: Kind, value: Record
) -> Record:
    table = tenant.store[target]
    if not table:
        return value
    if isinstance(value.get("id"), int):
        found = table.get(value["id"])
        if found is None:
            raise bad_reference(kind.value, f"{field}/id")
        return reference_to(target, found)
    for name in ("identifier", "name"):
        if isinstance(value.get(name), str):
            found = next((row for row in table if row.get(name) == value[name]), None)
            if found is not None:
                return reference_to(target, found)
    raise bad_reference(kind.value, f"{field}/id")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
