"""R5: archiving in bulk happens behind the brake only, and a 404 is a proof only when nothing
moved around it."""

from __future__ import annotations

import httpx
import pytest

from bridge.domain.identity import RecordKind
from bridge.domain.run import RunKind
from connectwise_sandbox.httpx_transport import EngineTransport
from connectwise_sandbox.kinds import Kind
from tests.builders.records import a_customer, an_invoice
from tests.unit.connectwise.sandbox import World, sandboxed_world
from tests.unit.mirror.bench import Bench

INVOICE = RecordKind.INVOICE
NUMBERS = range(1001, 1031)


@pytest.mark.parametrize("kind", [RunKind.IMPORT, RunKind.INVOICES, RunKind.FETCH_UNPAID])
def test_what_a_run_lists_and_then_misses_is_left_to_the_sweep(kind: RunKind) -> None:
    # Given thirty mirrored invoices, all of them changed
    bench = Bench()
    bench.psa.put(a_customer(11), *map(an_invoice, NUMBERS))
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=1)
    bench.psa.put(*(an_invoice(number, reference="changed") for number in NUMBERS))

    # When they go between the list and the records
    def they_go() -> None:
        if (INVOICE, NUMBERS[0]) in bench.psa.records:
            bench.psa.delete(INVOICE, *NUMBERS)

    for _ in range(2):  # an import lists customers first
        bench.psa.meanwhile("list_records", they_go if kind is not RunKind.IMPORT else _nothing)
    bench.psa.meanwhile("list_records", they_go)
    bench.run(kind)

    # Then none is archived without the brake
    assert [number for number in NUMBERS if bench.invoice(number).archive] == []


def _nothing() -> None:
    return


class _UpgradeBehindA404(httpx.BaseTransport):
    """Answers the first question about a record with a 404, and is upgraded at that moment."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._inner = EngineTransport(world.engine)
        self._is_upgraded = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "/finance/invoices/" in request.url.path and not self._is_upgraded:
            self._is_upgraded = True
            self._world.engine.people.roll_codebase_over()
            return httpx.Response(404, json={"code": "NotFound", "message": "Invoice not found"})
        return self._inner.handle_request(request)


def test_a_404_of_a_connectwise_that_moved_meanwhile_proves_nothing() -> None:
    world = sandboxed_world()
    source_id = next(iter(world.engine.tenant.store[Kind.INVOICE]))["id"]

    psa = world.gateway(_UpgradeBehindA404(world)).open(world.connection)

    assert psa.exists(INVOICE, source_id)
