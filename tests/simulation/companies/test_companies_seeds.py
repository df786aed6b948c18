"""A short sweep over seeds. ``python -m tests.simulation --world companies`` makes a long one."""

from __future__ import annotations

import pytest

from tests.simulation import __main__ as command
from tests.simulation.companies.episode import play_seed

SEEDS = 10


@pytest.mark.parametrize("seed", range(SEEDS))
def test_each_payment_is_written_once_whatever_connection_it_came_by(seed: int) -> None:
    outcome = play_seed(seed)

    assert not outcome.violations, outcome.story()


def test_a_seed_alone_decides_a_story() -> None:
    first, second = play_seed(3), play_seed(3)

    assert first.digest == second.digest


def test_the_command_plays_it(capsys: pytest.CaptureFixture[str]) -> None:
    status = command.main(["--world", "companies", "--seeds", "1", "--first", "4", "--trace"])

    output = capsys.readouterr().out
    assert status == 0, output
    assert "the bad days are over" in output
    assert "seeds run: companies 1" in output
