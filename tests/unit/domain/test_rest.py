"""A write-back rests once nothing of it is open, and its last attempt is long ago."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.platform_payment import Target
from bridge.domain.write_back import (
    AttemptKind,
    Decision,
    DecisionKind,
    History,
    Outcome,
    Reason,
    StatedAttempt,
    WriteBack,
    WriteBackState,
)
from bridge.domain.write_back.rest import RESTS_AFTER, may_rest
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.fakes.clock import START

LONG_AGO = START - RESTS_AFTER


def written(**changes: object) -> WriteBack:
    (write_back,) = write_backs_for(a_platform_payment())
    done = replace(
        write_back,
        created_at=LONG_AGO,
        state=WriteBackState.CONFIRMED,
        psa_payment_id=7,
        due_at=None,
    )
    return replace(done, **changes)  # type: ignore[arg-type]


def attempted(outcome: Outcome, ago: timedelta = RESTS_AFTER) -> History:
    return History((StatedAttempt(AttemptKind.POST, START - ago, outcome),))


def test_what_was_written_and_proven_long_ago_rests() -> None:
    assert may_rest(written(history=attempted(Outcome.PROVEN)), START)


def test_what_was_taken_out_long_ago_rests() -> None:
    gone = written(target=Target.ABSENT, state=WriteBackState.REVERSED, psa_payment_id=None)
    assert may_rest(gone, START)


@pytest.mark.parametrize(
    "changes",
    [
        {"created_at": LONG_AGO + timedelta(seconds=1)},
        {"history": attempted(Outcome.PROVEN, RESTS_AFTER - timedelta(seconds=1))},
        {"history": attempted(Outcome.UNKNOWN)},
        {"state": WriteBackState.MANUAL, "reason": Reason.OVERPAYMENT},
        {"state": WriteBackState.REJECTED},
        {"state": WriteBackState.UNCLEAR},
        {"reason": Reason.PAYMENT_CHANGED},
        {"lasting_reason": Reason.OTHERS_REPLACED},
        {"wants_follow_up": True},
        {"late_look_at": START},
        {"decision": Decision(DecisionKind.LOOK)},
        {"target": Target.ABSENT},
    ],
)
def test_whatever_is_young_open_or_unproven_stays_awake(changes: dict[str, object]) -> None:
    assert not may_rest(written(**changes), START)
