"""R8: a partner is who the token says, and one partner's trouble is nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest

from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.domain.connection import Connection
from bridge.domain.errors import NotFoundError, RetryableError, UnavailableError
from bridge.domain.identity import mirrored_id
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.platform_payment import Allocation
from bridge.domain.write_back import WriteBack, WriteBackState
from bridge.entrypoints.callers import partner_user
from bridge.store.connections import DynamoConnectionStore
from bridge.store.table import Table
from bridge.wiring import use_cases
from connectwise_sandbox.httpx_transport import EngineTransport
from connectwise_sandbox.kinds import Kind
from invoice_pdf.settings import SHARE_OF_TIME as PDFS_SHARE_OF_TIME
from reconciler.settings import CALLBACKS_SHARE_OF_TIME
from record_sync.settings import SHARE_OF_TIME as HINTS_SHARE_OF_TIME
from tests.builders.operations import a_connection
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import InMemoryLedgerStore
from tests.unit.connectwise.sandbox import World, sandboxed_world
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

    use_cases.payment_check(bench).compare_all()

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
    bench.connections = DynamoConnectionStore(Table(cast(Any, None), "x", bench.clock))
    owned = use_cases.owned_connections(bench)

    with pytest.raises(NotFoundError):
        owned.get(PARTNER, connection_id)


class _Silent(httpx.BaseTransport):
    """A ConnectWise that takes requests and never answers, as long as one waits."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._clock.sleep(request.extensions["timeout"]["read"])
        raise httpx.ReadTimeout("no answer")


@pytest.mark.parametrize(
    ("share", "silent_count"),
    [(HINTS_SHARE_OF_TIME, 3), (PDFS_SHARE_OF_TIME, 1), (CALLBACKS_SHARE_OF_TIME, 10)],
)
def test_a_connectwise_that_never_answers_leaves_time_for_the_next_partners(
    share: float, silent_count: int
) -> None:
    # Given a worker with two minutes, and partners whose ConnectWise is silent
    world = sandboxed_world()
    world.clock.set_remaining(120)

    for _ in range(silent_count):
        silent = _gateway(world, _Silent(world.clock), share).open(world.connection)
        with pytest.raises(RetryableError):
            silent.fetch(INVOICES, [7])

    # When it turns to one that answers
    ids = [row["id"] for row in world.engine.tenant.store[Kind.INVOICE]][:10]
    answering = _gateway(world, EngineTransport(world.engine), share).open(world.connection)

    assert set(answering.fetch(INVOICES, ids).found) == set(ids)
    assert world.clock.remaining_seconds() > 30


def _gateway(world: World, transport: httpx.BaseTransport, share: float) -> ConnectWiseGateway:
    return ConnectWiseGateway(
        transport=transport,
        vault=world.vault,
        limiter=world.limiter,
        clock=world.clock,
        on_codebase_changed=lambda *_: None,
        share_of_time=share,
    )
