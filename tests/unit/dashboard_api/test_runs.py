"""What runs tell: how both sides differ, why one ended, and which one goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.domain.comparison import Comparison, DifferenceCounts
from bridge.domain.filters import ImportFilters
from bridge.domain.identity import RecordKind
from bridge.domain.run import RunKind, RunState
from bridge.wiring import use_cases
from tests.fakes.clock import START
from tests.unit.dashboard_api.world import Caller, World


def test_a_comparison_is_shown_by_kind_of_difference(world: World, partner: Caller) -> None:
    connection = world.connection()
    run = use_cases.run_starter(world).start(connection, RunKind.SWEEP)
    compared = replace(
        run,
        state=RunState.SUCCEEDED,
        finished_at=run.created_at + timedelta(seconds=75),
        invoices_comparison=Comparison(
            compared=500,
            differing=DifferenceCounts(balance=2, payer=1, missing_there=1),
            listed=499,
            counted=501,
        ),
    )
    world.runs.save(compared, expected_version=1)

    body = partner.get(f"/v1/connections/{connection.connection_id}/runs/{run.run_id}").json

    assert body["duration_seconds"] == 75
    shown = body["comparison"]["invoices"]
    assert shown["differences"] == {
        "missing_here": 0,
        "missing_there": 1,
        "balance": 2,
        "payer": 1,
        "status": 0,
        "details": 0,
        "payments_unread": 0,
        "changed": 0,
    }
    rest = {name: shown[name] for name in shown if name != "differences"}
    assert rest == {
        "compared": 500,
        "differing": 4,
        "listed": 499,
        "counted": 501,
        "is_complete": False,
    }
    assert body["comparison"]["customers"]["is_complete"] is None


def test_a_cancelled_run_says_why(world: World, partner: Caller) -> None:
    connection = world.connection()
    path = f"/v1/connections/{connection.connection_id}"
    start = use_cases.run_starter(world).start
    by_person, replaced = start(connection, RunKind.SWEEP), start(connection, RunKind.IMPORT)
    partner.post(f"{path}/runs/{by_person.run_id}/cancel")
    use_cases.filter_preferences(world).apply(
        connection.partner_id, connection.connection_id, lambda _: ImportFilters()
    )
    ended = start(connection, RunKind.CUSTOMERS)
    partner.delete(path)

    reasons = [
        partner.get(f"{path}/runs/{run.run_id}").json["failure"]
        for run in (by_person, replaced, ended)
    ]

    assert reasons == ["by_person", "replaced", "disconnected"]


def test_an_import_that_goes_on_is_not_hidden_by_a_later_fetch(
    world: World, partner: Caller
) -> None:
    connection = world.connection()
    path = f"/v1/connections/{connection.connection_id}"
    assert partner.get(path).json["current_run"] is None
    start = use_cases.run_starter(world).start
    importing = start(connection, RunKind.IMPORT)
    for kind in (RunKind.INVOICES, RunKind.FETCH_NEW):
        world.clock.advance(minutes=1)
        fetching = start(connection, kind)

    body = partner.get(path).json

    assert body["latest_run"]["id"] == fetching.run_id
    assert body["current_run"]["id"] == importing.run_id


def test_a_run_that_has_ended_is_not_the_current_one(world: World, partner: Caller) -> None:
    connection = world.connection()
    run = use_cases.run_starter(world).start(connection, RunKind.IMPORT)
    world.runs.save(run.failed("UnavailableError", START), expected_version=1)

    assert partner.get(f"/v1/connections/{connection.connection_id}").json["current_run"] is None


def test_a_clock_that_is_off_is_shown(world: World, partner: Caller) -> None:
    connection = world.connection(clock_seconds_ahead=-1260)

    body = partner.get(f"/v1/connections/{connection.connection_id}").json

    assert body["clock_seconds_ahead"] == -1260


# --- watermarks -----------------------------------------------------------------------------------


def set_back(partner: Caller, connection_id: str, body: Any) -> Any:
    return partner.post(f"/v1/connections/{connection_id}/set-back-watermark", body)


def test_a_watermark_is_set_back_but_not_forward(world: World, partner: Caller) -> None:
    connection_id = world.connection().connection_id
    world.runs.set_watermark(connection_id, RecordKind.INVOICE, START)

    back = set_back(partner, connection_id, {"kind": "invoice", "at": "2026-01-01T01:00:00+01:00"})
    forward = set_back(partner, connection_id, {"kind": "invoice", "at": "2026-01-02T00:00:00Z"})
    missing = set_back(partner, connection_id, {"kind": "customer", "at": "2026-01-01T00:00:00Z"})

    assert (back.status, back.json["kind"]) == (200, "invoice")
    assert (forward.status, forward.problem) == (409, "watermark_forward")
    assert (missing.status, missing.problem) == (409, "no_watermark")
    stored = world.runs.get_watermark(connection_id, RecordKind.INVOICE)
    assert stored is not None
    assert stored.isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "invoice"},
        {"kind": "payment", "at": "2026-01-01T00:00:00Z"},
        {"kind": "invoice", "at": "2026-01-01T00:00:00"},
        {"kind": "invoice", "at": "yesterday"},
    ],
)
def test_a_watermark_needs_a_kind_and_a_time_with_its_zone(
    world: World, partner: Caller, body: Any
) -> None:
    assert set_back(partner, world.connection().connection_id, body).status == 422


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_at_the_end_of_the_calendar_is_answered(
    world: World, partner: Caller, at: str
) -> None:
    connection_id = world.connection().connection_id
    world.runs.set_watermark(connection_id, RecordKind.INVOICE, START)

    assert set_back(partner, connection_id, {"kind": "invoice", "at": at}).status in (200, 409)
