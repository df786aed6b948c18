"""The keys move to another API member: what was posted under the old name stays known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import WriteBackState
from connectwise_sandbox.change_faults import ChangeEffect
from connectwise_sandbox.kinds import Kind
from tests.unit.payments.bench import PAID_ON, QUARANTINE_SECONDS
from tests.unit.payments.mirrored_bench import MirroredBench

S = WriteBackState
NEW = "NewMember"


def move_keys(bench: MirroredBench) -> str:
    """Give the bridge the keys of another API member; return the name of the one before."""
    before = bench.connection.member_identifier
    bench.engine.tenant.identity = replace(bench.engine.tenant.identity, member_identifier=NEW)
    bench.save_connection(member_identifier=NEW)
    return before


def codes(bench: MirroredBench) -> list[ProblemCode]:
    return [problem.code for problem in bench.open_problems()]


def test_a_post_of_the_old_member_that_lands_too_late_is_a_surplus(bench: MirroredBench) -> None:
    write_back = bench.collect(5000)
    bench.fault(
        ChangeEffect.GATEWAY_LATE_EFFECT, "POST", status=502, seconds=QUARANTINE_SECONDS + 600
    )
    bench.drive(write_back)
    old = move_keys(bench)
    bench.wait(QUARANTINE_SECONDS)
    done = bench.drive_when_due(write_back)
    assert done.state is S.CONFIRMED
    bench.wait(600)
    ours, late = bench.rows()
    assert ours["id"] == done.psa_payment_id
    bench.engine.tenant.store[Kind.PAYMENT].put(late | {"appliedBy": old})

    bench.compare()

    assert codes(bench) == [ProblemCode.PAYMENT_SURPLUS]


def test_what_others_enter_under_the_old_name_later_is_no_surplus_before_we_post_there(
    bench: MirroredBench,
) -> None:
    """Given an invoice that no post of ours under the old name was stated for."""
    old = move_keys(bench)
    bench.drive(bench.collect(5000))
    bench.people.record_payment(bench.invoice_id, Decimal("7.00"), PAID_ON, by=old)
    bench.compare()
    assert codes(bench) == []


def test_what_stood_there_under_the_old_name_before_our_post_is_no_surplus(
    bench: MirroredBench,
) -> None:
    old = bench.connection.member_identifier
    bench.people.record_payment(bench.invoice_id, Decimal("7.00"), PAID_ON, by=old)
    bench.drive(bench.collect(5000))
    move_keys(bench)
    bench.compare()
    assert codes(bench) == []


def test_a_lost_post_of_the_old_member_is_found_and_taken_out_under_its_name(
    bench: MirroredBench,
) -> None:
    write_back = bench.lose_post(bench.collect(5000))
    old = move_keys(bench)
    done = bench.drive_when_due(write_back)
    assert (done.state, done.posted_as, len(bench.rows())) == (S.CONFIRMED, old, 1)
    assert (bench.compare(), codes(bench)) == (0, [])
    bench.undo()
    assert bench.drive_when_due(done).state is S.REVERSED
    assert bench.rows() == []
