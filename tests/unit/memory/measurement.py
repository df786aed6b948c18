"""A program that measures the memory that calls to hostile servers take, each in its own process.

It reads cases from its standard input, one JSON object on each line, and answers each with one. A
case runs in a fork of the warm process: what it takes is the peak of its resident memory above what
it began with. Its address space may grow by no more than the case allows, as where a process is
killed for it.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from bridge.connections.call_lanes import MORE_LANES
from bridge.connectwise.egress import GuardedTransport
from bridge.connectwise.gateway import ConnectWiseGateway
from bridge.domain.errors import BridgeError
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import mirrored_kind
from bridge.domain.money import Currency
from bridge.ports import ReadingPlan
from tests.builders.operations import CREDENTIALS, a_connection
from tests.fakes.clock import FakeClock
from tests.fakes.vault import InMemoryVault
from tests.unit.connectwise.sandbox import OpenLimiter
from tests.unit.connectwise.scripted_network import Answer, ScriptedNetwork, answer_of
from tests.unit.memory import hostile_servers

MIB = 1024 * 1024
_MAX_CPU_SECONDS = 60
_SECONDS_BETWEEN_LOOKS_AT_THE_CLOCK = 1 / 5_000
_CONNECTION = a_connection()
_DOLLARS = Currency("USD", 2)
_INVOICES = mirrored_kind(RecordKind.INVOICE)
_PAID_ON = date(2026, 3, 2)

CALLS: Mapping[str, Callable[[ConnectWiseGateway], object]] = {
    "list": lambda it: it.open(_CONNECTION).list_records(
        RecordKind.INVOICE, after_id=0, limit=1_000
    ),
    "fetch one": lambda it: it.open(_CONNECTION).fetch(_INVOICES, [1]),
    "fetch many": lambda it: it.open(_CONNECTION).fetch(_INVOICES, range(1, 201)),
    "fetch a page": lambda it: it.open(_CONNECTION).fetch(
        _INVOICES, range(1, 1_001), plan=ReadingPlan(is_gapless=True, in_flight=1 + MORE_LANES)
    ),
    "exists": lambda it: it.open(_CONNECTION).exists(RecordKind.INVOICE, 1),
    "system info": lambda it: it.open(_CONNECTION).read_system_info(),
    "rights": lambda it: it.open(_CONNECTION).check_rights(),
    "pdf": lambda it: it.open(_CONNECTION).fetch_invoice_pdf(1),
    "discover": lambda it: it.discover("acme", "https://na.myconnectwise.net"),
    "balance": lambda it: it.open_payments(_CONNECTION).read_balance(1),
    "payments": lambda it: it.open_payments(_CONNECTION).list_payments(1, _DOLLARS),
    "pay": lambda it: it.open_payments(_CONNECTION).post_payment(
        1, amount_minor=100, currency=_DOLLARS, paid_on=_PAID_ON
    ),
}


def _gateway(answer: Answer) -> ConnectWiseGateway:
    vault, looks = InMemoryVault(), count()
    vault.put_credentials(_CONNECTION.connection_id, CREDENTIALS)
    transport = GuardedTransport(
        resolver=lambda _: ("52.1.2.3",),
        backend=ScriptedNetwork(answer),
        monotonic=lambda: next(looks) * _SECONDS_BETWEEN_LOOKS_AT_THE_CLOCK,
    )
    return ConnectWiseGateway(
        transport=transport,
        vault=vault,
        limiter=OpenLimiter(),
        clock=FakeClock(),
        on_codebase_changed=lambda *_: None,
        most_in_flight=1 + MORE_LANES,
    )


def _call(name: str, answer: Answer) -> tuple[str, int]:
    """Make a call; return how it ended and how many requests it took."""
    requests = 0

    def counted(request: bytes) -> Any:
        nonlocal requests
        requests += 1
        return answer(request)

    try:
        CALLS[name](_gateway(counted))
    except (BridgeError, MemoryError) as error:
        return type(error).__name__, requests
    return "answered", requests


def _measured(case: Mapping[str, Any]) -> dict[str, Any]:
    answer = getattr(hostile_servers, case["server"])
    if case["parts"]:
        answer = answer(**case["parts"])
    _call(case["call"], lambda _: answer_of(iter([b"{}"])))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    space = pages * resource.getpagesize() + case["allowed_mib"] * MIB
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    cpu_seconds = _MAX_CPU_SECONDS * case["at_once"]
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with ThreadPoolExecutor(case["at_once"]) as pool:
        calls = [pool.submit(_call, case["call"], answer) for _ in range(case["at_once"])]
        ended, requests = max(each.result() for each in calls)
    after_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"ended": ended, "requests": requests, "peak_mib": (after_kib - before_kib) / 1024}


def _in_a_fork(case: Mapping[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, json.dumps(_measured(case)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        answer = told.read()
    os.waitpid(child, 0)
    return json.loads(answer) if answer else {"ended": "killed", "requests": 0, "peak_mib": 0.0}


def main() -> None:
    logging.disable()
    for line in sys.stdin:
        print(json.dumps(_in_a_fork(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
