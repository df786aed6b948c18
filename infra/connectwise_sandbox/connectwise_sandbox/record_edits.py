"""Record edits replace properties of any record, also those that the API would leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connectwise_sandbox.bodies import complete_record
from connectwise_sandbox.errors import invalid_object
from connectwise_sandbox.finance.balances import with_balance
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.money import as_amount
from connectwise_sandbox.schemas import FieldError, validate_new
from connectwise_sandbox.tenant import Tenant

_UNTOUCHABLE = frozenset({"_info", "id"})
_LASTING = frozenset({"date", "invoiceNumber"})
"""Properties that every record of their kind has."""


def edited_record(tenant: Tenant, kind: Kind, before: Record, changes: Record) -> Record:
    """Return a record with other properties; an invoice's balance follows them.

    `changes` holds properties as they stand in the API: None removes one, and a reference needs
    only its id. Raises the 400 for an impossible property or reference.
    """
    amounts = {
        name: as_amount(value)
        for name, value in changes.items()
        if isinstance(before.get(name), Decimal)
    }
    after = {name: value for name, value in (before | changes).items() if value is not None}
    errors = [
        *_complaints(kind, changes, amounts),
        *(
            error
            for error in validate_new(kind.value, after)
            if error.field.partition("/")[0] in changes
        ),
    ]
    if errors:
        raise invalid_object(kind.value, errors)
    after = complete_record(tenant, kind, after | amounts, before)
    return with_balance(tenant, after) if kind is Kind.INVOICE else after


def _complaints(
    kind: Kind, changes: Record, amounts: dict[str, Decimal | None]
) -> Iterator[FieldError]:
    for name, value in changes.items():
        if name in _UNTOUCHABLE or (name in _LASTING and value is None):
            message = f"The field {name} cannot be changed so."
            yield FieldError("InvalidField", message, kind.value, name)
        elif name in amounts and amounts[name] is None:
            message = f"The field {name} must be a number."
            yield FieldError("InvalidField", message, kind.value, name)
