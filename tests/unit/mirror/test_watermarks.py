"""R7: from when on a run takes changes, and when that moment moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import (
    UnavailableError,
)
from bridge.domain.identity import RecordKind
from bridge.domain.run import MAX_ATTEMPTS_PER_PAGE, Counters, RunKind
from bridge.domain.watermark import (
    EARLIEST,
    OVERLAP,
    TOLERANCE,
    clock_ahead,
    earlier_clock,
    is_to_come,
    start_of_changes,
)
from tests.builders.records import CONNECTION, a_customer, an_invoice
from tests.fakes.clock import START
from tests.unit.mirror.bench import TWO_PAGES, Bench, fill

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER


def test_a_delta_takes_what_changed_since_the_last_one_and_overlaps(bench: Bench) -> None:
    fill(bench)
    first = bench.run(RunKind.INVOICES)
    assert first.since is None
    bench.clock.advance(hours=1)
    bench.psa.put(an_invoice(1002, reference="changed"))

    second = bench.run(RunKind.INVOICES)

    assert second.since == START - OVERLAP
    bench.clock.advance(hours=1)
    third = bench.run(RunKind.INVOICES)
    assert third.invoices == Counters(seen=1, unchanged=1)
    bench.clock.advance(hours=1)
    assert bench.run(RunKind.INVOICES).invoices == Counters()


def test_a_watermark_is_connectwises_time_at_the_start_of_the_run(bench: Bench) -> None:
    fill(bench, TWO_PAGES)
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.work_once(run)
    bench.clock.advance(minutes=10)
    bench.work_once(run)

    assert bench.runs.get_watermark(CONNECTION, INVOICE) == START


@pytest.mark.parametrize("kind", list(RunKind))
def test_a_watermark_stands_still_until_everything_is_stored(bench: Bench, kind: RunKind) -> None:
    fill(bench, TWO_PAGES)
    run = bench.starter.start(bench.connection, kind)

    while not bench.work_once(run).has_ended:
        assert bench.runs.get_watermark(CONNECTION, INVOICE) is None
        assert bench.runs.get_watermark(CONNECTION, CUSTOMER) is None


def test_a_failed_run_moves_no_watermark(bench: Bench) -> None:
    fill(bench)
    bench.psa.fail("list_records", UnavailableError("down"), times=MAX_ATTEMPTS_PER_PAGE)

    bench.run(RunKind.INVOICES)

    assert bench.runs.get_watermark(CONNECTION, INVOICE) is None


@pytest.mark.parametrize(
    ("kind", "moved"),
    [
        (RunKind.IMPORT, {INVOICE, CUSTOMER}),
        (RunKind.SWEEP, {INVOICE}),
        (RunKind.INVOICES, {INVOICE}),
        (RunKind.CUSTOMERS, {CUSTOMER}),
        (RunKind.FETCH_NEW, set()),
        (RunKind.FETCH_UNPAID, set()),
    ],
)
def test_only_a_run_that_took_every_change_moves_a_watermark(
    bench: Bench, kind: RunKind, moved: set[RecordKind]
) -> None:
    fill(bench)

    bench.run(kind)

    assert {k for k in RecordKind if bench.runs.get_watermark(CONNECTION, k)} == moved


def test_a_contacts_new_address_survives_a_sweep(bench: Bench) -> None:
    """No comparison of companies shows it, so only a run that asks for contacts may pass it."""
    fill(bench)
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=1)
    bench.psa.put_silently(a_customer(email="new@northwind.example"))
    bench.psa.contacts_changed_at[11] = bench.clock.now()
    bench.clock.advance(minutes=30)

    bench.run(RunKind.SWEEP)
    bench.run(RunKind.CUSTOMERS)

    assert bench.customer(11).email == "new@northwind.example"


def test_an_import_takes_everything_whatever_the_watermark(bench: Bench) -> None:
    fill(bench)
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=5)

    assert bench.run(RunKind.IMPORT).invoices == Counters(seen=3, unchanged=3)


# --- clocks that are wrong ------------------------------------------------------------------------


@pytest.mark.parametrize("minutes_ahead", [-20, -6, 0, 6, 20])
def test_a_watermark_is_the_earlier_of_both_clocks(bench: Bench, minutes_ahead: int) -> None:
    fill(bench)
    bench.psa.clock_ahead = timedelta(minutes=minutes_ahead)

    bench.run(RunKind.INVOICES)

    assert bench.runs.get_watermark(CONNECTION, INVOICE) == START + min(
        bench.psa.clock_ahead, timedelta()
    )


def test_a_clock_far_ahead_moves_no_watermark_beyond_ours(bench: Bench) -> None:
    fill(bench)
    bench.psa.clock_ahead = datetime(2099, 1, 1, tzinfo=UTC) - START
    bench.run(RunKind.INVOICES)
    bench.psa.clock_ahead = timedelta()
    bench.clock.advance(hours=1)
    bench.psa.put(an_invoice(1002, reference="changed"))

    run = bench.run(RunKind.INVOICES)

    assert run.since == START - OVERLAP
    assert bench.invoice(1002).reference == "changed"


@pytest.mark.parametrize("told_at", [datetime(2099, 1, 1, tzinfo=UTC), START], ids=str)
def test_one_answer_that_is_dated_wrongly_does_not_hide_that_the_clock_is_behind(
    bench: Bench, told_at: datetime
) -> None:
    fill(bench)
    bench.psa.clock_ahead = timedelta(hours=-3)
    bench.run(RunKind.INVOICES)
    bench.clock.advance(hours=1)
    bench.psa.clock_ahead = told_at - bench.clock.now()

    bench.run(RunKind.INVOICES)

    watermark = bench.runs.get_watermark(CONNECTION, INVOICE)
    assert watermark is not None
    assert watermark <= bench.clock.now() - timedelta(hours=3)


@pytest.mark.parametrize("hours", [1, 10, 23])
def test_a_clock_that_falls_back_hides_no_change(bench: Bench, hours: int) -> None:
    # Given a server whose clock is set back between two runs, and a change after that
    fill(bench)
    bench.run(RunKind.INVOICES)
    bench.clock.advance(hours=1)
    bench.psa.clock_ahead = timedelta(hours=-hours)
    bench.psa.put(an_invoice(1002, reference="changed"))
    bench.psa.changed_at[INVOICE, 1002] = bench.clock.now() - timedelta(hours=hours)

    # When one run finds that out, and the next one asks
    bench.run(RunKind.INVOICES)
    bench.clock.advance(minutes=15)
    bench.run(RunKind.INVOICES)

    assert bench.invoice(1002).reference == "changed"


def test_a_clock_that_stays_behind_is_followed_back_once(bench: Bench) -> None:
    fill(bench)
    bench.run(RunKind.INVOICES)
    bench.psa.clock_ahead = timedelta(hours=-10)
    starts = []
    for _ in range(4):
        bench.clock.advance(hours=1)
        starts.append(bench.run(RunKind.INVOICES).since)
    assert starts == [
        START - OVERLAP,
        START - timedelta(hours=10) - OVERLAP,
        START - timedelta(hours=8) - OVERLAP,
        START - timedelta(hours=7) - OVERLAP,
    ]


def test_one_absurd_date_moves_a_watermark_back_by_a_day_at_most(bench: Bench) -> None:
    fill(bench)
    bench.run(RunKind.INVOICES)
    bench.clock.advance(hours=1)
    bench.psa.clock_ahead = datetime(2001, 1, 1, tzinfo=UTC) - bench.clock.now()

    bench.run(RunKind.INVOICES)

    watermark = bench.runs.get_watermark(CONNECTION, INVOICE)
    assert watermark is not None
    assert watermark >= START - timedelta(hours=25)


def test_a_watermark_of_a_time_to_come_is_not_believed(bench: Bench) -> None:
    """It may have been stored before clocks were compared."""
    fill(bench)
    bench.runs.set_watermark(CONNECTION, INVOICE, datetime(2099, 1, 1, tzinfo=UTC))

    run = bench.run(RunKind.INVOICES)

    assert (run.since, run.invoices.created) == (None, 3)
    assert bench.runs.get_watermark(CONNECTION, INVOICE) == START


@pytest.mark.parametrize("stored", [EARLIEST, datetime(1999, 12, 25, tzinfo=UTC)], ids=str)
def test_a_watermark_that_a_wrong_clock_left_at_the_beginning_moves_on(
    bench: Bench, stored: datetime
) -> None:
    fill(bench)
    bench.runs.set_watermark(CONNECTION, INVOICE, stored)
    bench.clock.advance(hours=1)

    run = bench.run(RunKind.INVOICES)

    assert (run.since, run.invoices.created) == (None, 3)
    assert bench.runs.get_watermark(CONNECTION, INVOICE) == bench.clock.now()


def test_clocks_that_fall_again_and_again_lead_to_the_beginning_at_most(bench: Bench) -> None:
    fill(bench)
    bench.runs.set_watermark(CONNECTION, INVOICE, EARLIEST + timedelta(hours=30))
    for ahead in (timedelta(days=9_000), timedelta(), timedelta(days=9_000), timedelta()):
        bench.psa.clock_ahead = ahead
        bench.run(RunKind.CUSTOMERS)
        bench.clock.advance(hours=1)

    assert bench.runs.get_watermark(CONNECTION, INVOICE) == EARLIEST


MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS)
def test_whatever_time_a_server_tells_the_next_run_can_ask(server_time: datetime) -> None:
    watermark = earlier_clock(server_time, START)

    assert EARLIEST <= watermark <= START
    assert not is_to_come(watermark, START)
    since = start_of_changes(watermark, START)
    assert since == (watermark - OVERLAP if watermark > EARLIEST else None)


@given(MOMENTS)
def test_whatever_watermark_is_stored_the_next_run_can_ask(watermark: datetime) -> None:
    since = start_of_changes(watermark, START)

    assert since is None or EARLIEST - OVERLAP <= since <= START + TOLERANCE - OVERLAP


@pytest.mark.parametrize(
    ("ahead", "noted"),
    [
        (timedelta(minutes=20), 1200),
        (timedelta(minutes=-20), -1200),
        (timedelta(minutes=5), 0),
        (timedelta(minutes=-4), 0),
        (timedelta(days=-9_000), -777_600_000),
    ],
)
def test_a_clock_that_is_off_is_noted_on_the_connection(
    bench: Bench, ahead: timedelta, noted: int
) -> None:
    fill(bench)
    bench.psa.clock_ahead = ahead

    bench.run(RunKind.INVOICES)

    assert bench.connection.clock_seconds_ahead == noted


@pytest.mark.parametrize(("server", "ahead"), [(0, 0), (5, 0), (10, 0), (-7, -7), (12, 2)], ids=str)
def test_a_time_told_while_an_answer_took_long_is_not_off(server: int, ahead: int) -> None:
    asked_at, answered_at = START, START + timedelta(minutes=10)

    told = clock_ahead(START + timedelta(minutes=server), asked_at, answered_at)

    assert told == timedelta(minutes=ahead)


def test_the_notice_goes_when_the_clock_is_right_again(bench: Bench) -> None:
    fill(bench)
    bench.psa.clock_ahead = timedelta(minutes=20)
    bench.run(RunKind.INVOICES)
    bench.psa.clock_ahead = timedelta(seconds=1)

    bench.run(RunKind.INVOICES)

    assert bench.connection.clock_seconds_ahead == 0


def test_a_clock_that_drifts_by_seconds_is_not_written_again(bench: Bench) -> None:
    fill(bench)
    bench.psa.clock_ahead = timedelta(minutes=20)
    bench.run(RunKind.INVOICES)
    version = bench.connections.get(CONNECTION).version
    bench.psa.clock_ahead = timedelta(minutes=20, seconds=30)

    bench.run(RunKind.INVOICES)

    assert bench.connections.get(CONNECTION).version == version


def test_a_first_page_without_an_answer_moves_no_watermark_past_what_came_meanwhile(
    bench: Bench,
) -> None:
    """ConnectWise told no time with the rows that it failed on, and was then away for an hour."""
    fill(bench, 3)
    bench.psa.heavy_above = 1
    bench.psa.unlistable.add((INVOICE, 1001))
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.runs.save(replace(run, page_size=1), expected_version=1)
    bench.work_once(run)
    bench.clock.advance(hours=1)
    bench.finish(bench.stored_run(run))

    watermark = bench.runs.get_watermark(CONNECTION, INVOICE)

    assert watermark is not None
    assert watermark <= START


def test_a_watermark_that_a_person_sets_back_during_a_run_stays_back(bench: Bench) -> None:
    """The run asked for changes since later, so it did not take those since then."""
    fill(bench, TWO_PAGES)
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=5)
    bench.psa.put(*(an_invoice(1000 + number) for number in range(1, TWO_PAGES + 1)))
    run = bench.starter.start(bench.connection, RunKind.INVOICES)
    bench.work_once(run)
    earlier = START - timedelta(days=2)
    bench.runs.set_watermark_back(CONNECTION, INVOICE, earlier)

    bench.finish(run)

    assert bench.runs.get_watermark(CONNECTION, INVOICE) == earlier
    bench.run(RunKind.INVOICES)
    assert bench.runs.get_watermark(CONNECTION, INVOICE) == bench.clock.now()
