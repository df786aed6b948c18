"""The month end tells what became of the money: posted, not posted, unapplied, gone back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.connection import Connection
from bridge.domain.platform_payment import Allocation, PlatformPaymentState
from bridge.domain.problem import ProblemCode
from bridge.domain.run import Run, RunKind
from bridge.domain.write_back import WriteBackState
from bridge.figures.month_end import sum_payments
from bridge.wiring import use_cases
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import CONNECTION
from tests.unit.dashboard_api.payments import recorded
from tests.unit.dashboard_api.world import Caller, World


def month_end(world: World, partner: Caller, connection: Connection) -> Any:
    today = world.clock.now().date()
    days = {"first_day": str(today - timedelta(days=20)), "last_day": str(today)}
    path = f"/v1/connections/{connection.connection_id}/month-end"
    answer = partner.get(path, **days)
    assert answer.status == 200, answer.text
    return answer.json


def compared(world: World, connection: Connection) -> Run:
    """Let a comparison end that found both sides equal."""
    run = use_cases.run_starter(world).start(connection, RunKind.SWEEP)
    last = replace(run, step_index=len(run.steps) - 1)
    ended = last.advanced(last_id=1, is_last_page=True, now=world.clock.now())
    world.runs.save(ended, expected_version=1)
    return ended


def shown(found: Any, *names: str) -> list[str]:
    (entry,) = found["sums"]
    return [entry[name]["display"] for name in names]


def test_money_that_stands_in_connectwise_lets_the_month_agree(
    world: World, connection: Connection, partner: Caller
) -> None:
    # Given a payment on its way
    write_back = recorded(world, connection, world.invoice(connection, 7), "pay-1")
    run = compared(world, connection)
    amount = partner.get("/v1/platform-payments/pay-1").json["amount"]["display"]
    found = month_end(world, partner, connection)
    assert shown(found, "collected", "posted", "not_posted") == [amount, "0.00", amount]
    assert found["agrees"] is False
    # When it is proven there
    done = replace(write_back, state=WriteBackState.CONFIRMED, psa_payment_id=5)
    world.ledger.save_write_back(done, expected_version=1)
    # Then the month agrees
    found = month_end(world, partner, connection)
    assert shown(found, "posted", "not_posted", "unapplied") == [amount, "0.00", "0.00"]
    assert (found["agrees"], found["latest_comparison"]["run_id"]) == (True, run.run_id)


def test_an_open_problem_keeps_the_month_from_agreeing(
    world: World, connection: Connection, partner: Caller
) -> None:
    compared(world, connection)
    assert month_end(world, partner, connection)["agrees"] is True
    report = connection.report(ProblemCode.RECORD_PARKED, "invoice/1", "d")
    world.problems.report(report, world.clock.now())

    found = month_end(world, partner, connection)

    assert found["agrees"] is False
    assert [(each["code"], each["count"]) for each in found["open_problems"]] == [
        ("record_parked", 1)
    ]


@pytest.mark.parametrize(
    ("first_day", "last_day"), [("2026-02-01", "2026-01-01"), ("2024-01-01", "2026-01-01")]
)
def test_days_that_cannot_be_meant_are_refused(
    connection: Connection, partner: Caller, first_day: str, last_day: str
) -> None:
    path = f"/v1/connections/{connection.connection_id}/month-end"

    answer = partner.get(path, first_day=first_day, last_day=last_day)

    assert answer.problem == "invalid_input"


@given(
    parts=st.lists(st.integers(1, 10**6), min_size=1, max_size=5),
    rest=st.integers(0, 10**6),
    states=st.lists(st.sampled_from(WriteBackState), min_size=5, max_size=5),
    state=st.sampled_from(PlatformPaymentState),
)
def test_what_was_collected_is_posted_not_posted_or_unapplied(
    parts: list[int], rest: int, states: list[WriteBackState], state: PlatformPaymentState
) -> None:
    payment = a_platform_payment(
        amount_minor=sum(parts) + rest,
        allocations=tuple(
            Allocation(f"{CONNECTION}-{number}", part) for number, part in enumerate(parts, 1)
        ),
        state=state,
    )
    pairs = zip(write_backs_for(payment), states, strict=False)
    write_backs = {each.write_back_id: replace(each, state=its) for each, its in pairs}

    (found,) = sum_payments([payment], write_backs)

    together = found.posted_minor + found.not_posted_minor + found.unapplied_minor
    assert found.collected_minor == together
    assert found.collected_minor + found.gone_back_minor == payment.amount_minor
    assert 0 <= found.gone_back_posted_minor <= found.gone_back_minor
