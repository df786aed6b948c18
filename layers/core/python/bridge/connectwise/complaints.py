"""A complaint tells a person the field that keeps a record from being read, and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.connectwise.wire_values import text_of
from bridge.domain.errors import MalformedRecordError

_WORDS = {
    "amount": "amount of a payment",
    "billToCompany": "bill-to company",
    "dueDate": "due date",
    "id": "id of a payment",
}
"""The words of people for fields whose names differ from them."""
_REMEDY = "Correct it in ConnectWise; it is read again then."
_LOOK = "Compare it with ConnectWise, and try again."
UNWRITTEN = "ConnectWise fails to show them to programs"


def name_of_invoice(row: Mapping[str, Any]) -> str:
    """Return how a person knows an invoice: by its number, else by its id."""
    number = text_of(row.get("invoiceNumber")).strip()
    return f"invoice {number}" if number else f"the invoice with id {row.get('id')}"


def complaint(error: MalformedRecordError, name: str) -> str:
    """Return the sentences about an unreadable record, e.g. "The due date of invoice 1042 ..."."""
    field = error.field or "record"
    return f"The {_WORDS.get(field, field)} of {name} {error.reason}. {_REMEDY}"


def unwritten(what: str) -> str:
    """Return the sentences about a record that ConnectWise itself fails to write out."""
    return (
        f"ConnectWise fails to show {what} to programs. Open it in ConnectWise and save it again; "
        "it is read again then."
    )


def unbelieved(what: str, reason: str) -> str:
    """Return the sentences about a list that breaks the order of true ones."""
    return f"What ConnectWise shows for {what} cannot be believed: {reason}. {_LOOK}"


def lacking(what: str, reason: str) -> str:
    """Return the sentences about a part that is left out, and explains a record only."""
    return (
        f"Some of {what} are left out: {reason}. One line stands in for them, so that the total "
        f"is right. {_LOOK}"
    )
