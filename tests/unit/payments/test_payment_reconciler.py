"""The last net: what ConnectWise shows is compared with what we own, and what waited is healed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.connections.job_step import JobStep
from bridge.connections.visit import Visit
from bridge.domain.connection import Connection
from bridge.domain.errors import NotFoundError, UnavailableError
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.changes import hand_over, reverse
from bridge.payments.payment_check import ASKED_DAILY_FOR
from bridge.wiring import use_cases
from tests.unit.payments.bench import PAID_ON, QUARANTINE_SECONDS
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState


@pytest.fixture
def bench() -> MirroredBench:
    return MirroredBench()


def test_where_all_agrees_connectwise_is_not_asked(bench: MirroredBench) -> None:
    bench.drive(bench.collect(5000))
    bench.people.record_payment(bench.invoice_id, Decimal("10.00"))
    assert bench.compare() == 0
    assert bench.open_problems() == []


def ask_daily(bench: MirroredBench) -> int:
    """Let the hourly comparison run for a day, while the mirror stays as it is."""
    asked = 0
    for _ in range(24):
        bench.wait(3600)
        bench.clock.set_remaining(900)
        asked += bench.compare_now()
    return asked


def test_what_does_not_show_on_the_invoice_is_found_within_a_day(bench: MirroredBench) -> None:
    """A payment that another tool writes anew changes neither balance nor date of an invoice."""
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.mirror()
    bench.hints.sent.clear()
    bench.world.engine.switches.payment_touches_last_updated = False
    bench.people.rewrite_payments(bench.invoice_id)
    assert ask_daily(bench) >= 1
    found = bench.stored(write_back)
    assert found.reason is Reason.PAYMENT_REWRITTEN
    assert [each.psa_payment_id for each in found.shown] == [bench.rows()[0]["id"]]
    assert {hint.source_id for hint in bench.hints.sent} == {bench.invoice_id}, "mirror is stale"


def test_what_others_did_to_an_invoice_that_took_no_payment_is_found_too(
    bench: MirroredBench,
) -> None:
    bench.lock_invoice()
    assert bench.drive(bench.collect(5000)).state is S.REJECTED
    bench.people.reopen_invoice(bench.invoice_id)
    bench.people.record_payment(bench.invoice_id, Decimal("50.00"), PAID_ON)
    bench.mirror()
    bench.hints.sent.clear()
    bench.world.engine.switches.payment_touches_last_updated = False
    bench.people.rewrite_payments(bench.invoice_id)
    assert ask_daily(bench) == 1
    assert {hint.source_id for hint in bench.hints.sent} == {bench.invoice_id}, "mirror is stale"


def test_connectwise_is_asked_about_an_invoice_once_a_day_and_not_for_ever(
    bench: MirroredBench,
) -> None:
    bench.drive(bench.collect(5000))
    bench.mirror()
    bench.hints.sent.clear()
    assert ask_daily(bench) == 1
    assert ask_daily(bench) == 1
    bench.wait(ASKED_DAILY_FOR.total_seconds())
    assert ask_daily(bench) == 0
    assert bench.hints.sent == []


def test_a_new_api_member_makes_nothing_suspicious(bench: MirroredBench) -> None:
    bench.drive(bench.collect(5000))
    bench.save_connection(member_identifier="NewMember")
    assert bench.compare() == 0


def test_a_payment_of_ours_that_is_gone_is_shown(bench: MirroredBench) -> None:
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    assert bench.compare() == 1
    assert bench.stored(write_back).reason is Reason.PAYMENT_GONE
    assert len(bench.open_problems()) == 1


def test_a_payment_of_our_member_that_nobody_owns_is_shown(bench: MirroredBench) -> None:
    bench.drive(bench.collect(5000))
    member = bench.connection.member_identifier
    bench.people.record_payment(bench.invoice_id, Decimal("7.00"), by=member)
    assert bench.compare() == 1
    assert [problem.code for problem in bench.open_problems()] == [ProblemCode.PAYMENT_SURPLUS]


def test_a_surplus_that_a_person_knows_of_is_not_shown_again(bench: MirroredBench) -> None:
    """Another system uses our member's keys: what it made is not ours to own or to report."""
    bench.drive(bench.collect(5000))
    member = bench.connection.member_identifier
    bench.people.record_payment(bench.invoice_id, Decimal("7.00"), PAID_ON, by=member)
    bench.compare()
    (problem,) = bench.open_problems()
    connection = bench.connection
    decisions = use_cases.unowned_payments(bench)

    theirs = bench.rows()[1]["id"]
    decisions.disclaim(connection.partner_id, connection.connection_id, bench.invoice_id, theirs)
    bench.problems.resolve(connection.partner_id, problem.problem_id, bench.clock.now())

    assert bench.compare() == 0, "the mirror alone shows that all is as it should be"
    assert bench.open_problems() == []
    assert bench.drive(bench.collect(700, "pay-2")).state is S.CONFIRMED
    assert len(bench.rows()) == 3, "the other system's equal payment is not taken for ours"
    bench.people.record_payment(bench.invoice_id, Decimal("9.00"), by=member)
    assert bench.compare() == 1
    assert [each.code for each in bench.open_problems()] == [ProblemCode.PAYMENT_SURPLUS]


def test_a_surplus_of_another_partner_is_nobodys_business(bench: MirroredBench) -> None:
    decisions = use_cases.unowned_payments(bench)
    with pytest.raises(NotFoundError):
        decisions.disclaim("partner-other", bench.connection.connection_id, bench.invoice_id, 1)


def test_a_payment_that_was_wrongly_thought_gone_is_taken_out_after_all(
    bench: MirroredBench,
) -> None:
    """It was hidden from the API member when its reversal looked for it."""
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.undo()
    bench.save(replace(reverse(bench.stored(write_back), bench.clock.now()), due_at=None))
    assert bench.compare() == 1
    assert bench.drive_when_due(write_back).state is S.REVERSED
    assert bench.rows() == []
    assert bench.compare() == 0


def test_a_reason_that_was_left_unsaid_is_shown_once(bench: MirroredBench) -> None:
    write_back = bench.collect(12000)
    bench.save(hand_over(write_back, Reason.OVERPAYMENT))
    bench.mirror()
    for _ in range(3):
        bench.compare()
        bench.retry_now()
    (problem,) = bench.open_problems()
    assert problem.times_seen == 1


def test_a_problem_that_outlived_its_reason_is_closed(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    use_cases.write_back_problems(bench).show(replace(write_back, reason=Reason.OVERPAYMENT))
    assert len(bench.open_problems()) == 1
    bench.retry_now()
    assert bench.open_problems() == []


def gone_payments(bench: MirroredBench, count: int) -> list[WriteBack]:
    """Written payments that somebody deleted in ConnectWise, each of an invoice of its own."""
    gone = []
    for place in range(count):
        invoice_id = bench.bill("50.00")
        gone.append(bench.drive(bench.collect(5000, f"pay-{place}", invoice_id)))
        bench.people.delete_payment(invoice_id, gone[-1].psa_payment_id or 0)
    bench.wait(QUARANTINE_SECONDS)
    bench.clock.set_remaining(900)
    return gone


def test_a_comparison_goes_on_where_its_last_step_stopped(bench: MirroredBench) -> None:
    """Given steps whose time is over after one invoice."""
    gone = gone_payments(bench, 3)
    check, found = use_cases.payment_check(bench), []
    cursors: list[str | None] = [None]
    while len(cursors) == 1 or cursors[-1] is not None:
        end = check.compare(JobStep(bench.connection, bench.clock.now(), cursors[-1]))
        found.append(sum(bench.stored(each).reason is Reason.PAYMENT_GONE for each in gone))
        cursors.append(end.cursor)

    assert found == [1, 2, 3, 3]


def test_a_step_asks_nothing_more_of_a_server_that_did_not_answer(
    bench: MirroredBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone_payments(bench, 3)
    asked = []

    def stay_silent(connection: Connection, invoice_source_id: int) -> None:
        asked.append(invoice_source_id)
        raise UnavailableError("no answer")

    reconciler = use_cases.payment_reconciler(bench)
    monkeypatch.setattr(reconciler, "reconcile", stay_silent)
    monkeypatch.setattr(use_cases, "payment_reconciler", lambda _: reconciler)
    later = bench.clock.now() + timedelta(minutes=1)

    end = use_cases.payment_check(bench).compare(JobStep(bench.connection, later))

    assert (len(asked), end.visit, end.cursor) == (1, Visit.UNANSWERED, None)
