"""The protocol, in every order in which a few things can happen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.payments.model import AMOUNT_MINOR, TIMINGS, Limits
from tests.simulation.payments.walk import Walk

CASES = {
    "one payment": Limits(deliveries=2, crashes=1, lost_answers=1, minutes=5),
    "a return": Limits(deliveries=2, crashes=0, lost_answers=1, minutes=4, is_returned=True),
    "two payments and room for one": Limits(
        payments=2, deliveries=2, crashes=0, lost_answers=1, minutes=4, owed_minor=AMOUNT_MINOR
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_protocol_holds_in_every_order(case: str) -> None:
    findings = Walk(CASES[case]).look()

    assert findings.violation is None, str(findings)
    assert findings.states > 1000


def test_a_quarantine_that_is_too_short_posts_twice() -> None:
    """A request may take effect for two minutes; the bridge waits for no more than its worker."""
    limits = Limits(deliveries=2, crashes=0, lost_answers=1, minutes=5)
    hasty = replace(TIMINGS, in_flight_seconds=0, read_lag_seconds=0)

    findings = Walk(limits, timings=hasty, judges_ends=False).look()

    assert findings.violation == "2 payments for 1", str(findings)


LATE_LISTS = Limits(deliveries=2, crashes=0, lost_answers=1, minutes=6, lag_minutes=2)
LATE_READS = {
    "lists": LATE_LISTS,
    "lists and balances": replace(LATE_LISTS, is_balance_late=True),
}


@pytest.mark.parametrize("what", LATE_READS)
def test_reads_that_are_late_are_waited_for(what: str) -> None:
    timings = replace(TIMINGS, read_lag_seconds=120)

    findings = Walk(LATE_READS[what], timings=timings).look()

    assert findings.violation is None, str(findings)
    assert findings.states > 1000


def test_reads_that_are_later_than_assumed_make_two_of_one() -> None:
    hasty = replace(TIMINGS, read_lag_seconds=0)

    findings = Walk(LATE_READS["lists and balances"], timings=hasty, judges_ends=False).look()

    assert findings.violation == "2 payments for 1", str(findings)


def test_a_balance_in_time_keeps_a_late_list_from_making_two_of_one() -> None:
    hasty = replace(TIMINGS, read_lag_seconds=0)

    findings = Walk(LATE_READS["lists"], timings=hasty, judges_ends=False).look()

    assert findings.violation is None, str(findings)
    assert findings.states > 1000
