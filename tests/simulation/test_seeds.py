"""A short sweep over seeds. ``python -m tests.simulation --seeds 10000`` makes a long one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.patience import PATIENCE_SECONDS
from tests.simulation.episode import play_seed
from tests.simulation.payments import episode as payment_episode

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 10


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_bad_days_the_mirror_equals_connectwise(seed: int) -> None:
    outcome = play_seed(seed)

    assert not outcome.violations, outcome.story()


@pytest.mark.parametrize("world", ["", "payments."])
def test_a_seed_tells_the_same_story_in_every_process(world: str) -> None:
    """Else a failure could not be replayed to the same step."""
    seed = 4
    play = f"from tests.simulation.{world}episode import play_seed; print(play_seed({seed}).digest)"
    environment = os.environ | {
        "PYTHONHASHSEED": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "layers/core/python"), str(ROOT)]),
    }
    elsewhere = subprocess.run(
        [sys.executable, "-c", play],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )

    here = payment_episode.play_seed(seed) if world else play_seed(seed)
    assert elsewhere.stdout.strip() == here.digest
