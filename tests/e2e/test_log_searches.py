"""Each search that the runbook names finds its line in the logs of the running system."""

from __future__ import annotations

import json
import re
import shlex

import httpx
import pytest

from infra.config import LOCAL, PROJECT_ROOT
from infra.local.demo.clients import BridgeApi
from infra.local.demo.scene import Scene
from infra.local.patience import PATIENCE_SECONDS, eventually
from infra.log_search import FUNCTIONS, search

RUNBOOK = (PROJECT_ROOT / "docs/runbook.md").read_text()
_COMMAND = re.compile(r"make logs STAGE=prod (FIND='[^']+'(?: [A-Z]+=\w+)*)")
COMMANDS = tuple(dict.fromkeys(_COMMAND.findall(RUNBOOK)))


@pytest.fixture(scope="module")
def names(scene: Scene) -> dict[str, str]:
    """What stands for the names in pointed brackets, after each of them was the cause of a line."""
    request_id = _refused_request(scene.bridge, scene.connection_id)
    _unreachable_site(scene)
    _forged_callback(scene)
    _unreadable_message(scene)
    payment = _paid_invoice(scene)
    return {
        "connection": scene.connection_id,
        "partner": scene.bridge.get("/v1/me")["partner_id"],
        "request": request_id,
        **payment,
    }


def _refused_request(bridge: BridgeApi, connection_id: str) -> str:
    """Ask for what nobody may change; return the request's id as the caller sees it."""
    answer = bridge.answer("POST", f"/v1/connections/{connection_id}-gone/verify")
    assert answer.status_code == httpx.codes.NOT_FOUND
    return str(answer.json()["instance"]).rpartition(":")[2]


def _unreachable_site(scene: Scene) -> None:
    access = scene.system.sandbox
    body = {
        "company_id": access.company_id,
        "public_key": access.public_key,
        "private_key": access.private_key,
        "site_url": "http://localhost:9",
    }
    answer = scene.bridge.answer("POST", "/v1/connections", body=body)
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE


def _forged_callback(scene: Scene) -> None:
    url = f"{scene.system.api_url}/webhooks/connectwise/{scene.connection_id}/not-the-secret"
    answer = httpx.post(url, json={"ID": 1}, timeout=PATIENCE_SECONDS)
    assert answer.status_code == httpx.codes.NOT_FOUND


def _unreadable_message(scene: Scene) -> None:
    queue = scene.system.queue_url("pdfs")
    body = json.dumps({"connection_id": scene.connection_id})
    scene.system.client("sqs").send_message(QueueUrl=queue, MessageBody=body, MessageGroupId="odd")


def _paid_invoice(scene: Scene) -> dict[str, str]:
    """Collect a payment, and wait until ConnectWise shows it."""
    invoice = next(scene.bridge.items("/v1/invoices?state=open"))
    path = f"/v1/connections/{scene.connection_id}/payments/logged-1"
    services = BridgeApi(scene.system.api_url, scene.system.service_token())
    body = {
        "amount_minor": 100,
        "currency": invoice["total"]["currency"],
        "method": "card",
        "received_on": "2026-03-02",
        "state": "settled",
        "allocations": [{"invoice_id": invoice["id"], "amount_minor": 100}],
    }
    services.call("PUT", path, expect=httpx.codes.CREATED, body=body)
    services.wait_for(path, lambda found: found["write_backs"][0]["state"] == "confirmed")
    services.close()
    source_id = invoice["id"].rpartition("-")[2]
    return {"write-back": f"logged-1.{source_id}", "invoice": source_id}


def test_the_runbook_names_searches() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_a_search_of_the_runbook_finds_its_line(
    scene: Scene, names: dict[str, str], command: str
) -> None:
    settings = dict(part.split("=", 1) for part in shlex.split(command))
    texts = [
        re.sub(r"<([^>]+)>", lambda found: names[found[1]], text)
        for text in shlex.split(settings["FIND"])
    ]
    functions = [settings["FUNCTION"]] if "FUNCTION" in settings else FUNCTIONS
    logs = scene.system.client("logs")
    # A function's lines reach the log when its invocation ends.
    assert eventually(lambda: bool(search(logs, LOCAL, texts, functions=functions)))
