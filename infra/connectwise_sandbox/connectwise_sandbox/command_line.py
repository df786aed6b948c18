"""The command line serves a sandbox and prints one JSON line when it is ready."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import threading
import time
from collections.abc import Sequence

from connectwise_sandbox.server import (
    LOOPBACK,
    START_SECONDS,
    SandboxServer,
    certificate_if,
    stocked_engine,
)
from connectwise_sandbox.switches import Switches


def serve(arguments: Sequence[str]) -> int:
    """Serve until a signal ends the program; return the exit status."""
    wanted = _build_parser().parse_args(arguments)
    given = dict(_parse_setting(text) for text in wanted.switch)
    given.setdefault("requests_per_minute", wanted.requests_per_minute)
    # The books live as long as the program: looking through them for garbage would be in vain.
    gc.disable()
    engine = stocked_engine(
        seed=wanted.seed,
        customers=wanted.customers,
        invoices=wanted.invoices,
        switches=Switches.model_validate(given),
    )
    gc.freeze()
    gc.enable()
    with certificate_if(wanted.tls, wanted.host) as certificate:
        server = SandboxServer(engine, host=wanted.host, port=wanted.port, certificate=certificate)
        threading.Thread(target=_announce, args=(server,), daemon=True).start()
        server.run()
    return 0


def _parse_setting(text: str) -> tuple[str, object]:
    """Return the name and the value of `name=value`; the value is JSON or else a text."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _announce(server: SandboxServer) -> None:
    """Print the announcement as soon as requests are answered."""
    deadline = time.monotonic() + START_SECONDS
    while not server.is_ready and time.monotonic() < deadline:
        time.sleep(0.01)
    sys.stdout.write(json.dumps(server.announcement.as_dict()) + "\n")
    sys.stdout.flush()


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="connectwise-sandbox",
        description="A ConnectWise PSA with generated books, for tests and demonstrations. "
        "Prints one JSON line (base_url, company_id, public_key, private_key, client_id, "
        "admin_url, with --tls certificate_path) when it is ready, and serves until Ctrl-C. "
        "GET /_sandbox lists the commands that edit its data, GET /_sandbox/switches the "
        "switches; README.md explains both.",
    )
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one (%(default)s)")
    parser.add_argument(
        "--tls",
        action="store_true",
        help="serve https with a certificate of its own; the line names its file",
    )
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
