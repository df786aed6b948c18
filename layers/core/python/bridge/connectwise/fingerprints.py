"""A change fingerprint holds the few properties of a record by which both sides are compared.

Much changes in ConnectWise without a new date of change: a merge moves an invoice to another
payer, a status is renamed or closes from now on. So a fingerprint names what matters itself.
Source: reports of public clients about merges; ConnectWise public interface 2025.1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from bridge.domain.comparison import Difference

FingerprintFields = Mapping[Difference, tuple[str, ...]]

INVOICE_FINGERPRINT_FIELDS: Final[FingerprintFields] = {
    Difference.BALANCE: ("balance", "total", "payments", "credits"),
    Difference.PAYER: ("company/id", "billToCompany/id"),
    Difference.STATUS: ("status/id", "status/name", "status/isClosed"),
    Difference.DETAILS: ("type", "invoiceNumber", "dueDate", "billingTerms/id"),
    Difference.CHANGED: ("_info/lastUpdated",),
}
COMPANY_FINGERPRINT_FIELDS: Final[FingerprintFields] = {
    Difference.STATUS: ("deletedFlag", "status/id", "status/name"),
    Difference.DETAILS: (
        "name",
        "identifier",
        "territory/id",
        "invoiceToEmailAddress",
        "invoiceCCEmailAddress",
        "defaultContact/id",
        "billingContact/id",
    ),
    Difference.CHANGED: ("_info/lastUpdated",),
}

_MAX_MARK_CHARACTERS = 200


def paths_of(fields: FingerprintFields) -> tuple[str, ...]:
    """Return the properties that a list is asked for."""
    return tuple(path for paths in fields.values() for path in paths)


def fingerprint(row: Mapping[str, Any], fields: FingerprintFields) -> str:
    """Return the named properties of a row as one text that is equal when they are.

    The same record gives the same fingerprint from a list and from a whole record, because both
    ask for these fields.
    """
    values = {each: [_scalar_at(row, path) for path in paths] for each, paths in fields.items()}
    return json.dumps(values, default=_mark, separators=(",", ":"))


def _scalar_at(row: Mapping[str, Any], path: str) -> object:
    value: object = row
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, str) and len(value) > _MAX_MARK_CHARACTERS:
        return hashlib.sha256(value.encode(errors="replace")).hexdigest()
    return None if isinstance(value, Mapping | list) else value


def _mark(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value.normalize()) if value.is_finite() else str(value)
    return ""
