"""Hints about one record that come together are worked on as one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bridge.domain.hint import Hint, HintReason, hinted_records
from bridge.domain.identity import RecordKind
from tests.builders.records import CONNECTION, PARTNER

NOON = datetime.fromisoformat("2026-03-02T12:00:00Z")
CALLBACK = Hint(CONNECTION, RecordKind.INVOICE, 7, HintReason.CALLBACK)
LOOK = replace(CALLBACK, reason=HintReason.UNSETTLED, attempts=2)
RETRY = replace(CALLBACK, reason=HintReason.RETRY, attempts=3)


def test_hints_about_other_records_stay_apart() -> None:
    customer = replace(CALLBACK, record_kind=RecordKind.CUSTOMER)
    found = hinted_records([CALLBACK, replace(CALLBACK, source_id=8), customer], PARTNER, NOON)
    assert [each.hint.record for each in found] == [
        (RecordKind.CUSTOMER, 7),
        (RecordKind.INVOICE, 7),
        (RecordKind.INVOICE, 8),
    ]


def test_the_one_that_stands_for_all_came_last_and_names_the_partner() -> None:
    early = replace(CALLBACK, came_at=NOON - timedelta(seconds=9), times_put_off=4)
    late = replace(CALLBACK, came_at=NOON - timedelta(seconds=1))
    (found,) = hinted_records([late, early], PARTNER, NOON)
    assert found.came_at == found.hint.came_at == late.came_at
    assert (found.hint.partner_id, found.hint.times_put_off) == (PARTNER, 4)
    assert found.hints == (late, early)


def test_a_hint_without_a_time_came_now() -> None:
    (found,) = hinted_records([CALLBACK], PARTNER, NOON)
    assert found.came_at == NOON


def test_what_leaves_most_to_do_stands_for_all() -> None:
    def reason_of(*hints: Hint) -> tuple[HintReason, int]:
        (found,) = hinted_records(hints, PARTNER, NOON)
        return found.hint.reason, found.hint.attempts

    assert reason_of(LOOK, RETRY, CALLBACK) == (HintReason.CALLBACK, 0)
    assert reason_of(LOOK, RETRY) == (HintReason.RETRY, 3)
    assert reason_of(LOOK, replace(LOOK, attempts=1)) == (HintReason.UNSETTLED, 1)
