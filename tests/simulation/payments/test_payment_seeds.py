"""A short sweep over seeds. ``python -m tests.simulation --seeds 10000`` makes a long one."""

from __future__ import annotations

import os

import pytest

from tests.simulation.payments.episode import play_seed

SEEDS = 8


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_bad_days_each_payment_is_written_once_or_seen_by_a_person(seed: int) -> None:
    outcome = play_seed(seed)

    assert not outcome.violations, outcome.story()


def test_a_payment_replay() -> None:
    """Play the seed of the environment variable SEED again, and tell its whole story (``-s``)."""
    outcome = play_seed(int(os.environ.get("SEED", SEEDS)))

    print("\n".join(outcome.trace))
    assert not outcome.violations, outcome.story()


def test_a_payment_seed_tells_the_same_story_again() -> None:
    """Else a failure could not be replayed to the same step."""
    assert play_seed(3).digest == play_seed(3).digest
