"""The last net: what ConnectWise shows is compared with what we own, and what waited is healed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.domain.errors import NotFoundError, UnavailableError
from bridge.domain.mirrored_kinds import MirroredKind, R
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import Reason, WriteBackState
from bridge.domain.write_back.changes import hand_over, reverse
from bridge.payments.payment_check import ASKED_DAILY_FOR
from bridge.ports import Stored
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
        asked += bench.check.compare_all()
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
        bench.check.retry_all()
    (problem,) = bench.open_problems()
    assert problem.times_seen == 1


def test_a_problem_that_outlived_its_reason_is_closed(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    use_cases.write_back_problems(bench).show(replace(write_back, reason=Reason.OVERPAYMENT))
    assert len(bench.open_problems()) == 1
    bench.check.retry_all()
    assert bench.open_problems() == []


def test_what_time_does_not_cover_is_left_to_the_next_start(bench: MirroredBench) -> None:
    write_back = bench.collect(5000)
    bench.drive(write_back)
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    bench.wait(QUARANTINE_SECONDS)
    bench.mirror()
    bench.clock.set_remaining(20)
    assert bench.check.compare_all() == 0
    assert bench.stored(write_back).reason is Reason.NONE
    assert bench.compare() == 1
    assert bench.stored(write_back).reason is Reason.PAYMENT_GONE


def test_a_locked_invoice_is_tried_again_when_it_is_open(bench: MirroredBench) -> None:
    write_back = bench.collect(5000)
    bench.lock_invoice()
    assert bench.drive(write_back).reason is Reason.INVOICE_LOCKED
    bench.mirror()
    assert bench.check.retry_all() == 0
    bench.people.reopen_invoice(bench.invoice_id)
    bench.mirror()
    bench.wait(120)
    bench.clock.set_remaining(900)
    assert bench.check.retry_all() == 1
    done = bench.drive(write_back)
    assert (done.state, done.reason) == (S.CONFIRMED, Reason.NONE)
    assert bench.open_problems() == []


def test_an_invoice_that_cannot_be_looked_up_keeps_no_other_waiting(
    bench: MirroredBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_id = bench.bill("50.00")
    first = bench.drive(bench.collect(5000))
    second = bench.drive(bench.collect(5000, "pay-2", other_id))
    for invoice_id, write_back in ((bench.invoice_id, first), (other_id, second)):
        bench.people.delete_payment(invoice_id, write_back.psa_payment_id or 0)
    read = bench.records.get

    def get_record(kind: MirroredKind[R], partner_id: str, invoice_id: str) -> Stored[R]:
        if invoice_id == first.invoice_id:
            raise UnavailableError("the table is busy")
        return read(kind, partner_id, invoice_id)

    bench.wait(QUARANTINE_SECONDS)
    monkeypatch.setattr(bench.records, "get", get_record)
    bench.clock.set_remaining(900)
    bench.check.compare_all()

    assert bench.stored(second).reason is Reason.PAYMENT_GONE


def test_a_scan_that_takes_long_leaves_half_of_the_time_for_asking(
    bench: MirroredBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = []
    for place in range(6):
        invoice_id = bench.bill("50.00")
        gone.append(bench.drive(bench.collect(5000, f"pay-{place}", invoice_id)))
        bench.people.delete_payment(invoice_id, gone[-1].psa_payment_id or 0)
    read, left = bench.records.get, iter(range(900, 0, -200))

    def get_record(kind: MirroredKind[R], partner_id: str, invoice_id: str) -> Stored[R]:
        bench.clock.set_remaining(next(left, 0))
        return read(kind, partner_id, invoice_id)

    bench.wait(QUARANTINE_SECONDS)
    monkeypatch.setattr(bench.records, "get", get_record)
    bench.clock.set_remaining(900)
    bench.check.compare_all()

    assert any(bench.stored(each).reason is Reason.PAYMENT_GONE for each in gone)
