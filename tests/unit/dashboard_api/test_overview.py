"""The overview adds up what is owed by age, and counts what waits, with bounded reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bridge.domain.comparison import Comparison, DifferenceCounts
from bridge.domain.connection import Connection
from bridge.domain.identity import RecordKind
from bridge.domain.money import Currency
from bridge.domain.problem import ProblemCode
from bridge.domain.run import RunKind
from bridge.figures import receivables
from bridge.wiring import use_cases
from tests.unit.dashboard_api.payments import recorded
from tests.unit.dashboard_api.world import JPY, Caller, World

EUR = Currency("EUR", 2)


def overview_of(partner: Caller) -> Any:
    answer = partner.get("/v1/overview")
    assert answer.status == 200, answer.text
    return answer.json


def owed(found: Any, currency: str = "USD") -> dict[str, tuple[int, int]]:
    (entry,) = (each for each in found["outstanding"] if each["currency"] == currency)
    return {
        each["age"]: (each["amount"]["amount_minor"], each["invoice_count"])
        for each in entry["ages"]
    }


def test_what_is_owed_is_told_by_age(world: World, connection: Connection, partner: Caller) -> None:
    today = world.clock.now().date()
    ages = [(0, "not_due"), (1, "1"), (30, "1"), (31, "31"), (60, "31"), (61, "61"), (90, "61")]
    for number, (days_late, _) in enumerate([*ages, (91, "over"), (900, "over")]):
        world.invoice(connection, 100 + number, due_on=today - timedelta(days=days_late))
    world.invoice(connection, 200, due_on=None, balance_minor=2500)

    found = overview_of(partner)

    assert owed(found) == {
        "not_due": (10000, 1),
        "days_1_to_30": (20000, 2),
        "days_31_to_60": (20000, 2),
        "days_61_to_90": (20000, 2),
        "over_90_days": (20000, 2),
        "no_due_day": (2500, 1),
    }
    assert found["outstanding"][0]["owed"]["display"] == "925.00"
    assert found["outstanding"][0]["overdue"]["display"] == "800.00"
    assert found["outstanding_is_complete"] is True


def test_a_credit_memo_is_never_overdue(
    world: World, connection: Connection, partner: Caller
) -> None:
    world.invoice(connection, 1, total_minor=-1875, balance_minor=-1875, due_on=date(2020, 1, 1))

    (entry,) = overview_of(partner)["outstanding"]

    assert entry["ages"] == []
    assert (entry["overdue"]["amount_minor"], entry["owed"]["amount_minor"]) == (0, 0)
    assert (entry["credit"]["amount_minor"], entry["credit_count"]) == (-1875, 1)


def test_paid_and_archived_invoices_and_those_of_others_are_left_out(
    world: World, connection: Connection, partner: Caller
) -> None:
    world.invoice(connection, 1, balance_minor=0)
    world.invoice(world.connection("partner-b"), 2)

    assert overview_of(partner)["outstanding"] == []


def test_currencies_are_kept_apart(world: World, connection: Connection, partner: Caller) -> None:
    world.invoice(connection, 1, currency=JPY, total_minor=500, balance_minor=500)
    world.invoice(connection, 2, currency=EUR)

    found = overview_of(partner)["outstanding"]

    assert [(each["currency"], each["owed"]["display"]) for each in found] == [
        ("EUR", "100.00"),
        ("JPY", "500"),
    ]


def test_sums_are_made_anew_once_a_minute(
    world: World, connection: Connection, partner: Caller
) -> None:
    # Given sums of one invoice
    world.invoice(connection, 1)
    first = overview_of(partner)
    # When another one comes
    world.invoice(connection, 2)
    # Then the same minute shows the sums as they were, and the next one all of it
    assert overview_of(partner)["as_of"] == first["as_of"]
    assert overview_of(partner)["outstanding"][0]["invoice_count"] == 1
    world.clock.advance(seconds=61)
    assert overview_of(partner)["outstanding"][0]["invoice_count"] == 2


def test_beyond_the_limit_sums_are_least_ones(
    world: World, connection: Connection, partner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receivables, "MAX_SUMMED", 4)
    monkeypatch.setattr(receivables, "PAGE_SIZE", 2)
    for number in range(6):
        world.invoice(connection, 1 + number)

    found = overview_of(partner)

    assert found["outstanding_is_complete"] is False
    assert found["outstanding"][0]["invoice_count"] == 4


def test_what_was_collected_is_told_by_day(
    world: World, connection: Connection, partner: Caller
) -> None:
    recorded(world, connection, world.invoice(connection, 7), "pay-1")

    found = overview_of(partner)

    (day,) = found["collected"]["days"]
    payment = partner.get("/v1/platform-payments/pay-1").json
    assert (day["received_on"], day["amount"]) == (payment["received_on"], payment["amount"])
    assert day["payment_count"] == 1
    assert found["write_backs"]["states"] == [{"state": "pending", "count": 1}]


def test_open_problems_are_counted_by_code(
    world: World, connection: Connection, partner: Caller
) -> None:
    for number in range(3):
        report = connection.report(ProblemCode.RECORD_PARKED, f"invoice/{number}", "d")
        world.problems.report(report, world.clock.now())
    world.problems.resolve("partner-a", report.problem_id, world.clock.now())

    (code,) = overview_of(partner)["problems"]["codes"]

    assert (code["code"], code["count"]) == ("record_parked", 2)
    assert code["title"] == "A record could not be brought over"


def test_the_latest_comparison_is_shown_with_its_result(
    world: World, connection: Connection, partner: Caller
) -> None:
    # Given a comparison that ended, and many other runs after it
    assert overview_of(partner)["connections"][0]["latest_comparison"] is None
    starter = use_cases.run_starter(world)
    run = starter.start(connection, RunKind.SWEEP)
    differing = DifferenceCounts(balance=2)
    ended = replace(
        run.with_comparison(
            RecordKind.INVOICE, Comparison(compared=40, differing=differing, listed=40, counted=40)
        ),
        step_index=len(run.steps) - 1,
    ).advanced(last_id=1, is_last_page=True, now=world.clock.now())
    world.runs.save(ended, expected_version=1)
    starter.start(connection, RunKind.INVOICES)

    (stand,) = overview_of(partner)["connections"]

    shown = stand["latest_comparison"]
    assert (shown["run_id"], shown["state"]) == (run.run_id, "succeeded")
    assert (shown["compared_invoices"], shown["differing_invoices"]) == (40, 2)
    assert shown["finished_at"]
