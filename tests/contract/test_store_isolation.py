"""No call of one partner names or brings anything of another one, whatever ids it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.errors import BridgeError
from bridge.domain.identity import RecordKind, mirrored_id, new_id
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.problem import ProblemState
from bridge.ports import CustomerQuery, InvoiceQuery, PaymentQuery
from infra.local.embedded_aws import EmbeddedAws
from tests.builders.operations import a_problem_report
from tests.builders.records import (
    CONNECTION,
    OTHER_CONNECTION,
    OTHER_PARTNER,
    PARTNER,
    a_customer,
    a_payment,
    an_invoice,
)
from tests.contract.conftest import Stores, Tables
from tests.fakes.clock import START, FakeClock

# One partner's id begins with the other's, which a careless prefix would not tell apart.
NEIGHBOUR = f"{PARTNER}b"
MINE = f"PARTNER#{PARTNER}#"
_PARTITIONS = ("pk", "gsi1pk", "gsi2pk")


@dataclass
class Spy:
    """Notes the partitions that requests name and the items that answers bring."""

    asked: list[str] = field(default_factory=list)
    brought: list[str] = field(default_factory=list)
    requests: int = 0

    def watch(self, client: Any) -> None:
        client.meta.events.register("before-parameter-build.dynamodb", self._note_request)
        client.meta.events.register("after-call.dynamodb", self._note_answer)

    def _note_request(self, params: Mapping[str, Any], **_: Any) -> None:
        self.requests += 1
        self.asked += _partitions(params)
        values = params.get("ExpressionAttributeValues", {})
        self.asked += [value["S"] for name, value in values.items() if name == ":pk"]

    def _note_answer(self, parsed: Mapping[str, Any], **_: Any) -> None:
        self.brought += _partitions(parsed)


def _partitions(node: Any) -> Iterator[str]:
    """Yield the partition keys of all items and keys within a request or an answer."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name in _PARTITIONS and isinstance(value, Mapping) and "S" in value:
                yield value["S"]
            else:
                yield from _partitions(value)
    elif isinstance(node, list | tuple):
        for entry in node:
            yield from _partitions(entry)


@dataclass(frozen=True)
class Watched:
    stores: Stores
    spy: Spy
    foreign_cursor: str


@pytest.fixture
def watched(aws: EmbeddedAws, tables: Tables, clock: FakeClock) -> Watched:
    """Stores with records of three partners; what happens from now on is noted."""
    plain = tables.stores(clock)
    for partner_id in (PARTNER, OTHER_PARTNER, NEIGHBOUR):
        for source_id in (1, 2):
            invoice = an_invoice(source_id, partner_id=partner_id)
            invoice = replace(invoice, payments=(a_payment(source_id, of=invoice),))
            plain.records.save(invoice, expected_version=0)
            customer = a_customer(source_id, partner_id=partner_id)
            plain.records.save(customer, expected_version=0)
        plain.problems.report(a_problem_report(partner_id=partner_id), START)
    foreign = plain.records.list_invoices(OTHER_PARTNER, InvoiceQuery(), limit=1).next_cursor
    assert foreign is not None
    client = aws.client("dynamodb")
    spy = Spy()
    spy.watch(client)
    return Watched(tables.stores(clock, client), spy, foreign)


connections = st.sampled_from([CONNECTION, OTHER_CONNECTION, "x", "c0#META", new_id()])
source_ids = st.integers(0, 4)
record_ids = st.builds(mirrored_id, connections, source_ids) | st.sampled_from(
    ["", "#", f"{MINE}x", f"PARTNER#{OTHER_PARTNER}#PLATFORM#INVOICE", new_id()]
)
kinds = st.sampled_from([RecordKind.INVOICE, RecordKind.CUSTOMER])
maybe_ids = st.none() | record_ids

Call = Callable[[Watched], object]
calls: st.SearchStrategy[Call] = st.one_of(
    record_ids.map(lambda i: lambda w: w.stores.records.get(INVOICES, PARTNER, i)),
    record_ids.map(lambda i: lambda w: w.stores.records.get(CUSTOMERS, PARTNER, i)),
    st.tuples(connections, st.lists(source_ids, max_size=5)).map(
        lambda a: lambda w: w.stores.records.get_mirrored(INVOICES, PARTNER, *a)
    ),
    st.tuples(connections, kinds).map(
        lambda a: (
            lambda w: w.stores.records.list_mirrored(
                PARTNER, *a, after_id=0, through_id=None, limit=10
            )
        )
    ),
    st.tuples(connections, kinds).map(
        lambda a: lambda w: w.stores.records.count_mirrored(PARTNER, *a)
    ),
    st.tuples(connections, kinds, source_ids).map(
        lambda a: lambda w: w.stores.records.save_tombstone(PARTNER, *a)
    ),
    st.tuples(source_ids, source_ids).map(
        lambda a: lambda w: w.stores.records.save(an_invoice(a[0]), expected_version=a[1])
    ),
    st.builds(InvoiceQuery, customer_id=maybe_ids, connection_id=st.none() | connections).map(
        lambda q: lambda w: w.stores.records.list_invoices(PARTNER, q, limit=1)
    ),
    st.just(
        lambda w: w.stores.records.list_invoices(
            PARTNER, InvoiceQuery(), limit=1, cursor=w.foreign_cursor
        )
    ),
    st.builds(CustomerQuery, connection_id=st.none() | connections).map(
        lambda q: lambda w: w.stores.records.list_customers(PARTNER, q, limit=1)
    ),
    st.builds(PaymentQuery, customer_id=maybe_ids, invoice_id=maybe_ids).map(
        lambda q: lambda w: w.stores.records.list_payments(PARTNER, q, limit=1)
    ),
    record_ids.map(lambda i: lambda w: w.stores.problems.get(PARTNER, i)),
    record_ids.map(lambda i: lambda w: w.stores.problems.resolve(PARTNER, i, START)),
    connections.map(lambda c: lambda w: w.stores.problems.open_of_connection(PARTNER, c)),
    st.sampled_from([None, *ProblemState]).map(
        lambda s: lambda w: w.stores.problems.list(PARTNER, state=s, limit=1)
    ),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(call=calls)
def test_no_request_leaves_a_partners_own_partitions(watched: Watched, call: Call) -> None:
    with suppress(BridgeError):
        call(watched)
    strangers = {pk for pk in (*watched.spy.asked, *watched.spy.brought) if not pk.startswith(MINE)}
    assert not strangers
    assert len(watched.spy.asked) >= watched.spy.requests


def test_the_spy_sees_what_it_should(watched: Watched) -> None:
    watched.stores.records.get(INVOICES, OTHER_PARTNER, mirrored_id(CONNECTION, 1))
    watched.stores.records.list_customers(NEIGHBOUR, CustomerQuery(), limit=5)
    assert not any(pk.startswith(MINE) for pk in watched.spy.asked)
    assert len(watched.spy.asked) == 2
    assert len(watched.spy.brought) >= 3
