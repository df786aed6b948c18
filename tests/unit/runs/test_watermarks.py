"""A person sets a watermark back, never forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.domain.errors import NotPossibleError
from bridge.domain.identity import RecordKind
from bridge.domain.watermark import EARLIEST
from bridge.wiring import use_cases
from tests.builders.records import CONNECTION
from tests.fakes.clock import START
from tests.unit.mirror.bench import Bench

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER


@pytest.fixture
def marked(bench: Bench) -> Bench:
    bench.runs.set_watermark(CONNECTION, INVOICE, START)
    return bench


def test_a_watermark_goes_back_and_the_next_run_begins_there(marked: Bench) -> None:
    at = START - timedelta(days=3)

    assert use_cases.watermarks(marked).set_back(CONNECTION, INVOICE, at) == at
    assert marked.runs.get_watermark(CONNECTION, INVOICE) == at


@pytest.mark.parametrize("later", [timedelta(), timedelta(seconds=1), timedelta(days=900)])
def test_a_watermark_never_goes_forward(marked: Bench, later: timedelta) -> None:
    with pytest.raises(NotPossibleError) as refused:
        use_cases.watermarks(marked).set_back(CONNECTION, INVOICE, START + later)

    assert refused.value.reason == "watermark_forward"
    assert marked.runs.get_watermark(CONNECTION, INVOICE) == START


def test_without_a_watermark_there_is_nothing_to_set_back(marked: Bench) -> None:
    with pytest.raises(NotPossibleError) as refused:
        use_cases.watermarks(marked).set_back(CONNECTION, CUSTOMER, START)

    assert refused.value.reason == "no_watermark"


def test_a_watermark_goes_back_to_the_beginning_of_our_time_at_most(
    marked: Bench,
) -> None:
    assert (
        use_cases.watermarks(marked).set_back(CONNECTION, INVOICE, datetime(1, 1, 1, tzinfo=UTC))
        == EARLIEST
    )
