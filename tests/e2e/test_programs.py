"""What a person sees of `make local` and `make demo`, also when Ctrl-C comes late."""

import argparse
import re
import shlex
import signal
from collections.abc import Callable

import httpx
import pytest

from infra.local.patience import PATIENCE_SECONDS, eventually
from tests.infra.programs import INTERRUPTED, Program, is_running


def deploys(program: Program) -> bool:
    return program.runs("cdk deploy")


def plays(program: Program) -> bool:
    return program.says("[ 2/")


def is_up(program: Program) -> bool:
    return program.says("Ctrl-C ends")


@pytest.mark.parametrize("moment", [deploys, plays])
def test_ctrl_c_ends_the_demo_with_one_line(moment: Callable[[Program], bool]) -> None:
    """Earlier moments: `tests/infra/test_processes.py`."""
    with Program("-m", "infra.local", "demo") as program:
        program.wait_for(moment)
        interrupt(program)


def test_two_local_systems_of_one_clone_are_up_at_once() -> None:
    with (
        Program("-m", "infra.local", "local") as one,
        Program("-m", "infra.local", "local") as other,
    ):
        one.wait_for(is_up)
        other.wait_for(is_up)
        for name in ("page", "API", "ConnectWise sandbox", "embedded AWS", "logs"):
            assert told(one, name) != told(other, name)
        assert answers(one)
        # What it prints is enough to connect, bill and get a token.
        connected = printed_command(one, "Connect partner-1 to the sandbox")
        assert connected.status_code == httpx.codes.CREATED, connected.text
        assert printed_command(one, "Bill an invoice in ConnectWise").is_success
        token = printed_command(one, "Get a new token for the platform's services")
        assert token.json()["access_token"]
        # The end of one is not the end of the other.
        interrupt(one)
        assert answers(other)
        interrupt(other)


def interrupt(program: Program) -> None:
    """Press Ctrl-C: one line, the exit status of an interrupted program, and nothing runs on."""
    started = program.descendants()
    program.send(signal.SIGINT)
    assert program.exit_status() == 130
    assert program.output.endswith(INTERRUPTED)
    assert "Traceback" not in program.output
    assert eventually(lambda: not any(map(is_running, started)))


def told(program: Program, name: str) -> str:
    match = re.search(rf"^{name} +(.+)$", program.output, re.MULTILINE)
    assert match, program.output
    return match[1]


def printed_command(program: Program, title: str) -> httpx.Response:
    """Send what the `curl` below a title would send."""
    printed = program.output.partition(f"{title}:\n")[2].partition("\n")[0]
    parser = argparse.ArgumentParser()
    parser.add_argument("curl")
    parser.add_argument("url")
    parser.add_argument("-X", default="POST")
    parser.add_argument("-u", default=":")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d", action="append", default=[])
    told = parser.parse_args(shlex.split(printed))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    headers |= dict(header.split(": ", 1) for header in told.H)
    name, _, secret = told.u.partition(":")
    return httpx.request(
        told.X,
        told.url,
        headers=headers,
        auth=httpx.BasicAuth(name, secret) if name else None,
        content="&".join(told.d),
        timeout=PATIENCE_SECONDS,
    )


def answers(program: Program) -> bool:
    url = told(program, "API description")
    return httpx.get(url, timeout=PATIENCE_SECONDS).status_code == httpx.codes.OK
