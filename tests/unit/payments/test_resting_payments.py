"""What was proven long ago costs the hourly comparison nothing, and is still looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.connections.job_step import JobStep
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.domain.write_back.rest import RESTS_AFTER
from bridge.wiring import use_cases
from tests.unit.payments.mirrored_bench import MirroredBench

COMPANY = "d" * 32
S = WriteBackState


@pytest.fixture
def bench() -> MirroredBench:
    return MirroredBench()


@pytest.fixture
def old(bench: MirroredBench) -> WriteBack:
    """A payment that was written, proven and compared, and is as old as it takes to rest."""
    write_back = bench.drive(bench.collect(5000))
    bench.compare()
    bench.wait(RESTS_AFTER.total_seconds())
    bench.compare()
    return bench.stored(write_back)


def resting(bench: MirroredBench, *, is_resting: bool = True) -> list[str]:
    page = bench.ledger.list_write_backs(
        bench.connection.connection_id, limit=100, is_resting=is_resting
    )
    return [write_back.write_back_id for write_back in page.items]


def awake(bench: MirroredBench) -> list[str]:
    return resting(bench, is_resting=False)


def monthly_turn(bench: MirroredBench) -> int:
    later = bench.clock.now() + timedelta(minutes=1)
    end = use_cases.payment_check(bench).look_at_resting(JobStep(bench.connection, later))
    assert end.cursor is None
    return end.done


def counting(bench: MirroredBench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of the mirrored invoices that are read from now on."""
    read: list[str] = []
    get: Callable[..., object] = bench.records.get

    def get_noted(kind: object, partner_id: str, record_id: str) -> object:
        read.append(record_id)
        return get(kind, partner_id, record_id)

    monkeypatch.setattr(bench.records, "get", get_noted)
    return read


def test_what_was_proven_long_ago_rests(bench: MirroredBench, old: WriteBack) -> None:
    assert resting(bench) == [old.write_back_id]
    assert awake(bench) == []


def test_what_is_young_does_not_rest(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    bench.compare()
    assert awake(bench) == [write_back.write_back_id]


def test_the_hourly_comparison_reads_nothing_of_what_rests(
    bench: MirroredBench, old: WriteBack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resting(bench) == [old.write_back_id]
    read = counting(bench, monkeypatch)
    assert bench.compare_now() == 0
    assert read == []


def test_a_payment_with_a_problem_never_rests(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    bench.wait(RESTS_AFTER.total_seconds())
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    for _ in range(3):
        bench.compare()
    assert bench.stored(write_back).reason is Reason.PAYMENT_GONE
    assert awake(bench) == [write_back.write_back_id]


def test_a_monthly_turn_leaves_what_agrees_alone(bench: MirroredBench, old: WriteBack) -> None:
    assert monthly_turn(bench) == 0
    assert resting(bench) == [old.write_back_id]


def test_a_monthly_turn_wakes_what_disagrees_and_the_next_hour_finds_out(
    bench: MirroredBench, old: WriteBack
) -> None:
    bench.people.delete_payment(bench.invoice_id, bench.rows()[0]["id"])
    bench.mirror()

    assert monthly_turn(bench) == 1
    bench.compare()

    assert bench.stored(old).reason is Reason.PAYMENT_GONE
    assert awake(bench) == [old.write_back_id]


def test_a_return_wakes_a_payment_that_rests(bench: MirroredBench, old: WriteBack) -> None:
    bench.undo()
    assert awake(bench) == [old.write_back_id]
    assert bench.drive(bench.stored(old)).state is S.REVERSED


def test_an_invoice_with_a_payment_that_rests_and_a_new_one_is_looked_at_as_a_whole(
    bench: MirroredBench, old: WriteBack
) -> None:
    """The one that rests is no surplus, though the hourly walk meets the new one alone."""
    new = bench.drive(bench.collect(1000, "pay-2"))
    bench.compare()
    bench.wait(25 * 3600)
    bench.mirror()
    hours = frozenset({(bench.invoice_id + 1) % 24})
    step = JobStep(bench.connection, bench.clock.now() + timedelta(minutes=1), hours=hours)

    assert use_cases.payment_check(bench).compare(step).done == 0

    assert awake(bench) == [new.write_back_id]
    assert resting(bench) == [old.write_back_id]
    assert bench.open_problems() == []


def test_a_move_of_owners_goes_through_what_rests(bench: MirroredBench, old: WriteBack) -> None:
    bench.save_connection(company_key=COMPANY)
    first = JobStep(bench.connection, bench.clock.now())
    check, cursor = use_cases.payment_check(bench), None
    for _ in range(5):
        end = check.compare(JobStep(bench.connection, first.until, cursor))
        cursor = end.cursor
        if cursor is None:
            break
    stored = bench.connections.get(bench.connection.connection_id).value
    assert stored is not None
    assert stored.owners_moved_to == COMPANY
    owners = bench.ledger.owners(stored.books, [old.psa_payment_id or 0])
    assert owners == {old.psa_payment_id: old.write_back_id}


def test_a_move_whose_company_changed_on_the_way_comes_again(
    bench: MirroredBench, old: WriteBack
) -> None:
    bench.drive(bench.collect(1000, "pay-2"))
    bench.save_connection(company_key=COMPANY)
    check = use_cases.payment_check(bench)
    end = check.compare(JobStep(bench.connection, bench.clock.now()))
    assert end.cursor is not None
    bench.save_connection(company_connections=("e" * 32,))

    while end.cursor is not None:
        end = check.compare(JobStep(bench.connection, bench.clock.now(), end.cursor))

    stored = bench.connections.get(bench.connection.connection_id).value
    assert stored is not None
    assert stored.owners_moved_to != COMPANY
