"""A test starts the programs behind `make demo` and `make local` as a shell starts a job."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.config import PROJECT_ROOT
from infra.local.patience import PATIENCE_SECONDS, PATIENCE_WITH_WORK_SECONDS, eventually

INTERRUPTED = "interrupted: ending everything that was started ... ended\n"


class Program:
    """A program is a Python process in a session of its own; `output` is all it has said so far."""

    def __init__(self, *arguments: str) -> None:
        self._command = [sys.executable, *arguments]
        self.output = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for(self, moment: Callable[["Program"], bool]) -> None:
        """Wait until the moment comes; a program that has ended reaches none."""

        def has_come() -> bool:
            if moment(self):
                return True
            assert self._process.poll() is None, self.output
            return False

        assert eventually(has_come, seconds=PATIENCE_WITH_WORK_SECONDS), self.output

    def says(self, text: str) -> bool:
        return text in self.output

    def send(self, number: signal.Signals) -> None:
        """Send a signal as a terminal does: to all processes of the job."""
        os.killpg(self.pid, number)

    def exit_status(self) -> int:
        """Wait for the end, and for the last line."""
        status = self._process.wait(PATIENCE_SECONDS)
        self._reader.join()
        return status

    def descendants(self) -> dict[int, str]:
        """Return the command lines of all processes below this one, by process id."""
        parents = {pid: _parent(pid) for pid in _process_ids()}
        found = {self.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return {pid: _command_line(pid) for pid in sorted(found - {self.pid})}

    def runs(self, *words: str) -> bool:
        """Tell whether a process below this one has all the words in its command line."""
        return any(all(word in line for word in words) for line in self.descendants().values())

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            # Not by lines: a line may be half said for a while.
            while chunk := os.read(output.fileno(), 4096):
                self.output += chunk.decode()


def is_running(pid: int) -> bool:
    """True for a process that is there and not a zombie."""
    return _status(pid)[0] not in ("Z", "")


def _process_ids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent(pid: int) -> int:
    return int(_status(pid)[1])


def _status(pid: int) -> tuple[str, str]:
    """Return the state and the parent of a process; an empty state when there is none."""
    try:
        state, parent, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "", "0"
    return state, parent


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""
