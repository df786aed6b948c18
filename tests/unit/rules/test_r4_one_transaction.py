"""R4: an invoice and its payments are stored together or not at all, over the version read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from bridge.domain.errors import ConflictError
from bridge.store.attributes import from_item
from bridge.store.items import mirrored_item
from bridge.store.records import DynamoRecordStore
from bridge.store.table import Table
from tests.builders.records import a_payment, an_invoice
from tests.fakes.clock import FakeClock


class _Overtaken:
    """A table in which the invoice stands at version 1 when it is read, and at 2 when written."""

    def __init__(self) -> None:
        self.conditions: list[str] = []

    def get_item(self, **request: Any) -> dict[str, Any]:
        return {"Item": from_item(mirrored_item(an_invoice(), version=1, change_fingerprint=""))}

    def put_item(self, **request: Any) -> None:
        """It takes a search key, which is written before its invoice."""
        assert "data" not in request["Item"]

    def transact_write_items(self, **request: Any) -> None:
        puts = [part["Put"] for part in request["TransactItems"]]
        self.conditions = [put.get("ConditionExpression", "") for put in puts]
        if not any(self.conditions):
            return
        reasons = [{"Code": "ConditionalCheckFailed" if each else "None"} for each in puts]
        error = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
        raise ClientError(cast(Any, error), "TransactWriteItems")


def test_a_payment_does_not_carry_an_older_invoice_over_a_newer_one() -> None:
    # Given a worker that read version 1, and another that writes version 2 meanwhile
    client = _Overtaken()
    records = DynamoRecordStore(Table(cast(Any, client), "records", FakeClock()))
    invoice = an_invoice(balance_minor=6000, paid_minor=5000)
    paid = replace(invoice, payments=(a_payment(of=invoice),))

    with pytest.raises(ConflictError):
        records.save(paid, expected_version=1)

    # Then all was written in one transaction, which the invoice's version decided
    assert len(client.conditions) == 2
    assert client.conditions[0]
