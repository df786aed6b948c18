"""The program prints one line, prints its help, and ends quietly."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest

COMMAND = [sys.executable, "-m", "connectwise_sandbox"]
SMALL = ["--port", "0", "--customers", "2", "--invoices", "3"]


@contextmanager
def started() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Give a program that serves, and the line that it printed."""
    with subprocess.Popen(
        [*COMMAND, *SMALL], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def first_byte(connection: socket.socket) -> bytes:
    """Return the first byte of an answer, none if the connection was closed before it."""
    with suppress(ConnectionResetError):
        return connection.recv(1)
    return b""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_one_line_and_ends_when_told(ending: signal.Signals) -> None:
    command = [sys.executable, "-m", "connectwise_sandbox", "--port", "0"]
    sizes = ["--customers", "2", "--invoices", "3", "--switch", "overpayment=refused"]
    with subprocess.Popen([*command, *sizes], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        keys = json.loads(process.stdout.readline())
        switches = httpx.get(f"{keys['admin_url']}/switches").json()
        process.send_signal(ending)
        rest = process.stdout.read()

    assert {"base_url", "company_id", "public_key", "private_key", "client_id"} <= set(keys)
    assert switches["overpayment"] == "refused"
    assert (process.returncode, rest) == (0, "")


def test_help_is_printed_and_names_every_option() -> None:
    answer = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)

    assert answer.stdout.startswith("usage: connectwise-sandbox ")
    for option in ("--host", "--port", "--switch", "--seed", "--customers", "--invoices"):
        assert option in answer.stdout
    assert answer.stderr == ""


def test_ctrl_c_while_the_program_loads_is_quiet() -> None:
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], *SMALL]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.endswith("pydantic_core\n"))
        process.send_signal(signal.SIGINT)
        printed, rest = process.communicate()

    assert (process.returncode, printed) == (0, "")
    assert "Traceback" not in rest


def test_ctrl_c_pressed_again_and_again_is_quiet() -> None:
    with started() as (process, _):
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.04)
        printed, complaints = process.communicate()

    assert (process.returncode, printed, complaints) == (0, "", "")


def test_ctrl_c_cuts_an_answer_that_is_withheld() -> None:
    with started() as (process, keys):
        fault = {"effect": "timeout_before_effect"}
        httpx.post(f"{keys['admin_url']}/faults", json=fault).raise_for_status()
        url = httpx.URL(keys["base_url"])
        with socket.create_connection((url.host, url.port or 0), timeout=10) as connection:
            connection.sendall(b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n")
            while httpx.get(f"{keys['admin_url']}/faults").json()["injected"] == 0:
                pass
            process.send_signal(signal.SIGINT)
            answer = first_byte(connection)
        printed, complaints = process.communicate()

    assert (process.returncode, printed, answer) == (0, "", b"")
    assert len(complaints.splitlines()) <= 1
    assert "Traceback" not in complaints
