"""`make local`: keeps the whole system up until Ctrl-C."""

import signal
from typing import NoReturn

from infra.local.log_folder import log_folder
from infra.local.system import LocalSystem

PARTNER = "partner-1"


def main() -> NoReturn:
    """Start everything and print how to reach it; a signal ends it (see `interrupts.py`)."""
    print("starting: embedded AWS, ConnectWise sandbox, both stacks ...", flush=True)
    with LocalSystem("local") as system:
        print(_description(system), flush=True)
        while True:
            signal.pause()


def _description(system: LocalSystem) -> str:
    sandbox = system.sandbox
    lines = {
        "API": system.api_url,
        "API description": f"{system.api_url}/openapi.json",
        "token of a partner's user": system.partner_token(PARTNER),
        "ConnectWise sandbox": sandbox.base_url,
        "  company id": sandbox.company_id,
        "  public key": sandbox.public_key,
        "  private key": sandbox.private_key,
        "embedded AWS": system.aws.url,
        "logs": str(log_folder()),
    }
    width = max(map(len, lines))
    table = "\n".join(f"{name:<{width}}  {value}" for name, value in lines.items())
    return f"{table}\nTokens last an hour. Ctrl-C ends everything."
