"""Work is done side by side, in the order of its items."""

from __future__ import annotations

import threading

import pytest

from bridge.lanes import side_by_side


@pytest.mark.parametrize("lanes", [1, 3, 100])
def test_what_came_of_each_item_stands_in_the_order_of_the_items(lanes: int) -> None:
    assert side_by_side(lanes, lambda number: number * 2, range(20)) == list(range(0, 40, 2))


def test_no_more_is_done_at_once_than_there_are_lanes() -> None:
    meeting, seen = threading.Barrier(3), []

    def meet(number: int) -> int:
        # Nobody gets through but three together.
        meeting.wait(timeout=30)
        seen.append(threading.active_count())
        return number

    before = threading.active_count()
    side_by_side(3, meet, range(9))

    assert max(seen) <= before + 3


@pytest.mark.parametrize("lanes", [1, 3])
def test_the_first_failure_is_raised_and_the_rest_is_left(lanes: int) -> None:
    begun = []

    def fail_at_two(number: int) -> int:
        begun.append(number)
        if number == 2:
            raise ValueError(number)
        return number

    with pytest.raises(ValueError, match="2"):
        side_by_side(lanes, fail_at_two, range(1_000))

    assert len(begun) < 1_000
