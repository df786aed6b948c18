"""Nothing that a run starts outlives it, however the run ends."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.config import PROJECT_ROOT
from infra.local.embedded_aws import EmbeddedAws
from infra.local.log_folder import BUILD, KEPT_FOLDERS, new_log_folder
from infra.local.patience import PATIENCE_SECONDS, eventually
from infra.local.processes import LeashedProcess, ProcessFailedError, minimal_environment
from tests.infra.programs import INTERRUPTED, Program, is_running

# Longer than anybody here waits: it does not end by itself.
SLEEP = f"time.sleep({2 * PATIENCE_SECONDS})"
# A process that starts another one, as the embedded AWS starts functions, and tells both ids.
SHORT_FAMILY = (
    "import os, subprocess, sys, time\n"
    f"child = subprocess.Popen([sys.executable, '-c', 'import time; {SLEEP}'])\n"
    "print(os.getpid(), child.pid, flush=True)\n"
)
FAMILY = f"{SHORT_FAMILY}{SLEEP}\n"
# A program that starts such a family, and tells the ids too.
STARTER = (
    "import sys, time; from pathlib import Path\n"
    "from infra.local.interrupts import end_on_interrupt\n"
    "from tests.infra.test_processes import family\n"
    "if sys.argv[2:]: end_on_interrupt()\n"
    "with family(Path(sys.argv[1])) as process:\n"
    "    print(process.read_first_line(), flush=True)\n"
    f"    {SLEEP}\n"
)


def family(tmp_path: Path, program: str = FAMILY) -> LeashedProcess:
    return LeashedProcess(
        [sys.executable, "-c", program],
        environment=minimal_environment(),
        log=tmp_path / "family.log",
        scratch=tmp_path / "scratch",
        first_line=True,
    )


def test_leaving_the_block_ends_the_process_and_what_it_started(tmp_path: Path) -> None:
    with family(tmp_path) as process:
        pids = [int(pid) for pid in process.read_first_line().split()]
        assert all(map(is_running, pids))
    assert eventually(lambda: not any(map(is_running, pids)))
    assert eventually(lambda: not (tmp_path / "scratch").exists())


def test_an_error_in_the_block_ends_the_process_too(tmp_path: Path) -> None:
    started: list[int] = []

    def fail() -> None:
        with family(tmp_path) as process:
            started.extend(map(int, process.read_first_line().split()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(started) == 2
    assert eventually(lambda: not any(map(is_running, started)))


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_killed_starter_takes_everything_with_it(end: signal.Signals, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)],
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
        pids = [int(pid) for pid in process.read_first_line().split()]
        assert eventually(lambda: not any(map(is_running, pids)))


def test_a_process_that_dies_early_is_told_apart_from_a_slow_one(tmp_path: Path) -> None:
    with family(tmp_path, "raise SystemExit(3)") as process:
        with pytest.raises(ProcessFailedError, match="without a line"):
            process.read_first_line()
        assert eventually(lambda: not _runs(process))
    with family(tmp_path, f"import time; {SLEEP}") as process:
        with pytest.raises(ProcessFailedError, match="no line"):
            process.read_first_line(0.1)
        process.require_running()


def _runs(process: LeashedProcess) -> bool:
    try:
        process.require_running()
    except ProcessFailedError:
        return False
    return True


def test_the_exit_code_of_a_process_is_told(tmp_path: Path) -> None:
    with family(tmp_path, "raise SystemExit(3)") as process:
        assert process.wait() == 3
    assert (tmp_path / "family.log").read_text() == ""


def loads_modules(program: Program) -> bool:
    return program.says("botocore")


def starts_the_embedded_aws(program: Program) -> bool:
    return program.runs("role_requests.py")


def waits_for_another_deploy(program: Program) -> bool:
    waiting = [
        line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" in line
    ]
    return any(str(program.pid) in fields for fields in waiting)


def synthesizes(program: Program) -> bool:
    return program.runs("-m infra.app")


@pytest.mark.parametrize("name", ["local", "demo"])
@pytest.mark.parametrize(
    "moment", [loads_modules, starts_the_embedded_aws, waits_for_another_deploy, synthesizes]
)
def test_ctrl_c_ends_a_start_at_any_moment(name: str, moment: Callable[[Program], bool]) -> None:
    """The moments of the deploy and after it: `tests/e2e/test_ctrl_c.py`."""
    tells_imports = ["-X", "importtime"] if moment is loads_modules else []
    BUILD.mkdir(parents=True, exist_ok=True)
    with (
        (BUILD / "deploy.lock").open("w") as lock,
        Program(*tells_imports, "-m", "infra.local", name) as program,
    ):
        if moment is waits_for_another_deploy:
            fcntl.flock(lock, fcntl.LOCK_EX)
        program.wait_for(moment)
        started = program.descendants()
        program.send(signal.SIGINT)
        assert program.exit_status() == 130
    assert program.output.endswith(INTERRUPTED)
    assert "Traceback" not in program.output
    assert eventually(lambda: not any(map(is_running, started)))


def tells_ids(program: Program) -> bool:
    return program.says("\n")


def is_ending(program: Program) -> bool:
    return program.says("interrupted")


def test_a_signal_ends_what_was_started_before_the_program_ends(tmp_path: Path) -> None:
    with Program("-c", STARTER, str(tmp_path), "interruptible") as program:
        program.wait_for(tells_ids)
        pids = [int(pid) for pid in program.output.split()]
        program.send(signal.SIGTERM)
        assert program.exit_status() == 143
        assert not is_running(pids[0])
        assert eventually(lambda: not is_running(pids[1]))
    assert program.output.endswith(INTERRUPTED)


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    with Program("-c", STARTER, str(tmp_path), "interruptible") as program:
        # Given a leash that does not end
        program.wait_for(tells_ids)
        leash, *family_of_leash = program.descendants()
        os.kill(leash, signal.SIGSTOP)
        program.send(signal.SIGINT)
        program.wait_for(is_ending)
        # When a second Ctrl-C comes, then the program ends; the rest follows as soon as it can
        program.send(signal.SIGINT)
        assert program.exit_status() == 130
        os.kill(leash, signal.SIGCONT)
        assert eventually(lambda: not any(map(is_running, [leash, *family_of_leash])))


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


def test_runs_at_the_same_time_have_their_own_logs(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from infra.local.log_folder import new_log_folder\n"
        "print(new_log_folder(Path(sys.argv[1])).name)\n"
    )
    with (
        Program("-c", code, str(tmp_path)) as one,
        Program("-c", code, str(tmp_path)) as other,
    ):
        assert [one.exit_status(), other.exit_status()] == [0, 0]
    names = {one.output.strip(), other.output.strip()}
    assert {path.name for path in tmp_path.iterdir()} == {*names, "latest"}
    assert (tmp_path / "latest").readlink().name in names


def test_the_last_logs_are_kept_and_those_of_running_processes(tmp_path: Path) -> None:
    # Given more logs of this process, and of one that has ended, than are kept
    with Program("-c", "") as ended:
        ended.exit_status()
    of_ended = [tmp_path / f"{year}-{ended.pid}" for year in range(2001, 2003 + KEPT_FOLDERS)]
    of_running = tmp_path / f"2000-{os.getpid()}"
    for folder in (of_running, *of_ended):
        folder.mkdir()
    # When the next one begins
    newest = new_log_folder(tmp_path)
    # Then beyond the last few, only the running process's logs are there
    kept = {path for path in tmp_path.iterdir() if path.name != "latest"}
    assert kept == {of_running, *of_ended[-KEPT_FOLDERS + 1 :], newest}
    assert (tmp_path / "latest").resolve() == newest
