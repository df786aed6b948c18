"""The due list has a share for each partner, whatever is stuck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connections.visit import Visit
from bridge.domain.write_back import WriteBack
from bridge.store.due_listing import in_turn
from tests.builders.payments import a_write_back
from tests.builders.records import CONNECTION, OTHER_PARTNER, PARTNER
from tests.fakes.clock import START
from tests.unit.payments.turns_bench import TurnsBench


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> TurnsBench:
    return TurnsBench(monkeypatch)


def test_500_stuck_ones_of_one_partner_hide_nothing_of_another(bench: TurnsBench) -> None:
    bench.collect(500)
    bench.clock.advance(hours=1)
    (fresh,) = bench.collect(1, OTHER_PARTNER)
    assert bench.due.wake() == 51
    woken = bench.write_back_queue.write_backs
    assert fresh in woken
    assert Counter(each.partner_id for each in woken) == {PARTNER: 50, OTHER_PARTNER: 1}


def test_a_server_that_does_not_answer_is_woken_once(bench: TurnsBench) -> None:
    bench.collect(20)
    leave = bench.servers.leave_to_ask(CONNECTION)
    bench.servers.note(CONNECTION, leave, Visit.UNANSWERED)
    assert bench.due.wake() == 1


def test_what_is_to_come_is_left(bench: TurnsBench) -> None:
    bench.collect(3, after=timedelta(seconds=1))
    assert bench.due.wake() == 0
    bench.clock.advance(seconds=1)
    assert bench.due.wake() == 3


# --- the order, for any books ------------------------------------------------------------------

owners = st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 5_000))


def due_of(places: Sequence[tuple[int, int, int]]) -> list[WriteBack]:
    """One write-back for each partner's number, its connection's number, and minutes overdue."""
    return [
        a_write_back(
            write_back_id=f"pay-{number}.1001",
            partner_id=f"partner-{partner}",
            connection_id=f"{partner}{connection}" * 16,
            due_at=START - timedelta(minutes=minutes),
        )
        for number, (partner, connection, minutes) in enumerate(places)
    ]


@given(places=st.lists(owners, max_size=60), stuck=st.integers(0, 500))
def test_another_partners_due_one_is_among_the_woken(
    places: Sequence[tuple[int, int, int]], stuck: int
) -> None:
    stuck_ones = [(9, 0, 10_000 + number) for number in range(stuck)]
    due = due_of([*stuck_ones, *places])
    woken = in_turn(due, limit=500, share=50, silent=())
    assert {each.partner_id for each in woken} == {each.partner_id for each in due}


@given(
    places=st.lists(owners, max_size=60),
    limit=st.integers(1, 8),
    share=st.integers(1, 12),
    silent=st.sets(st.sampled_from([f"{p}{c}" * 16 for p in range(4) for c in range(3)])),
)
def test_a_listing_keeps_the_shares_and_wastes_none(
    places: Sequence[tuple[int, int, int]], limit: int, share: int, silent: set[str]
) -> None:
    due = due_of(places)
    woken = in_turn(due, limit=limit, share=share, silent=silent)
    by_partner = Counter(each.partner_id for each in woken)
    by_connection = Counter(each.connection_id for each in woken)
    assert len(set(woken)) == len(woken) <= limit
    assert set(woken) <= set(due)
    assert all(count <= share for count in by_partner.values())
    assert all(by_connection[each] <= 1 for each in silent)

    offered = Counter(each.partner_id for each in due if each.connection_id not in silent)
    for partner_id, connection_id in {(e.partner_id, e.connection_id) for e in due}:
        offered[partner_id] += connection_id in silent
    fair = {partner_id: min(count, share) for partner_id, count in offered.items()}
    assert len(woken) == min(limit, sum(fair.values()))
    # Nobody gets two more than another who was offered as many.
    for one, its_count in by_partner.items():
        for other, most in fair.items():
            if by_partner[other] < most:
                assert its_count <= by_partner[other] + 1, (one, other)


@given(st.lists(owners, max_size=60))
def test_a_connections_longest_due_ones_come_first(
    places: Sequence[tuple[int, int, int]],
) -> None:
    woken = in_turn(due_of(places), limit=500, share=500, silent=())
    for connection_id in {each.connection_id for each in woken}:
        times = [each.due_at for each in woken if each.connection_id == connection_id]
        assert times == sorted(times, key=lambda at: at or START)
