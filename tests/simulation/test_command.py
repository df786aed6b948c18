"""The command behind ``make simulate``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from infra.local.patience import PATIENCE_SECONDS
from tests.simulation import __main__ as command
from tests.simulation import episode, progress, sweep
from tests.simulation.sweep import Played, Task

ROOT = Path(__file__).resolve().parents[2]


def started(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.simulation", *options],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def figure(output: str, name: str) -> str:
    match = re.search(rf"^{name}: (.+)$", output, re.MULTILINE)
    assert match, output
    return match[1]


def test_it_plays_both_worlds_by_turns_and_counts_what_happened() -> None:
    output, _ = (process := started("--seeds", "2")).communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 0, output
    assert figure(output, "seeds run") == "payments 1, sync 1"
    assert figure(output, "violations") == "0"
    for name in ("steps", "port calls", "faults injected", "interleavings", "payments posted"):
        assert int(figure(output, name).replace(",", "")) > 0
    assert float(figure(output, "CPU seconds a story")) > 0


def test_an_interrupt_ends_it_with_what_was_played() -> None:
    """As from a terminal, where Ctrl-C reaches all processes at once."""
    process = started("--seeds", "100000", "--workers", "1")
    assert process.stdout
    first_line = process.stdout.readline()

    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert first_line.startswith("playing 100,000 seeds"), first_line
    assert process.returncode == command.INTERRUPTED, output
    assert figure(output, "violations") == "0"
    assert "Traceback" not in output


def test_without_a_terminal_lines_tell_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)

    with progress.shown_progress(Console(force_terminal=False), 4) as tick:
        tick("7 steps")

    line = capsys.readouterr().out
    assert re.fullmatch(
        r"1 of 4 stories, [\d.,]+ a second, [\d.]+ minutes left, 7 steps\n", line
    ), line


def test_a_replay_tells_the_whole_story(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = Task(sweep.WorldName.PAYMENTS, 3).replay_command.split()[3:]

    status = command.main(arguments)

    output = capsys.readouterr().out
    assert status == 0, output
    assert "the bad days are over" in output
    assert figure(output, "seeds run") == "payments 1"


def test_a_broken_rule_is_told_with_the_command_that_plays_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(task: Task, *, tell_all: bool) -> Played:
        return Played(task, failure="R1 broken", story="the story")

    monkeypatch.setattr(sweep, "play", play)

    status = command.main(["--world", "payments", "--first", "7", "--seeds", "1", "--trace"])

    output = capsys.readouterr().out
    assert status == 1
    assert "payments seed 7: R1 broken" in output
    assert "python -m tests.simulation --world payments --first 7 --seeds 1 --trace" in output
    assert "the story" in output


def test_an_error_of_the_simulation_is_a_failure_of_that_seed_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(seed: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(episode, "play_seed", fail)

    played = sweep.play(Task(sweep.WorldName.SYNC, 1))

    assert "ZeroDivisionError" in played.failure
    assert "Traceback" in played.story
