"""A person asks where a record is, and is told in a sentence."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from bridge.connections.minute_shares import TIMES_A_MINUTE
from bridge.domain.filters import CustomerFilter, ImportFilters, InvoiceFilter
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.domain.problem import ProblemCode
from bridge.mirror.record_search import Finding, Whereabouts
from bridge.ports import Activity
from dashboard_api.models import record_search as model
from tests.unit.dashboard_api.world import Caller, World


def path_of(world: World, kind: str = "invoices") -> str:
    return f"/v1/connections/{world.connection().connection_id}/records/{kind}"


def test_a_record_that_is_here(world: World, partner: Caller) -> None:
    connection = world.connection()
    invoice = world.invoice(connection, 7)

    path = f"/v1/connections/{connection.connection_id}/records/invoices"
    (found,) = partner.get(path, source_id="7").json["items"]

    assert found == {
        "source_id": 7,
        "label": invoice.number,
        "whereabouts": "here",
        "sentence": "It is here.",
        "record_id": invoice.invoice_id,
        "refused_by": None,
        "problem_id": None,
        "since": None,
    }


def test_a_record_that_has_left_a_filter_says_which(world: World, partner: Caller) -> None:
    connection = world.connection()
    world.invoice(connection, 7)
    stored = world.connections.get(connection.connection_id)
    elsewhere = ImportFilters(invoice=InvoiceFilter(location_ids=frozenset({99})))
    world.connections.save(replace(connection, filters=elsewhere), expected_version=stored.version)

    path = f"/v1/connections/{connection.connection_id}/records/invoices"
    (found,) = partner.get(path, source_id="7").json["items"]

    assert found["refused_by"] == "invoices.location_ids"
    assert "filter by location" in found["sentence"]


def test_a_record_that_connectwise_does_not_show(world: World, partner: Caller) -> None:
    path = path_of(world)
    (unknown,) = partner.get(path, source_id="4711").json["items"]
    world.psa.labels[RecordKind.INVOICE, 4711] = "INV-4711"
    (hidden,) = partner.get(path, number="INV-4711").json["items"]

    assert (unknown["whereabouts"], hidden["whereabouts"]) == ("unknown", "hidden")
    assert "security role" in hidden["sentence"]


def test_a_number_that_nobody_has_finds_nothing(world: World, partner: Caller) -> None:
    assert partner.get(path_of(world), number="none").json == {"items": []}


@pytest.mark.parametrize(
    "query", [{}, {"source_id": "7", "number": "7"}, {"source_id": "0"}, {"number": "a\nb"}]
)
def test_a_search_names_one_thing(world: World, partner: Caller, query: dict[str, str]) -> None:
    assert partner.get(path_of(world), **query).status == 422


def test_another_partners_connection_is_unknown(world: World) -> None:
    path = path_of(world)
    assert world.partner("partner-b").get(path, source_id="7").status == 404


def test_too_many_searches_are_put_off(world: World, partner: Caller) -> None:
    path = path_of(world)
    statuses = {
        partner.get(path, number="none").status
        for _ in range(TIMES_A_MINUTE[Activity.RECORD_SEARCH])
    }
    refused = partner.get(path, number="none")
    assert (statuses, refused.status) == ({200}, 429)
    assert refused.headers["Retry-After"] == "60"


@pytest.mark.parametrize("whereabouts", Whereabouts)
def test_every_finding_has_a_sentence(world: World, whereabouts: Whereabouts) -> None:
    finding = Finding(
        RecordKind.INVOICE,
        7,
        whereabouts,
        refused_by="invoices.types",
        since=world.clock.now(),
        problem_id=ProblemCode.RECORD_MALFORMED.value,
    )
    sentence = model.FindingView.of(finding).sentence
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_every_filter_has_a_name() -> None:
    names = {
        f"{kind.plural}.{field.name}"
        for kind, restrictions in ((CUSTOMERS, CustomerFilter), (INVOICES, InvoiceFilter))
        for field in fields(restrictions)
    }
    assert set(model.FILTER_NAMES) == names
