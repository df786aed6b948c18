"""`make local`: keeps the whole system up until Ctrl-C."""

import json
import signal
from typing import NoReturn

import httpx

from infra.config import LOCAL
from infra.local.log_folder import log_folder
from infra.local.patience import PATIENCE_SECONDS
from infra.local.system import LocalSystem

PARTNERS = ("partner-1", "partner-2")


def main() -> NoReturn:
    """Start everything and print how to reach it; a signal ends it (see `interrupts.py`)."""
    print("starting: embedded AWS, ConnectWise sandbox, both stacks ...", flush=True)
    with LocalSystem("local") as system:
        print(_description(system), flush=True)
        while True:
            signal.pause()


def _description(system: LocalSystem) -> str:
    tokens = {partner: system.partner_token(partner) for partner in PARTNERS}
    services = system.services_client()
    sandbox = system.sandbox
    user = system.new_user(PARTNERS[0])
    lines = {
        "page": system.page_url,
        f"  a user of {PARTNERS[0]}": user.email,
        "  password": user.password,
        "API": system.api_url,
        "API description": f"{system.api_url}/openapi.json",
        "web origins that may call it": ", ".join(LOCAL.dashboard_origins),
        **{f"token of a user of {partner}": token for partner, token in tokens.items()},
        "token of the platform's services": system.service_token(),
        "  token endpoint": system.token_endpoint,
        "  client id": services.client_id,
        "  client secret": services.client_secret,
        "ConnectWise sandbox": sandbox.base_url,
        "  company id": sandbox.company_id,
        "  public key": sandbox.public_key,
        "  private key": sandbox.private_key,
        "  its editing commands": f"{sandbox.base_url}/_sandbox",
        "embedded AWS": system.aws.url,
        "logs": str(log_folder()),
    }
    width = max(map(len, lines))
    table = "\n".join(f"{name:<{width}}  {value}" for name, value in lines.items())
    examples = "\n\n".join(
        f"{title}:\n{command}"
        for title, command in {
            f"Connect {PARTNERS[0]} to the sandbox": _connect(system, tokens[PARTNERS[0]]),
            "Bill an invoice in ConnectWise": _bill(system),
            "Get a new token for the platform's services": _get_token(system),
        }.items()
    )
    return f"{table}\n\n{examples}\n\nTokens last an hour. Ctrl-C ends everything."


def _connect(system: LocalSystem, token: str) -> str:
    sandbox = system.sandbox
    body = {
        "company_id": sandbox.company_id,
        "public_key": sandbox.public_key,
        "private_key": sandbox.private_key,
        "site_url": sandbox.base_url,
    }
    return (
        f"curl -X POST {system.api_url}/v1/connections -H 'Authorization: Bearer {token}' "
        f"-H 'Content-Type: application/json' -d '{json.dumps(body)}'"
    )


def _bill(system: LocalSystem) -> str:
    books = httpx.get(
        f"{system.sandbox.base_url}/_sandbox/truth", timeout=PATIENCE_SECONDS, trust_env=False
    ).json()
    body = {
        "company_id": books["companies"][0]["id"],
        "lines": [{"description": "Monthly service", "amount": "110.00"}],
    }
    return (
        f"curl -X POST {system.sandbox.base_url}/_sandbox/invoices "
        f"-H 'Content-Type: application/json' -d '{json.dumps(body)}'"
    )


def _get_token(system: LocalSystem) -> str:
    client = system.services_client()
    return (
        f"curl -u '{client.client_id}:{client.client_secret}' {system.token_endpoint} "
        f"-d grant_type=client_credentials -d scope={client.scope}"
    )
