"""What one call may cost, by its kind: the seconds of the exchange and the length of the answer."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date

import httpx
import pytest

from bridge.connectwise import exchange as exchange_module
from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.call_limits import (
    CHANGE,
    DISCOVERY,
    GREETING,
    PAGE,
    PDF,
    RECORD,
    SMALL,
    CallLimits,
)
from bridge.connectwise.egress import MAX_ANSWER_BYTES, TOO_LARGE, TOTAL_SECONDS, UnsafeAnswerError
from bridge.connectwise.exchange import Answer, exchange
from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.domain.connection import Connection
from bridge.domain.errors import BridgeError, TooLargeError
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import mirrored_kind
from bridge.domain.money import Currency
from connectwise_sandbox.httpx_transport import EngineTransport
from tests.unit.connectwise.bench import bench
from tests.unit.connectwise.sandbox import World, sandboxed_world

DOLLARS = Currency("USD", 2)
INVOICES = mirrored_kind(RecordKind.INVOICE)
MIB = 1024 * 1024

Call = Callable[[ConnectWiseGateway, Connection], object]


class Noted(httpx.BaseTransport):
    """The sandbox, with the limits of each request noted."""

    def __init__(self, world: World) -> None:
        self._inner = EngineTransport(world.engine, wait=world.clock.sleep)
        self.limits: set[tuple[float, int]] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        extensions = request.extensions
        self.limits.add((extensions[TOTAL_SECONDS], extensions[MAX_ANSWER_BYTES]))
        return self._inner.handle_request(request)


@pytest.fixture(scope="module")
def world() -> World:
    return sandboxed_world(customers=2, invoices=3)


@pytest.mark.parametrize(
    ("call", "limits"),
    [
        (lambda it, to: it.open(to).list_records(RecordKind.INVOICE, after_id=0, limit=9), [PAGE]),
        (
            lambda it, to: it.open(to).list_records(RecordKind.INVOICE, after_id=0, limit=1),
            [RECORD],
        ),
        (lambda it, to: it.open(to).list_records_by_id(RecordKind.INVOICE, [1, 2]), [PAGE]),
        (lambda it, to: it.open(to).list_records_by_id(RecordKind.INVOICE, [1]), [RECORD]),
        (lambda it, to: it.open(to).count(RecordKind.INVOICE), [SMALL]),
        (lambda it, to: it.open(to).check_rights(), [SMALL]),
        (lambda it, to: it.open(to).read_system_info(), [GREETING]),
        (lambda it, to: it.open(to).list_billing_statuses(), [PAGE]),
        (lambda it, to: it.open(to).fetch_invoice_pdf(1), [PDF]),
        (lambda it, to: it.discover(to.company_id, to.address.site_url), [DISCOVERY]),
        (lambda it, to: it.open_payments(to).read_balance(1), [RECORD, PAGE]),
        (lambda it, to: it.open_payments(to).list_payments(1, DOLLARS), [PAGE]),
        (
            lambda it, to: it.open_payments(to).post_payment(
                1, amount_minor=1, currency=DOLLARS, paid_on=date(2026, 3, 2)
            ),
            [CHANGE],
        ),
    ],
)
def test_each_kind_of_call_has_limits_of_its_own(
    world: World, call: Call, limits: Sequence[CallLimits]
) -> None:
    noted = Noted(world)

    with suppress(BridgeError):
        call(world.gateway(noted), world.connection)

    assert noted.limits
    assert noted.limits <= {(each.seconds, each.answer_bytes) for each in limits}


def test_nobody_waits_for_a_read_longer_than_some_tens_of_seconds() -> None:
    assert max(SMALL.seconds, RECORD.seconds) <= 15
    assert PAGE.seconds <= 40


def test_a_caller_with_less_time_left_gives_less() -> None:
    assert PAGE.within(3) == CallLimits(3, PAGE.answer_bytes)
    assert PAGE.within(500) == PAGE


# --- answers beyond their limit ----------------------------------------------------------------


def long_rows(row_bytes: dict[int, int]) -> Callable[[httpx.Request], httpx.Response]:
    """Serve rows of given lengths, and refuse answers beyond the limit as the way out does."""

    def play(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/count"):
            return httpx.Response(200, json={"count": len(row_bytes)})
        wanted = request.url.params.get("conditions", "id in (1,2,3,4)")
        rows = [
            {"id": each, "notes": "x" * length}
            for each, length in row_bytes.items()
            if str(each) in wanted and each > int(request.url.params.get("pageId", 0))
        ][: int(request.url.params["pageSize"])]
        answer = httpx.Response(200, json=rows, headers={"Link": ""} if rows else {})
        if len(answer.content) > request.extensions[MAX_ANSWER_BYTES]:
            raise UnsafeAnswerError(TOO_LARGE)
        return answer

    return play


def test_a_page_that_is_too_long_is_read_in_parts() -> None:
    it = bench()
    client = it.client(httpx.MockTransport(long_rows(dict.fromkeys(range(1, 5), 3 * MIB))))

    sifted = BulkReader(client).by_ids("/x", {}, range(1, 5))

    assert [row["id"] for row in sifted.rows] == [1, 2, 3, 4]
    assert (sifted.refused, sifted.broken_ids) == ({}, set())


def test_a_record_that_is_too_long_is_refused_alone_and_asked_for_once() -> None:
    it = bench()
    client = it.client(httpx.MockTransport(long_rows({1: 5, 2: 17 * MIB, 3: 5})))

    sifted = BulkReader(client).by_ids("/x", {}, [1, 2, 3])

    assert [row["id"] for row in sifted.rows] == [1, 3]
    assert sifted.refused == {2: "it is longer than the bridge reads"}
    assert client.calls["GET /x"] == 4, "all three; then each alone"


def test_an_answer_that_is_too_long_is_asked_for_once() -> None:
    it = bench(*[UnsafeAnswerError(TOO_LARGE)] * 9)

    with pytest.raises(TooLargeError):
        it.client().read("/x")

    assert len(it.sent) == 1


class Pieces(httpx.SyncByteStream):
    """A body that comes in pieces of two bytes."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __iter__(self) -> Iterator[bytes]:
        return (b"%02d" % (number % 100) for number in range(self._count))


def test_a_body_that_comes_in_tiny_pieces_takes_as_much_memory_as_any() -> None:
    size = MIB // 4
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Pieces(size // 2)))

    tracemalloc.start()
    try:
        answer = exchange(transport, "GET", "https://x.example/", limits=PAGE)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(answer.body) == size
    assert peak_bytes < 3 * size


def test_large_answers_of_several_threads_are_parsed_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once: list[int] = []
    present: set[int] = set()

    def parse(body: bytes) -> object:
        present.add(threading.get_ident())
        at_once.append(len(present))
        value = json.loads(body)
        present.discard(threading.get_ident())
        return value

    monkeypatch.setattr(exchange_module, "read_json", parse)
    large = Answer(200, httpx.Headers(), b"[" + b"1," * 100_000 + b"1]")

    with ThreadPoolExecutor(4) as pool:
        values = list(pool.map(lambda _: large.json(), range(12)))

    assert at_once == [1] * 12
    assert all(len(value) == 100_001 for value in values)
