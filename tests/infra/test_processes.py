"""Nothing that a run starts outlives it, however the run ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.config import PROJECT_ROOT
from infra.local.embedded_aws import EmbeddedAws
from infra.local.processes import LeashedProcess, ProcessFailedError, minimal_environment

PATIENCE_SECONDS = 60.0
# A process that starts another one, as the embedded AWS starts functions, and tells both ids.
SHORT_FAMILY = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print(os.getpid(), child.pid, flush=True)\n"
)
FAMILY = SHORT_FAMILY + "time.sleep(60)\n"


def family(tmp_path: Path, program: str = FAMILY) -> LeashedProcess:
    return LeashedProcess(
        [sys.executable, "-c", program],
        environment=minimal_environment(),
        log=tmp_path / "family.log",
        scratch=tmp_path / "scratch",
        first_line=True,
    )


def is_running(pid: int) -> bool:
    """True for a process that is there and not a zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status != "Z"


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_leaving_the_block_ends_the_process_and_what_it_started(tmp_path: Path) -> None:
    with family(tmp_path) as process:
        pids = [int(pid) for pid in process.read_first_line(PATIENCE_SECONDS).split()]
        assert all(map(is_running, pids))
    assert eventually(lambda: not any(map(is_running, pids)))
    assert eventually(lambda: not (tmp_path / "scratch").exists())


def test_an_error_in_the_block_ends_the_process_too(tmp_path: Path) -> None:
    started: list[int] = []

    def fail() -> None:
        with family(tmp_path) as process:
            started.extend(map(int, process.read_first_line(PATIENCE_SECONDS).split()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(started) == 2
    assert eventually(lambda: not any(map(is_running, started)))


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_killed_starter_takes_everything_with_it(end: signal.Signals, tmp_path: Path) -> None:
    starter = (
        "import sys, time; from pathlib import Path\n"
        "from tests.infra.test_processes import family\n"
        f"with family(Path({str(tmp_path)!r})) as process:\n"
        "    print(process.read_first_line(15), flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        os.kill(process.pid, end)
        assert eventually(lambda: not any(map(is_running, pids)))
        assert eventually(lambda: not (tmp_path / "scratch").exists())


def test_what_a_process_started_ends_with_it(tmp_path: Path) -> None:
    with family(tmp_path, SHORT_FAMILY) as process:
        pids = [int(pid) for pid in process.read_first_line(PATIENCE_SECONDS).split()]
        assert eventually(lambda: not any(map(is_running, pids)))


def test_a_process_that_dies_early_is_told_apart_from_a_slow_one(tmp_path: Path) -> None:
    with family(tmp_path, "raise SystemExit(3)") as process:
        with pytest.raises(ProcessFailedError, match="without a line"):
            process.read_first_line(PATIENCE_SECONDS)
        assert eventually(lambda: not _runs(process))
    with family(tmp_path, "import time; time.sleep(60)") as process:
        with pytest.raises(ProcessFailedError, match="no line"):
            process.read_first_line(0.1)
        process.require_running()


def _runs(process: LeashedProcess) -> bool:
    try:
        process.require_running()
    except ProcessFailedError:
        return False
    return True


def test_the_embedded_aws_starts_empty_and_listens_on_loopback_only() -> None:
    with EmbeddedAws("test-processes") as aws:
        assert aws.client("sqs").list_queues().get("QueueUrls", []) == []
        assert listening_addresses(aws.port) == {"0100007F"}
    assert eventually(lambda: listening_addresses(aws.port) == set())


def listening_addresses(port: int) -> set[str]:
    """Local addresses, in the kernel's hexadecimal, that accept connections on the port."""
    listening = "0A"
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            address, _, hexadecimal = fields[1].partition(":")
            if fields[3] == listening and int(hexadecimal, 16) == port:
                found.add(address)
    return found
