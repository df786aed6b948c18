"""A single invoice that one call brings is the one that lists bring, at fewer calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.connectwise.invoice_information import INFORMATION
from bridge.connectwise.psa import ConnectWisePsa
from bridge.domain.errors import CredentialsRejectedError, SiteUnreachableError, ThrottledError
from bridge.domain.invoice import LineKind
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.permissions import INVOICING_INQUIRE, Bound, Restriction
from bridge.ports import Fetched
from connectwise_sandbox.faults import Effect, Fault
from connectwise_sandbox.finance.invoices import lines_of
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.messages import RawJson
from connectwise_sandbox.people import NewLine
from connectwise_sandbox.tenant import Corruption
from tests.fakes.clock import START
from tests.unit.connectwise.sandbox import World, sandboxed_world

INFORMATION_CALL = f"GET {INFORMATION}"
PAYMENTS_CALL = "GET /finance/invoices/{id}/payments"
LISTS = ("/finance/invoices", "/procurement/products", "/time/entries", "/expense/entries")
LINES = (Kind.PRODUCT, Kind.TIME_ENTRY, Kind.EXPENSE_ENTRY)
LIMITED = Restriction(INVOICING_INQUIRE, Bound.LOCATION, "Tampa")
LIST_CALLS = [f"GET {route}" for route in LISTS]


@pytest.fixture
def world() -> World:
    return a_world()


def a_world(**numbers: int) -> World:
    world = sandboxed_world(**{"customers": 12, "invoices": 60, **numbers})
    world.engine.switches.requests_per_minute = 0
    return world


def invoices_of(world: World) -> list[Record]:
    return list(world.engine.tenant.store[Kind.INVOICE])


def by_lists(world: World) -> ConnectWisePsa:
    """Return the connection's ConnectWise whose information is known to be missing."""
    resting = replace(world.connection, information_missed_at=world.clock.now())
    return world.gateway().open(resting)


def fetch(psa: ConnectWisePsa, *source_ids: int, **options: Any) -> Fetched[Any]:
    return psa.fetch(INVOICES, source_ids, **options)


def one_invoice(world: World, *amounts: int) -> int:
    """Return the id of a fresh invoice of such products, in dollars."""
    company = next(
        row
        for row in world.engine.tenant.store[Kind.COMPANY]
        if not row["deletedFlag"] and row["currency"]["currencyCode"] == "USD"
    )
    lines = [NewLine(f"Part {amount}", Decimal(amount)) for amount in amounts or (100, 200)]
    return int(world.engine.people.create_invoice(company["id"], lines)["id"])


def a_paid_invoice(world: World) -> int:
    source_id = one_invoice(world)
    world.engine.people.record_payment(source_id, Decimal(50))
    return source_id


class Rewriting(httpx.BaseTransport):
    """A transport whose answers about single invoices are rewritten by a test."""

    def __init__(self, world: World, rewrite: Callable[[httpx.Response], httpx.Response]) -> None:
        self._inner = world.transport()
        self._rewrite = rewrite

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        return self._rewrite(answer) if "/finance/info/" in request.url.path else answer


def rewritten(world: World, rewrite: Callable[[Any], object]) -> ConnectWisePsa:
    """Return a ConnectWise with another body for the information about an invoice."""

    def changed(answer: httpx.Response) -> httpx.Response:
        answer.read()
        return httpx.Response(200, json=rewrite(answer.json()))

    return world.gateway(Rewriting(world, changed)).open(world.connection)


def answered(world: World, answer: httpx.Response) -> ConnectWisePsa:
    transport = Rewriting(world, lambda _: answer)
    return world.gateway(transport).open(world.connection)


# --- two calls ------------------------------------------------------------------------------------


def test_an_invoice_with_payments_costs_two_calls(world: World) -> None:
    source_id, psa = a_paid_invoice(world), world.psa()

    fetched = fetch(psa, source_id)

    assert psa.calls == {INFORMATION_CALL: 1, PAYMENTS_CALL: 1}
    assert len(fetched.found[source_id].payments) == 1
    assert [item.kind for item in fetched.found[source_id].line_items] == [LineKind.PRODUCT] * 2


def test_an_invoice_without_payments_costs_one_call(world: World) -> None:
    source_id, psa = one_invoice(world), world.psa()

    fetch(psa, source_id)

    assert psa.calls == {INFORMATION_CALL: 1}


def test_payments_are_read_after_the_header(world: World) -> None:
    source_id, seen = a_paid_invoice(world), list[str]()
    transport = world.transport()

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path.partition("/apis/3.0")[2])
        return transport.handle_request(request)

    fetch(world.gateway(httpx.MockTransport(handle)).open(world.connection), source_id)

    assert seen == [
        INFORMATION.format(id=source_id),
        f"/finance/invoices/{source_id}/payments",
    ]


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (2, 2), (3, 3), (4, 4), (50, 4)])
def test_several_invoices_are_read_in_the_way_that_costs_fewer_calls(
    world: World, count: int, calls: int
) -> None:
    source_ids, psa = [one_invoice(world) for _ in range(count)], world.psa()

    fetched = fetch(psa, *source_ids)

    assert set(fetched.found) == set(source_ids)
    assert sum(psa.calls.values()) == calls


# --- equal ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty_references", ["left_out", "without_id"])
@pytest.mark.parametrize("currency_form", ["code", "iso_code", "absent"])
def test_each_invoice_of_the_books_is_the_same_in_both_ways(
    empty_references: str, currency_form: str
) -> None:
    world = a_world()
    world.engine.switches.empty_references = empty_references  # type: ignore[assignment]
    world.engine.switches.currency_form = currency_form  # type: ignore[assignment]
    source_ids = [row["id"] for row in invoices_of(world)]
    expected = fetch(by_lists(world), *source_ids)
    psa = world.psa()

    for source_id in source_ids:
        assert_same(fetch(psa, source_id), part_of(expected, source_id))

    assert psa.calls[INFORMATION_CALL] == len(source_ids)
    assert psa.calls[LIST_CALLS[0]] < len(source_ids) / 5


def part_of(fetched: Fetched[Any], source_id: int) -> Fetched[Any]:
    """Return what a reading of many says of one."""

    def only(values: Mapping[int, Any]) -> dict[int, Any]:
        return {key: value for key, value in values.items() if key == source_id}

    return replace(
        fetched,
        found=only(fetched.found),
        broken=only(fetched.broken),
        change_fingerprints=only(fetched.change_fingerprints),
        incomplete=only(fetched.incomplete),
    )


def assert_same(one: Fetched[Any], other: Fetched[Any]) -> None:
    assert (one.found, one.broken, one.incomplete, one.change_fingerprints) == (
        other.found,
        other.broken,
        other.incomplete,
        other.change_fingerprints,
    )


amounts = st.decimals(-9_999, 9_999, places=2)
odd_values: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "abc", [], {}, {"id": "x"}, True, Decimal("1e300"), Decimal("-0.004"), 7, "7.5"]
)
LINE_FIELDS = [
    "extPrice",
    "extendedInvoiceAmount",
    "invoiceAmount",
    "billableOption",
    "cancelledFlag",
    "quantity",
    "price",
    "notes",
    "description",
    "workType",
    "type",
    "invoice",
    "id",
]
HEADER_FIELDS = [
    "total",
    "balance",
    "payments",
    "credits",
    "subtotal",
    "salesTax",
    "agreementAmount",
    "agreement",
    "status",
    "company",
    "billToCompany",
    "glBatch",
    "currency",
    "date",
    "dueDate",
    "invoiceNumber",
    "billingTerms",
    "productTotal",
    "previousProgressApplied",
    "_info",
]
line_fields = st.sampled_from(LINE_FIELDS)
header_fields = st.sampled_from(HEADER_FIELDS)
options = st.sampled_from(["Billable", "DoNotBill", "NoCharge", "NoDefault"])
line_oddities = st.dictionaries(line_fields, odd_values | amounts | options, max_size=3)
header_oddities = st.dictionaries(header_fields, odd_values | amounts, max_size=3)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    pick=st.integers(0, 1_000),
    header=header_oddities,
    lines=st.lists(line_oddities, max_size=4),
    unwritable=st.booleans(),
)
def test_an_odd_invoice_is_the_same_in_both_ways(
    pick: int, header: Record, lines: list[Record], unwritable: bool
) -> None:
    # Given an invoice of any kind with odd values in its header and lines
    world = ODD_BOOKS
    tenant = world.engine.tenant
    tenant.corruptions.clear()
    with_lines = [row for row in invoices_of(world) if any(lines_at(world, row["id"]))]
    source_id = with_lines[pick % len(with_lines)]["id"]
    tenant.corruptions[Kind.INVOICE, source_id] = Corruption(None, header)
    found = lines_at(world, source_id)
    for (kind, line), odd in zip(found, lines, strict=False):
        tenant.corruptions[kind, line["id"]] = Corruption(None, odd)
    if unwritable:
        kind, line = found[-1]
        tenant.corruptions[kind, line["id"]] = Corruption(0, {})

    # When it is read in both ways
    one, other = fetch(world.psa(), source_id), fetch(by_lists(world), source_id)

    # Then nobody can tell them apart
    assert_same(one, other)


ODD_BOOKS = a_world(invoices=120)


def lines_at(world: World, source_id: int) -> list[tuple[Kind, Record]]:
    return [(kind, row) for kind in LINES for row in lines_of(world.engine.tenant, kind, source_id)]


@pytest.mark.parametrize("count", [24, 26, 1_100])
def test_an_invoice_of_many_lines_is_whole(world: World, count: int) -> None:
    source_id, psa = one_invoice(world, *range(1, count + 1)), world.psa()

    one = fetch(psa, source_id)

    assert_same(one, fetch(by_lists(world), source_id))
    assert len(one.found[source_id].line_items) == count


def test_an_applied_credit_and_a_negative_invoice_are_the_same_in_both_ways(world: World) -> None:
    source_id = one_invoice(world)
    world.engine.people.apply_credit(source_id, Decimal(120))
    memos = [row["id"] for row in invoices_of(world) if row["total"] < 0]

    for each in (source_id, *memos):
        assert_same(fetch(world.psa(), each), fetch(by_lists(world), each))
    assert memos


def test_a_member_of_limited_sight_reads_lists(world: World) -> None:
    """The call for one invoice may show lines that lists hide, and a batch reads lists."""
    source_id = one_invoice(world)
    tenant = world.engine.tenant
    product, _ = tenant.store[Kind.PRODUCT].referring("invoice", [source_id])
    tenant.change(Kind.PRODUCT, product | {"locationId": 99}, "jdoe")
    world.engine.switches.visible_location_ids = [
        row["id"] for row in tenant.store[Kind.LOCATION] if row["id"] != 99
    ]
    limited = replace(world.connection, restrictions=(LIMITED,))
    psa = world.gateway().open(limited)

    fetched = fetch(psa, source_id)

    assert psa.calls[INFORMATION_CALL] == 0
    assert_same(fetched, fetch(by_lists(world), source_id))


# --- not whole ------------------------------------------------------------------------------------


def without_last_product(body: Any) -> object:
    return {**body, "products": body["products"][:-1]}


def first_page(body: Any) -> object:
    return {**body, "products": body["products"][:25]}


def without_lines(body: Any) -> object:
    return {key: value for key, value in body.items() if key in ("id", "invoice")}


@pytest.mark.parametrize(
    ("count", "cut"),
    [(3, without_last_product), (40, first_page), (40, without_lines)],
)
def test_an_answer_without_some_lines_is_not_believed(
    world: World, count: int, cut: Callable[[Any], object]
) -> None:
    source_id = one_invoice(world, *range(1, count + 1))
    psa = rewritten(world, cut)

    fetched = fetch(psa, source_id)

    assert_same(fetched, fetch(by_lists(world), source_id))
    assert [psa.calls[call] for call in LIST_CALLS] == [1] * 4
    assert world.information_missed == []


def test_a_cut_list_whose_rest_is_free_is_not_believed(world: World) -> None:
    source_id = one_invoice(world, *range(1, 31))
    tenant = world.engine.tenant
    for row in tenant.store[Kind.PRODUCT].referring("invoice", [source_id])[25:]:
        shown = {"extPrice": Decimal(0), "price": Decimal(0)}
        tenant.corruptions[Kind.PRODUCT, row["id"]] = Corruption(None, shown)
    sums = {"productTotal": Decimal(325), "subtotal": Decimal(325)}
    tenant.corruptions[Kind.INVOICE, source_id] = Corruption(None, sums)

    fetched = fetch(rewritten(world, first_page), source_id)

    assert_same(fetched, fetch(by_lists(world), source_id))


def test_lines_without_a_reference_belong_to_the_invoice_that_shows_them(world: World) -> None:
    source_id = one_invoice(world)

    def bare(body: Any) -> object:
        rows = [{k: v for k, v in row.items() if k != "invoice"} for row in body["products"]]
        return {**body, "products": rows}

    psa = rewritten(world, bare)

    assert_same(fetch(psa, source_id), fetch(by_lists(world), source_id))
    assert psa.calls == {INFORMATION_CALL: 1}


def test_an_answer_longer_than_a_reading_may_hold_is_read_from_lists(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_id = one_invoice(world, *range(1, 200))
    expected = fetch(by_lists(world), source_id)
    monkeypatch.setattr("bridge.connectwise.held_rows.MAX_BYTES_TOGETHER", 1_000_000)

    fetched = fetch(world.psa(), source_id)

    assert fetched.found == expected.found


# --- missing --------------------------------------------------------------------------------------


def refusal(status: int, code: str = "ConnectWiseApi") -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": "text", "errors": None})


MISSING = [
    refusal(404),
    refusal(404, "NotFound"),
    httpx.Response(404, html="<html>nothing here</html>"),
    refusal(403, "Security"),
    refusal(405, "MethodNotAllowed"),
    httpx.Response(405),
    httpx.Response(501, text="not implemented"),
    refusal(400, "InvalidObject"),
    httpx.Response(200, json=[]),
    httpx.Response(200, json={"id": 7}),
    httpx.Response(200, json={"invoice": {"id": 1}}),
]


@pytest.mark.parametrize("answer", MISSING, ids=lambda answer: f"{answer.status_code}")
def test_where_the_call_is_missing_lists_are_read_and_it_is_remembered(
    world: World, answer: httpx.Response
) -> None:
    source_id, psa = one_invoice(world), answered(world, answer)

    first, second = fetch(psa, source_id), fetch(psa, source_id)

    assert_same(first, fetch(by_lists(world), source_id))
    assert first == second
    assert psa.calls[INFORMATION_CALL] == 1
    assert [psa.calls[call] for call in LIST_CALLS] == [2] * 4
    assert world.information_missed == [world.connection]


def test_where_the_call_is_missing_the_calls_are_those_of_lists(world: World) -> None:
    world.engine.switches.invoice_information = "missing"
    source_id = a_paid_invoice(world)
    fetch(world.psa(), source_id)
    (told,) = world.information_missed
    psa = world.gateway().open(told.with_information_missed(world.clock.now()))

    fetch(psa, source_id)

    assert psa.calls == {**dict.fromkeys(LIST_CALLS, 1), PAYMENTS_CALL: 1}


def test_a_list_that_still_shows_a_deleted_invoice_says_nothing_about_the_call(
    world: World,
) -> None:
    source_id = one_invoice(world)
    world.engine_clock.advance(seconds=60)
    world.engine.switches.invoice_list_delay_seconds = 30
    world.engine.people.delete_invoice(source_id)
    psa = world.psa()

    fetched = fetch(psa, source_id)

    assert set(fetched.found) == {source_id}
    assert world.information_missed == []


# --- lists that lag -------------------------------------------------------------------------------


def lists_lag(world: World) -> None:
    """Let what is there come into lists; they show what changes from now on half a minute late."""
    world.engine_clock.advance(seconds=60)
    world.engine.switches.invoice_list_delay_seconds = 30


def test_one_call_shows_what_lists_show_later(world: World) -> None:
    source_ids = [one_invoice(world) for _ in range(4)]
    lists_lag(world)
    for source_id in source_ids:
        world.engine.people.record_payment(source_id, Decimal(50))

    single, batch = fetch(world.psa(), source_ids[0]), fetch(world.psa(), *source_ids)

    assert single.found[source_ids[0]].paid_minor == 5_000
    assert single.from_lists == frozenset()
    assert batch.found[source_ids[0]].paid_minor == 0
    assert batch.from_lists == set(source_ids)


def test_without_the_call_nothing_is_fresher_than_lists(world: World) -> None:
    source_ids = [one_invoice(world) for _ in range(4)]

    assert fetch(by_lists(world), *source_ids).from_lists == frozenset()


def test_lines_of_a_list_join_no_later_header(world: World) -> None:
    source_id = one_invoice(world)
    lists_lag(world)
    world.engine.people.change_due_date(source_id, START.date())
    psa = rewritten(world, without_last_product)

    with pytest.raises(ThrottledError):
        fetch(psa, source_id)
    world.engine_clock.advance(seconds=31)

    assert_same(fetch(psa, source_id), fetch(by_lists(world), source_id))


# --- no such invoice ------------------------------------------------------------------------------


def test_an_invoice_that_connectwise_lacks_says_nothing_about_the_call(world: World) -> None:
    psa = world.psa()

    fetched = fetch(psa, 999_999)

    assert (fetched.found, fetched.broken) == ({}, {})
    assert psa.calls == {INFORMATION_CALL: 1, LIST_CALLS[0]: 1}
    assert world.information_missed == []


@pytest.mark.parametrize(
    "effect",
    [Effect.STATUS_500, Effect.STATUS_502_HTML, Effect.TRUNCATED_JSON, Effect.CUT_AFTER_EFFECT],
)
def test_passing_trouble_with_the_call_costs_this_reading_alone(
    world: World, effect: Effect
) -> None:
    source_id = one_invoice(world)
    world.engine.faults.add(Fault(path_regex="finance/info/", effect=effect, times=1))
    psa = world.psa()

    first, second = fetch(psa, source_id), fetch(psa, source_id)

    assert first == second
    assert psa.calls[INFORMATION_CALL] == 2
    assert [psa.calls[call] for call in LIST_CALLS] == [1] * 4
    assert world.information_missed == []


def test_a_call_that_takes_too_long_rests_as_if_it_were_missing(world: World) -> None:
    source_id = one_invoice(world)
    fault = Fault(path_regex="finance/info/", effect=Effect.TIMEOUT_AFTER_EFFECT, times=9)
    world.engine.faults.add(fault)

    fetched = fetch(world.psa(), source_id)

    assert set(fetched.found) == {source_id}
    assert world.information_missed == [world.connection]


def test_rejected_keys_stop_the_reading_at_once(world: World) -> None:
    psa = answered(world, refusal(401, "Unauthorized"))

    with pytest.raises(CredentialsRejectedError):
        fetch(psa, one_invoice(world))


def test_a_request_to_wait_is_kept(world: World) -> None:
    psa = answered(world, httpx.Response(429, headers={"Retry-After": "900"}))

    with pytest.raises(ThrottledError):
        fetch(psa, one_invoice(world))


def test_a_server_out_of_reach_is_asked_once(world: World) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    psa = world.gateway(httpx.MockTransport(refuse)).open(world.connection)

    with pytest.raises(SiteUnreachableError):
        fetch(psa, 1)
    assert psa.calls == {INFORMATION_CALL: 1}


def test_a_raw_row_that_cannot_be_read_is_told_as_lists_tell_it(world: World) -> None:
    source_id = one_invoice(world)
    product, _ = world.engine.tenant.store[Kind.PRODUCT].referring("invoice", [source_id])
    deep = RawJson(f'{{"id":{product["id"]},"invoice":{{"id":{source_id}}},"quantity":1e999}}')
    world.engine.tenant.corruptions[Kind.PRODUCT, product["id"]] = Corruption(None, {}, deep)

    assert_same(fetch(world.psa(), source_id), fetch(by_lists(world), source_id))
