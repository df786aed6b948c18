"""When a record that is hinted at is read, and which hints a read settles."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.read_mark import LONGEST_PATIENCE, SETTLING, ReadMark

NOON = datetime.fromisoformat("2026-03-02T12:00:00Z")
seconds = st.integers(0, 120).map(lambda each: timedelta(seconds=each / 2))


def at(seconds_after_noon: float) -> datetime:
    return NOON + timedelta(seconds=seconds_after_noon)


def read_at(began: float) -> ReadMark:
    """The mark of a record whose last read began so long after noon."""
    claimed = ReadMark().claimed(at(began), at(began + 60), token="claim")
    return claimed.finished(token="read")


@pytest.mark.parametrize(("began", "is_settled"), [(4.9, False), (5, True), (60, True)])
def test_a_hint_is_settled_by_a_read_that_began_five_seconds_after_it(
    began: float, is_settled: bool
) -> None:
    assert read_at(began).settles(NOON) is is_settled


def test_a_read_settles_nothing_before_it_is_finished() -> None:
    claimed = ReadMark().claimed(at(60), at(120), token="claim")
    assert not claimed.settles(NOON)
    assert not claimed.given_up(token="given up").settles(NOON)
    assert claimed.finished(token="read").settles(NOON)


def test_a_record_that_nobody_read_lately_is_read_at_once() -> None:
    assert ReadMark().next_read_at(NOON, at(1)) == at(1)
    assert read_at(0).next_read_at(at(5), at(5)) == at(5)


def test_a_record_that_was_just_read_waits_until_one_read_settles_who_waits() -> None:
    assert read_at(0).next_read_at(at(1), at(1)) == at(6)
    assert read_at(0).next_read_at(at(-2), at(1)) == at(5)


def test_who_waits_lets_those_catch_up_who_came_later() -> None:
    mark = read_at(0).waited_for(at(1), token="1").waited_for(at(4), token="2")
    assert mark.next_read_at(at(1), at(6)) == at(9)
    assert mark.next_read_at(at(1), at(9)) == at(9)


def test_a_hint_that_came_earlier_leaves_the_latest_one_noted() -> None:
    mark = read_at(0).waited_for(at(4), token="1").waited_for(at(1), token="2")
    assert mark.waiting_since == at(4)


def test_a_record_that_is_hinted_at_without_end_is_read_after_half_a_minute() -> None:
    mark = read_at(0).waited_for(at(29), token="1")
    assert mark.next_read_at(at(29), at(29)) == at(30)
    assert mark.next_read_at(at(29), at(30)) == at(30)


def test_nobody_reads_beside_a_reader_before_his_time_is_over() -> None:
    claimed = ReadMark().claimed(NOON, at(60), token="claim")
    assert claimed.next_read_at(at(1), at(1)) > at(1)
    assert claimed.next_read_at(at(1), at(59.9)) > at(59.9)
    assert claimed.next_read_at(at(1), at(60)) == at(60)


@given(began=seconds, waiting=st.none() | seconds, came=seconds, now=seconds)
def test_no_hint_waits_longer_than_patience_lasts(
    began: timedelta, waiting: timedelta | None, came: timedelta, now: timedelta
) -> None:
    mark = ReadMark("read", began_at=NOON + began)
    if waiting is not None:
        mark = mark.waited_for(NOON + waiting, token="waits")
    read = mark.next_read_at(NOON + came, NOON + now)
    assert read == NOON + now or read <= NOON + began + LONGEST_PATIENCE
    assert read >= NOON + now or read >= NOON + began + SETTLING


def test_a_read_tells_whether_it_follows_another_closely() -> None:
    assert ReadMark().claimed(NOON, at(60), token="c").reads_after_rest
    assert not read_at(0).claimed(at(9), at(60), token="c").reads_after_rest
    assert read_at(0).claimed(at(10), at(60), token="c").reads_after_rest


def test_a_read_tells_whether_it_may_come_too_early() -> None:
    claimed = ReadMark().claimed(at(5), at(60), token="c")
    assert not claimed.reads_early(NOON)
    assert claimed.reads_early(at(0.1))
