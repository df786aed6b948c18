"""A short sweep over seeds. ``python -m tests.simulation --seeds 10000`` makes a long one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.episode import play_seed

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 10
DIGEST_OF = "from tests.simulation.episode import play_seed; print(play_seed({seed}).digest)"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_bad_days_the_mirror_equals_connectwise(seed: int) -> None:
    outcome = play_seed(seed)

    assert not outcome.violations, outcome.story()


def test_replay() -> None:
    """Play the seed of the environment variable SEED again, and tell its whole story (``-s``)."""
    outcome = play_seed(int(os.environ.get("SEED", "14")))

    print("\n".join(outcome.trace))
    assert not outcome.violations, outcome.story()


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_tells_the_same_story_in_every_process(hash_seed: str) -> None:
    """Else a failure could not be replayed to the same step."""
    seed = 4
    environment = os.environ | {
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "layers/core/python"), str(ROOT)]),
    }
    elsewhere = subprocess.run(
        [sys.executable, "-c", DIGEST_OF.format(seed=seed)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert elsewhere.stdout.strip() == play_seed(seed).digest
