"""A short sweep over seeds. ``python -m tests.simulation --seeds 10000`` makes a long one."""

from __future__ import annotations

import pytest

from tests.simulation.payments.episode import play_seed

SEEDS = 8


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_bad_days_each_payment_is_written_once_or_seen_by_a_person(seed: int) -> None:
    outcome = play_seed(seed)

    assert not outcome.violations, outcome.story()
