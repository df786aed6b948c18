"""The provider has added custom fields of every type; some records give them no value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.clock import wire_date
from connectwise_sandbox.kinds import Kind, Record

_TIERS = ("Bronze", "Silver", "Gold")
_FILLED = 0.5
"""The share of custom fields that have a value."""
_INVOICE_FORMS = 12
"""Invoices share this many lists of custom fields, to keep large books small."""


@dataclass(frozen=True, slots=True)
class _Definition:
    """A definition is a custom field as the administrator sets it up."""

    caption: str
    type: str
    entry: str = "EntryField"
    decimals: int = 0


_OF_COMPANIES = (
    _Definition("Tenant", "Text"),
    _Definition("Seats", "Number"),
    _Definition("Uptime", "Percent", decimals=2),
    _Definition("Monthly Budget", "Currency", decimals=2),
    _Definition("Autopay", "Checkbox", "Option"),
    _Definition("Contract End", "Date", "Date"),
    _Definition("Tier", "Text", "List"),
    _Definition("Open Portal", "Button"),
)
_OF_INVOICES = (
    _Definition("Cost Center", "Text"),
    _Definition("Disputed", "Checkbox", "Option"),
)


class CustomFields:
    """The custom fields of the books give companies and invoices their values."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        defined = [
            _define(pen, pod_id, number, definition)
            for pod_id, definitions in ((1, _OF_COMPANIES), (2, _OF_INVOICES))
            for number, definition in enumerate(definitions, start=1)
        ]
        self._of_companies = defined[: len(_OF_COMPANIES)]
        of_invoices = defined[len(_OF_COMPANIES) :]
        self._invoice_forms = [
            [self._filled(field, number) for field in of_invoices]
            for number in range(_INVOICE_FORMS)
        ]

    def of_company(self, index: int) -> list[Record]:
        """Return the custom fields of one company."""
        return [self._filled(field, index) for field in self._of_companies]

    def of_invoice(self) -> list[Record]:
        """Return the custom fields of one invoice."""
        return self._pen.random.choice(self._invoice_forms)

    def _filled(self, field: Record, index: int) -> Record:
        """Return a field with a value of its type, or as it is; a button never has a value."""
        if field["type"] == "Button" or not self._pen.chance(_FILLED):
            return field
        return field | {"value": self._value(field, index)}

    def _value(self, field: Record, index: int) -> object:
        random = self._pen.random
        match field["type"]:
            case "Number":
                return random.randint(1, 400)
            case "Percent" | "Currency":
                return Decimal(random.randint(100, 9_999)) / 100
            case "Checkbox":
                return random.choice((True, False))
            case "Date":
                return wire_date(self._pen.today + timedelta(days=random.randint(-400, 400)))
            case _ if field["entryMethod"] == "List":
                return random.choice(_TIERS)
            case _:
                return f"tenant-{index + 1}"


def _define(pen: Pen, pod_id: int, number: int, definition: _Definition) -> Record:
    """Write the definition of a custom field and return the field without a value."""
    guid = pen.guid()
    options = [
        {"id": option, "optionValue": value, "sortOrder": option, "inactiveFlag": False}
        for option, value in enumerate(_TIERS, start=1)
    ]
    written = pen.write(
        Kind.USER_DEFINED_FIELD,
        {
            "podId": pod_id,
            "caption": definition.caption,
            "sequenceNumber": number,
            "fieldTypeIdentifier": definition.type,
            "numberDecimals": definition.decimals,
            "entryTypeIdentifier": definition.entry,
            "requiredFlag": False,
            "displayOnScreenFlag": True,
            "readOnlyFlag": False,
            "options": options if definition.entry == "List" else None,
            "connectWiseID": guid,
        },
        pen.setup_day,
    )
    return {
        "id": written["id"],
        "caption": definition.caption,
        "type": definition.type,
        "entryMethod": definition.entry,
        "numberOfDecimals": definition.decimals,
        "connectWiseId": guid,
    }
