"""Whatever one server answers, the worker that reads it lives, and others' work beside it.

A function has at least 512 MB, and one answer may take a third of that above the warm process. Each
case runs the real way out, from the bytes on the wire to what the caller gets, in a process of its
own under a hard limit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.connections.site_turns import PLACES_OF_A_PARTNER
from bridge.connectwise.call_limits import PAGE, RECORD, CallLimits
from bridge.connectwise.exchange import MAX_PARSED_BYTES
from bridge.connectwise.held_rows import MAX_BYTES_TOGETHER
from bridge.connectwise.json_text import parsed_bytes
from tests.unit.memory.hostile_bodies import BODIES, MIB

ROOT = Path(__file__).resolve().parents[3]
THIRD_OF_A_FUNCTION_MIB = 512 // 3
ESTIMATED_MIB = MAX_PARSED_BYTES // MIB
HINTS_MIB = 1024
"""The memory of the function that works hints off side by side."""
BULK_MIB = 1024
"""The memory of the function that works on runs, with several calls at once."""
THREADS_SPACE_MIB = 1024
"""The address space that an allocator sets apart for its threads, most of which stays unused."""
NOISE_MIB = 6
"""The client's own buffers, and what an allocator keeps in parts."""
BOMB_BYTES = 64 * MIB
SAMPLE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Measured:
    ended: str
    """The name of the error, or ``answered``."""
    requests: int
    peak_mib: float


Measure = Callable[..., Measured]


@pytest.fixture(scope="module")
def measure() -> Iterator[Measure]:
    """Measure a call to a server, in a process whose memory is limited."""
    command = [sys.executable, "-m", "tests.unit.memory.measurement"]
    paths = [str(ROOT), str(ROOT / "layers" / "core" / "python"), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    ) as program:
        assert program.stdin
        assert program.stdout
        asked, told = program.stdin, program.stdout

        def measured(
            call: str,
            server: str,
            at_once: int = 1,
            allowed_mib: int = THIRD_OF_A_FUNCTION_MIB,
            **parts: Any,
        ) -> Measured:
            case = {
                "call": call,
                "server": server,
                "parts": parts,
                "at_once": at_once,
                "allowed_mib": allowed_mib,
            }
            print(json.dumps(case), file=asked, flush=True)
            found = Measured(**json.loads(told.readline()))
            print(f"{call}, {server} {parts}: {found}")
            return found

        yield measured
        asked.close()


def admitted_bytes(body: str, limits: CallLimits) -> int:
    """Return the size at which a body is just taken: the worst that a server can do with it."""
    sample = b"".join(BODIES[body](SAMPLE_BYTES))
    swelling = parsed_bytes(sample) / len(sample)
    return int(min(limits.answer_bytes, MAX_PARSED_BYTES / swelling) * 0.97)


@pytest.mark.parametrize(
    ("body", "call", "limits"),
    [
        *((body, "balance", RECORD) for body in BODIES),
        *((body, "list", PAGE) for body in ("decimals", "lists in lists", "astral letters")),
    ],
)
def test_the_longest_answer_that_is_taken_fills_no_more_memory_than_was_estimated(
    measure: Measure, body: str, call: str, limits: CallLimits
) -> None:
    found = measure(call, "SameAnswer", body=body, size=admitted_bytes(body, limits))

    assert found.ended not in ("killed", "MemoryError")
    assert found.peak_mib <= ESTIMATED_MIB + NOISE_MIB


@pytest.mark.parametrize(
    "call",
    ["list", "fetch one", "system info", "rights", "pdf", "discover", "payments", "pay", "exists"],
)
@pytest.mark.parametrize("body", ["empty objects", "decimals", "one long text that ends astral"])
def test_a_small_answer_that_swells_is_given_up(measure: Measure, call: str, body: str) -> None:
    found = measure(call, "SameAnswer", body=body, size=BOMB_BYTES)

    assert found.ended not in ("killed", "MemoryError")
    assert found.peak_mib <= ESTIMATED_MIB + NOISE_MIB


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
@pytest.mark.parametrize("call", ["list", "pay"])
def test_a_refusal_is_read_no_further_than_refusals_go(
    measure: Measure, call: str, status: int
) -> None:
    found = measure(call, "SameAnswer", body="empty objects", size=BOMB_BYTES, status=status)

    assert found.ended not in ("killed", "MemoryError", "answered")
    assert found.peak_mib <= NOISE_MIB


@pytest.mark.parametrize("server", ["zeros_behind_an_empty_gzip", "endless_gzip_members"])
def test_what_comes_behind_a_compressed_answer_stays_unread(measure: Measure, server: str) -> None:
    found = measure("list", server)

    assert (found.ended, found.requests) == ("answered", 1)
    assert found.peak_mib <= NOISE_MIB


@pytest.mark.parametrize(
    ("call", "rows_of_one", "has_notes"),
    [
        ("fetch one", 9_990, False),
        ("fetch one", 5_000, True),
        ("fetch many", 50, False),
        ("fetch many", 50, True),
        ("fetch many", 500, False),
        ("fetch many", 500, True),
    ],
)
def test_endless_rows_of_many_answers_are_held_within_the_limit_together(
    measure: Measure, call: str, rows_of_one: int, has_notes: bool
) -> None:
    found = measure(call, "EndlessRows", rows_of_one=rows_of_one, has_notes=has_notes)

    assert found.ended in ("answered", "TooMuchTogetherError")
    assert found.peak_mib <= ESTIMATED_MIB + MAX_BYTES_TOGETHER // MIB


@pytest.mark.parametrize("has_notes", [False, True])
@pytest.mark.parametrize("rows_of_one", [5, 50, 500])
def test_calls_of_a_page_side_by_side_stay_within_a_third_of_their_function(
    measure: Measure, rows_of_one: int, has_notes: bool
) -> None:
    found = measure(
        "fetch a page",
        "EndlessRows",
        allowed_mib=BULK_MIB // 3 + THREADS_SPACE_MIB,
        rows_of_one=rows_of_one,
        has_notes=has_notes,
    )

    assert found.ended in ("answered", "TooMuchTogetherError")
    assert found.peak_mib <= BULK_MIB // 3


def test_the_limits_together_leave_two_thirds_of_a_function_to_others() -> None:
    assert ESTIMATED_MIB + MAX_BYTES_TOGETHER // MIB + NOISE_MIB < THIRD_OF_A_FUNCTION_MIB


@pytest.mark.parametrize(
    ("server", "parts"),
    [
        ("EndlessRows", {"rows_of_one": 9_990}),
        ("EndlessRows", {"rows_of_one": 5_000, "has_notes": True}),
        ("SameAnswer", {"body": "one long text that ends astral", "size": BOMB_BYTES}),
        ("SameAnswer", {"body": "decimals", "size": admitted_bytes("decimals", RECORD)}),
    ],
)
def test_two_hostile_partners_at_all_their_places_fill_no_worker(
    measure: Measure, server: str, parts: dict[str, Any]
) -> None:
    """A worker of hints reads for many connections at once, three at most of each partner."""
    found = measure(
        "fetch one",
        server,
        at_once=2 * PLACES_OF_A_PARTNER,
        allowed_mib=HINTS_MIB // 3 + THREADS_SPACE_MIB,
        **parts,
    )

    assert found.ended not in ("killed", "MemoryError")
    assert found.peak_mib <= HINTS_MIB // 3
