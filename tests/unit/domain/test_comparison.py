"""Change fingerprints tell which of two states is the earlier one, where they have a date."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.comparison import is_earlier
from tests.fakes.clock import START


def marked(date: object) -> str:
    return json.dumps({"changed": [date]})


@given(seconds=st.integers(-(10**8), 10**8))
def test_the_earlier_date_of_change_is_the_earlier_state(seconds: int) -> None:
    one, other = START, START + timedelta(seconds=seconds)

    assert is_earlier(marked(one.isoformat()), marked(other.isoformat())) == (seconds > 0)


@pytest.mark.parametrize(
    "fingerprint",
    ["", "changed yesterday", "[]", "{}", '{"changed":[]}', marked(None), marked("x"), marked(7)],
)
def test_without_a_date_no_state_is_earlier(fingerprint: str) -> None:
    assert not is_earlier(fingerprint, marked(START.isoformat()))
    assert not is_earlier(marked(START.isoformat()), fingerprint)


def test_a_date_without_a_zone_is_in_utc() -> None:
    assert is_earlier(marked("2026-03-02T08:59:59"), marked("2026-03-02T09:00:00Z"))
