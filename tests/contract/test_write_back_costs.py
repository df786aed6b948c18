"""What one payment's way costs, from its recording until the mirror shows it: calls of ConnectWise,
and write units of DynamoDB."""

from __future__ import annotations

import pytest

from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.write_back import WriteBackState
from infra.local.embedded_aws import EmbeddedAws
from tests.contract.conftest import Tables
from tests.contract.ledger import LedgerTable
from tests.contract.write_back_costs import WholeWay

LOOKS_AND_POST = [
    "GET invoices/id/payments",  # R1: nothing of ours stands there yet
    "GET invoices/id",  # R1: so much is owed
    "POST invoices/id/payments",
    "GET invoices/id",  # it is read back
]
MIRROR = ["GET info/invoice/id", "GET invoices/id/payments"]
LEDGER_UNITS = {
    "recorded: the payment and its write-back, their entries, five places in indexes": 13,
    "the lease taken under two keys": 2,
    "stated: the write-back and its places, its entry, the lease under two keys": 15,
    "confirmed: the write-back and its places, its entry, two owners, two leases": 17,
}


@pytest.fixture
def way(aws: EmbeddedAws, tables: Tables, ledger_table: LedgerTable) -> WholeWay:
    return WholeWay(aws.client("dynamodb"), tables, ledger_table, paid_status_id=None)


@pytest.mark.parametrize("loses_callbacks", [False, True])
def test_a_payment_costs_four_calls_and_its_invoice_one_reading_for_the_mirror(
    way: WholeWay, loses_callbacks: bool
) -> None:
    """The reading serves ConnectWise's own callback and our hint alike."""
    way.loses_callbacks = loses_callbacks

    done = way.pay(5000)

    assert (done.state, done.has_ended) == (WriteBackState.CONFIRMED, True)
    assert way.calls == [*LOOKS_AND_POST, *MIRROR]
    (stored,) = way.records.get_mirrored(
        INVOICES, done.partner_id, done.connection_id, [way.invoice_id]
    ).values()
    assert stored.value is not None
    assert [each.source_id for each in stored.value.payments] == [done.psa_payment_id]


def test_a_payment_costs_few_write_units_in_the_ledger_and_around_it(way: WholeWay) -> None:
    done = way.pay(5000)

    assert done.has_ended
    assert way.units("ledger") <= sum(LEDGER_UNITS.values())
    assert way.units("operations") <= 1, "the brake counts it; no problem is touched"
    assert way.units("coordination") <= 6, "two turns, and the mark of one reading"
    assert way.meter.counts["TransactWriteItems"] <= 4
    assert way.meter.counts["DeleteItem"] == 2, "the places of two turns"
