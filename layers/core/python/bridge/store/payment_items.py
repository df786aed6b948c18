"""An invoice's payments are items of their own besides, for lists and events.

Up to 99 changed payments are written in one transaction with their invoice. When more changed,
the invoice is written first and names them (see ``items.with_unlisted``); then their items are
written, and then the invoice anew, the names left out. The invoice is whole at every moment. If
its worker dies in between, the next save writes the items first that the invoice still names.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.domain.errors import InvalidInputError
from bridge.domain.mirrored_kinds import MirroredRecord, kind_of
from bridge.domain.payment import Payment
from bridge.store.errors import ConditionFailedError
from bridge.store.expressions import Condition
from bridge.store.items import payment_item
from bridge.store.table import MAX_BATCH, Table, Write

MAX_TOGETHER = MAX_BATCH - 1
"""The invoice itself is one of the items of the transaction."""


def payments_of(record: MirroredRecord) -> tuple[Payment, ...]:
    """Return the payments of a record. Raises InvalidInputError for one of another partner."""
    kind = kind_of(record)
    payments = kind.payments_of(record) if kind.payments_of else ()
    if any(payment.partner_id != record.partner_id for payment in payments):
        raise InvalidInputError("payment of another partner", field="payments")
    return payments


def write_payments(table: Table, payments: Sequence[Payment], *, version: int) -> None:
    """Write the items of payments that an invoice of this version names.

    The call may be repeated, and may come late: an item that the same or a later version of the
    invoice wrote stays.
    """
    writes = [
        Write(payment_item(payment, version=version), condition=_is_older(payment, version))
        for payment in payments
    ]
    for start in range(0, len(writes), MAX_BATCH):
        _write_older(table, writes[start : start + MAX_BATCH])


def _write_older(table: Table, writes: Sequence[Write]) -> None:
    """Make those of the writes whose condition holds."""
    while writes:
        try:
            table.transact(writes)
        except ConditionFailedError as error:
            writes = [write for place, write in enumerate(writes) if place not in error.found]
        else:
            return


def _is_older(payment: Payment, version: int) -> Condition:
    """Return the condition that the stored item is missing, older, or of another invoice."""
    return Condition(
        "attribute_not_exists(#pk) OR #version < :version OR #data.invoice_id <> :invoice_id",
        {"version": version, "invoice_id": payment.invoice_id},
    )
