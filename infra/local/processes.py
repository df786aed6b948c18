"""Processes that end with whoever started them, however that one ends."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from infra.config import PROJECT_ROOT
from infra.local import interrupts
from infra.local.patience import PATIENCE_SECONDS, PATIENCE_WITH_WORK_SECONDS

_LEASH = Path(__file__).with_name("leash.py")


class ProcessFailedError(Exception):
    """A process ended, or stayed silent, when it should not have; its log says why."""


class LeashedProcess:
    """A process group on a leash (see `leash.py`); a context manager that starts and ends it.

    It runs in the project's folder. Output goes to `log`; `scratch` is removed once the process
    has ended, though not at once. With `first_line` the first line of standard output is kept for
    `read_first_line`, and the rest is dropped.
    """

    def __init__(
        self,
        command: list[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        scratch: Path,
        first_line: bool = False,
    ) -> None:
        self._command = [sys.executable, "-I", str(_LEASH), str(scratch), *command]
        self._environment = dict(environment)
        self._log = log
        self._scratch = scratch
        self._wants_first_line = first_line
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._scratch.mkdir(parents=True, exist_ok=True)
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if self._wants_first_line else log,
                stderr=log,
                env=self._environment,
                cwd=PROJECT_ROOT,
                start_new_session=True,
                text=True,
            )
        if self._process.stdin is not None:
            interrupts.hold(self._process.pid, self._process.stdin.fileno())
        if self._process.stdout is not None:
            reader = threading.Thread(
                target=_read_lines, args=(self._process.stdout, self._lines), daemon=True
            )
            reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process and all it started; harmless when it has ended already."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        interrupts.forget(process.pid)

    def wait(self) -> int:
        """Wait until the process has done its work; return its exit code.

        Raises `ProcessFailedError` when our patience ends first.
        """
        if self._process is None:
            raise ProcessFailedError(f"{self._command[4]} was not started")
        try:
            return self._process.wait(PATIENCE_WITH_WORK_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise ProcessFailedError(f"{self._command[4]} does not end, see {self._log}") from error

    def require_running(self) -> None:
        """Raise `ProcessFailedError` when the process has ended."""
        if self._process is None or self._process.poll() is not None:
            raise ProcessFailedError(f"{self._command[4]} ended too early, see {self._log}")

    def read_first_line(self, timeout_seconds: float = PATIENCE_SECONDS) -> str:
        """The first line of standard output.

        Raises `ProcessFailedError` when none came within the time.
        """
        try:
            line = self._lines.get(timeout=timeout_seconds)
        except queue.Empty as error:
            raise ProcessFailedError(f"no line from the process, see {self._log}") from error
        if not line:
            raise ProcessFailedError(f"the process ended without a line, see {self._log}")
        return line


def _read_lines(output: IO[str], kept: queue.SimpleQueue[str]) -> None:
    """Keep the first line and drop the rest, so that the process never waits for a reader."""
    with output as lines:
        kept.put(lines.readline())
        for _ in lines:
            pass


def minimal_environment(**extra: str) -> dict[str, str]:
    """An environment without the caller's Python, proxy or AWS settings."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", **extra}
