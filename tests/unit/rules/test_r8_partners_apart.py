"""R8: a partner is who the token says, and one partner's trouble is nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from bridge.domain.connection import Connection
from bridge.domain.errors import NotFoundError, UnavailableError
from bridge.domain.identity import mirrored_id
from bridge.domain.job import Job
from bridge.domain.platform_payment import Allocation
from bridge.domain.write_back import WriteBack, WriteBackState
from bridge.entrypoints.callers import partner_user
from bridge.store.connections import DynamoConnectionStore
from bridge.store.table import Table
from bridge.wiring import use_cases
from tests.builders.operations import a_connection
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.fakes.jobs import do_job
from tests.fakes.ledger import InMemoryLedgerStore
from tests.unit.mirror.bench import Bench


def test_no_header_says_who_the_partner_is() -> None:
    claims = {"token_use": "id", "custom:partner_id": "partner-a", "sub": "user-1"}
    headers = dict.fromkeys(
        ("x-partner-id", "partner-id", "partner_id", "custom:partner_id"), "partner-b"
    )
    event = {"requestContext": {"authorizer": {"jwt": {"claims": claims}}}, "headers": headers}

    assert partner_user(event).partner_id == "partner-a"


class _OneOutOfReach:
    """Stands in for the reconciler: the first connection's ConnectWise does not answer."""

    def __init__(self) -> None:
        self.compared: list[str] = []

    def open_problems(self, connection: Connection) -> Mapping[str, object]:
        return {}

    def keep_in_step(self, write_back: WriteBack, known: Mapping[str, object]) -> None:
        return

    def reconcile(self, connection: Connection, invoice_source_id: int) -> None:
        self.compared.append(connection.connection_id)
        if len(self.compared) == 1:
            raise UnavailableError("out of reach")


def test_one_partners_connectwise_out_of_reach_ends_no_other_partners_comparison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    ledger, connections = bench.ledger, bench.connections
    for partner_id, connection_id in ((PARTNER, CONNECTION), (OTHER_PARTNER, OTHER_CONNECTION)):
        known = connections.get(connection_id).version
        connections.save(a_connection(connection_id, partner_id=partner_id), expected_version=known)
        _written(ledger, partner_id, connection_id)
    reconciler = _OneOutOfReach()

    monkeypatch.setattr(use_cases, "payment_reconciler", lambda _ports: reconciler)

    do_job(bench, Job.PAYMENTS)

    assert sorted(reconciler.compared) == sorted([CONNECTION, OTHER_CONNECTION])


def _written(ledger: InMemoryLedgerStore, partner_id: str, connection_id: str) -> WriteBack:
    """A payment that was written, of an invoice that the mirror does not show."""
    payment = a_platform_payment(
        partner_id=partner_id,
        allocations=(Allocation(mirrored_id(connection_id, 1001), 11000),),
    )
    (write_back,) = write_backs_for(payment)
    written = replace(write_back, state=WriteBackState.CONFIRMED, psa_payment_id=7, due_at=None)
    ledger.record(payment, [written])
    return written


@pytest.mark.parametrize("connection_id", ["a b", "x#y", "", "c" * 3000, "C" * 32, "é", "../x"])
def test_an_id_that_can_be_nobodys_looks_like_one_that_nobody_has(
    bench: Bench, connection_id: str
) -> None:
    # Given the deployed store, which no such id may reach
    bench.connections = DynamoConnectionStore(
        Table(cast(Any, None), "x", bench.clock), lambda: pytest.fail("nothing is saved")
    )
    owned = use_cases.owned_connections(bench)

    with pytest.raises(NotFoundError):
        owned.get(PARTNER, connection_id)
