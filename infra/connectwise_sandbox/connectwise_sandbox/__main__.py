"""Starts a ConnectWise PSA sandbox and prints one JSON line when it is ready."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time

from connectwise_sandbox.server import (
    LOOPBACK,
    START_SECONDS,
    SandboxServer,
    stocked_engine,
)
from connectwise_sandbox.switches import Switches


def main() -> int:
    """Serve until SIGINT or SIGTERM; return the exit status."""
    arguments = _parser().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal again after it has shut down; the sandbox then just ends.
        signal.signal(number, lambda *_: sys.exit(0))
    given = dict(_setting(text) for text in arguments.switch)
    given.setdefault("requests_per_minute", arguments.requests_per_minute)
    switches = Switches.model_validate(given)
    engine = stocked_engine(
        seed=arguments.seed,
        customers=arguments.customers,
        invoices=arguments.invoices,
        switches=switches,
    )
    server = SandboxServer(engine, host=arguments.host, port=arguments.port)
    threading.Thread(target=_announce, args=(server,), daemon=True).start()
    server.run()
    return 0


def _setting(text: str) -> tuple[str, object]:
    """Return the name and the value of `name=value`; the value is JSON or else a text."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _announce(server: SandboxServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.is_ready and time.monotonic() < deadline:
        time.sleep(0.01)
    sys.stdout.write(json.dumps(server.announcement.as_dict()) + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m connectwise_sandbox",
        description="A ConnectWise PSA with generated books, for tests and demonstrations. "
        "Prints one JSON line (base_url, company_id, public_key, private_key, client_id, "
        "admin_url) when it is ready. GET /_sandbox lists the commands that edit its data.",
    )
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one (%(default)s)")
    parser.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a switch, for example overpayment=refused; may be repeated",
    )
    parser.add_argument("--seed", type=int, default=7, help="makes the books (%(default)s)")
    parser.add_argument("--customers", type=int, default=50, help="companies (%(default)s)")
    parser.add_argument("--invoices", type=int, default=500, help="invoices (%(default)s)")
    parser.add_argument(
        "--requests-per-minute",
        type=int,
        default=1_000,
        help="allowance of one clientId before 429; 0 is no limit (%(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
