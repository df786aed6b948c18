"""Many hints about one record cost few reads, and none of its changes is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.connections.site_turns import PLACES_OF_A_PARTNER
from bridge.domain.errors import OutOfTimeError, TooMuchTogetherError, UnavailableError
from bridge.domain.hint import HINT_LIFE, Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.mirror.connection_hints import HINT_STEP
from bridge.ports import Activity, Measure, Place
from tests.builders.records import CONNECTION, PARTNER, a_customer, an_invoice
from tests.unit.mirror.bench import Bench

INVOICE = RecordKind.INVOICE
CALLBACK = Hint(CONNECTION, INVOICE, 1001, HintReason.CALLBACK)
REPLAYS = 150


class WorkerKilledError(BaseException):
    """The worker is gone with all its memory."""


@pytest.fixture(autouse=True)
def books(bench: Bench) -> None:
    bench.psa.put(a_customer(), an_invoice(1001), an_invoice(1002))


def reads_of(bench: Bench) -> int:
    return bench.psa.calls.count("fetch_invoices")


def let_pass(bench: Bench, seconds: float) -> None:
    """Let time pass; messages that are due meanwhile are worked on, ten at a time."""
    end = bench.clock.now() + timedelta(seconds=seconds)
    while True:
        due_at = bench.hints.next_due_at()
        if due_at is None or due_at > end:
            break
        bench.clock.advance(seconds=max(0, (due_at - bench.clock.now()).total_seconds()))
        assert bench.hint_processor.process(bench.hints.take_due()) == ()
    bench.clock.advance(seconds=(end - bench.clock.now()).total_seconds())


def replay(bench: Bench, *hints: Hint, every_seconds: float = 1 / 12) -> None:
    """Have hints come one after the other, and work on until none waits any more."""
    for hint in hints:
        assert bench.hint_processor.process([hint]) == ()
        let_pass(bench, every_seconds)
    bench.work_off_hints()


def take_all_places(bench: Bench) -> list[Place]:
    until = bench.clock.now() + timedelta(days=9)
    taken = [
        bench.partner_places.take(PARTNER, Activity.HINTS, places=PLACES_OF_A_PARTNER, until=until)
        for _ in range(PLACES_OF_A_PARTNER)
    ]
    return [place for place in taken if place]


# --- one read for many ----------------------------------------------------------------------------


def test_a_hint_alone_is_read_at_once_and_marked_twice(bench: Bench) -> None:
    bench.hint_processor.process([CALLBACK])

    assert bench.invoice(1001) == an_invoice(1001)
    assert bench.read_marks.writes == 2
    assert bench.hints.waiting == []
    assert bench.partner_places.held == {}


def test_the_time_until_a_called_for_change_is_seen_is_measured(bench: Bench) -> None:
    came_at = bench.clock.now() - timedelta(seconds=2)

    bench.hint_processor.process([replace(CALLBACK, came_at=came_at)])
    bench.work_off_hints()

    noted = [each for each in bench.metrics.noted if each.measure is Measure.CALLBACK_TO_VISIBLE]
    assert [each.value for each in noted] == [2.0]


def test_replays_of_one_callback_cost_two_reads(bench: Bench) -> None:
    bench.hint(INVOICE, 1001)
    let_pass(bench, 60)
    before = reads_of(bench)

    replay(bench, *[CALLBACK] * REPLAYS)

    assert reads_of(bench) - before == 2


def test_a_change_amid_replays_arrives(bench: Bench) -> None:
    replay(bench, *[CALLBACK] * 80)
    bench.psa.put(an_invoice(1001, reference="changed amid them"))
    replay(bench, *[CALLBACK] * 70)

    assert bench.invoice(1001).reference == "changed amid them"


def test_replays_without_end_cost_a_read_each_half_minute(bench: Bench) -> None:
    for _ in range(600):
        bench.hint_processor.process([CALLBACK])
        let_pass(bench, 0.5)

    assert reads_of(bench) <= 300 / 30 + 1


def test_a_second_change_is_seen_within_seconds(bench: Bench) -> None:
    bench.hint_processor.process([CALLBACK])
    bench.clock.advance(seconds=2)
    bench.psa.put(an_invoice(1001, reference="second"))
    bench.hint_processor.process([CALLBACK])
    assert bench.invoice(1001).reference != "second"

    let_pass(bench, 5)

    assert bench.invoice(1001).reference == "second"


def test_a_change_that_is_shown_after_its_callback_is_read_some_seconds_later(
    bench: Bench,
) -> None:
    bench.hint(INVOICE, 1001)
    let_pass(bench, 60)
    bench.hint_processor.process([CALLBACK])

    bench.psa.put(an_invoice(1001, reference="shown late"))
    let_pass(bench, 5)

    assert bench.invoice(1001).reference == "shown late"
    assert bench.hints.waiting == []


def test_a_hint_that_came_well_before_a_read_is_done_without_a_place(bench: Bench) -> None:
    came_at = bench.clock.now()
    bench.clock.advance(seconds=5)
    bench.hint_processor.process([CALLBACK])
    take_all_places(bench)
    bench.clock.advance(seconds=10)
    bench.psa.calls.clear()
    writes = bench.read_marks.writes

    bench.hint_processor.process([replace(CALLBACK, came_at=came_at)])

    assert (bench.psa.calls, bench.hints.waiting) == ([], [])
    assert bench.read_marks.writes == writes


def test_a_hint_that_comes_during_a_read_waits_for_the_next_one(bench: Bench) -> None:
    def another_comes() -> None:
        bench.psa.put(an_invoice(1001, reference="changed during the read"))
        bench.hint_processor.process([CALLBACK])

    bench.psa.meanwhile("fetch_invoices", another_comes)
    bench.hint_processor.process([CALLBACK])
    assert reads_of(bench) == 1

    bench.work_off_hints()

    assert bench.invoice(1001).reference == "changed during the read"


def test_a_killed_worker_holds_a_record_until_its_time_is_over(bench: Bench) -> None:
    def is_killed() -> None:
        raise WorkerKilledError

    bench.psa.meanwhile("fetch_invoices", is_killed)
    with pytest.raises(WorkerKilledError):
        bench.hint_processor.process([CALLBACK])
    began_at = bench.clock.now()

    bench.hint_processor.process([CALLBACK])
    bench.work_off_hints()

    assert bench.invoice(1001) == an_invoice(1001)
    assert bench.clock.now() - began_at <= HINT_STEP + timedelta(seconds=10)


def test_a_read_that_failed_keeps_nobody_from_reading(bench: Bench) -> None:
    bench.psa.fail("fetch_invoices", OutOfTimeError("late"))
    bench.hint_processor.process([CALLBACK])

    bench.hint_processor.process([CALLBACK])

    assert bench.invoice(1001) == an_invoice(1001)


def test_a_conflict_is_read_again_though_a_read_was_just_finished(bench: Bench) -> None:
    """The read that met the conflict began before its hint, and settles it not."""

    def somebody_writes() -> None:
        version = bench.stored_invoice(1001).version
        older = an_invoice(1001, reference=f"older {version}")
        bench.records.save(older, expected_version=version)
        bench.psa.meanwhile("fetch_invoices", somebody_writes)

    bench.psa.put(an_invoice(1001, reference="true"))
    bench.psa.meanwhile("fetch_invoices", somebody_writes)
    bench.hint_processor.process([CALLBACK])
    assert [hint.reason for hint in bench.hints.sent] == [HintReason.CONFLICT]
    bench.psa._meanwhile.clear()

    bench.work_off_hints()

    assert bench.invoice(1001).reference == "true"


def test_hints_of_several_records_share_one_read(bench: Bench) -> None:
    bench.hint_processor.process([CALLBACK, replace(CALLBACK, source_id=1002)])

    assert bench.psa.fetched_ids[0] == (1001, 1002)
    assert reads_of(bench) == 1


def test_records_too_large_together_are_each_read_and_marked(bench: Bench) -> None:
    bench.psa.fail("fetch_invoices", TooMuchTogetherError("too much"))
    both = [CALLBACK, replace(CALLBACK, source_id=1002)]
    bench.hint_processor.process(both)
    calls = reads_of(bench)

    bench.clock.advance(seconds=10)
    bench.hint_processor.process(
        [replace(each, came_at=bench.clock.now() - timedelta(seconds=15)) for each in both]
    )

    assert reads_of(bench) == calls


# --- unknown ids ----------------------------------------------------------------------------------


def test_replays_about_an_unknown_id_cost_two_reads_and_no_proof(bench: Bench) -> None:
    replay(bench, *[replace(CALLBACK, source_id=4711)] * REPLAYS)

    assert bench.psa.calls == ["fetch_invoices"] * 2


def test_unknown_ids_share_reads(bench: Bench) -> None:
    unknown = [replace(CALLBACK, source_id=5000 + each) for each in range(REPLAYS)]

    for start in range(0, REPLAYS, 10):
        bench.hint_processor.process(unknown[start : start + 10])
    bench.work_off_hints()

    assert bench.psa.calls == ["fetch_invoices"] * (2 * REPLAYS // 10)


def test_deleted_records_of_a_batch_share_the_proof(bench: Bench) -> None:
    deleted = [1001, 1002]
    bench.hint_processor.process([replace(CALLBACK, source_id=each) for each in deleted])
    bench.psa.delete(INVOICE, *deleted)
    let_pass(bench, 60)
    bench.psa.calls.clear()

    bench.hint_processor.process([replace(CALLBACK, source_id=each) for each in deleted])

    assert bench.psa.calls == ["fetch_invoices", "find_absent"]
    assert all(bench.invoice(each).archive for each in deleted)


# --- turns ----------------------------------------------------------------------------------------


def test_without_a_place_hints_come_again_as_one_and_count_no_attempt(bench: Bench) -> None:
    places = take_all_places(bench)
    came_at = bench.clock.now() - timedelta(seconds=7)

    bench.hint_processor.process([replace(CALLBACK, came_at=came_at), CALLBACK, CALLBACK])
    for _ in range(20):
        let_pass(bench, 60)

    (waiting,) = bench.hints.waiting
    assert (waiting.body.attempts, waiting.body.reason) == (0, HintReason.CALLBACK)
    assert waiting.body.times_put_off > 10
    assert waiting.body.partner_id == PARTNER
    assert bench.psa.calls == []
    for place in places:
        bench.partner_places.release(place)
    bench.work_off_hints()
    assert bench.invoice(1001) == an_invoice(1001)


def test_a_hint_that_had_no_turn_for_days_is_handed_back(bench: Bench) -> None:
    take_all_places(bench)
    old = replace(CALLBACK, came_at=bench.clock.now() - HINT_LIFE)

    assert bench.hint_processor.process([old]) == (old,)
    assert bench.hints.waiting == []


def test_a_server_that_did_not_answer_is_left_alone(bench: Bench) -> None:
    bench.psa.fail("fetch_invoices", UnavailableError("down"))
    bench.hint_processor.process([CALLBACK])

    bench.hint_processor.process([replace(CALLBACK, source_id=1002)])

    assert reads_of(bench) == 1
    hint = bench.hints.sent[-1]
    assert (hint.source_id, hint.attempts, hint.times_put_off) == (1002, 0, 1)
    bench.work_off_hints()
    assert bench.invoice(1002) == an_invoice(1002)
    assert bench.silences.get(CONNECTION) is None
