"""The layer holds all that functions import, at their start or later, and little besides."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.aws.messages import write_hint, write_pdf_request, write_run, write_write_back
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.work_messages import PdfRequest, RunMessage, WriteBackMessage
from infra.bundling import FUNCTIONS
from infra.unused_parts import (
    UNUSED_PACKAGES,
    UNUSED_PARTS,
    UnknownPartError,
    leave_out_unused_parts,
)
from tests.infra.bare_interpreter import NAMES, RUNTIME_PACKAGES, BareInterpreter

pytestmark = pytest.mark.xdist_group("packaging")

CONNECTION = "0192f0c4-0000-7000-8000-000000000001"
CLAIMS = {"token_use": "id", "custom:partner_id": "partner-1", "sub": "user-1"}

# Modules of the layer that name a part which is left out, and how they go on.
GO_ON = {
    # They try to import it, and have no asynchronous client, or no command line.
    ("httpcore._backends.anyio", "anyio"),
    ("httpcore._synchronization", "anyio"),
    ("httpx", "httpx._main"),
    # They import it on a demand that we never make: to serve a web page, to map letters outside
    # ASCII, to read a class of pydantic's first version.
    (
        "aws_lambda_powertools.event_handler.api_gateway",
        "aws_lambda_powertools.event_handler.openapi.swagger_ui",
    ),
    ("idna.core", "idna.uts46data"),
    ("pydantic._internal._generate_schema", "pydantic.v1"),
    # It starts the command line.
    ("idna.__main__", "idna.cli"),
}


def test_what_is_left_out_is_gone(bare: BareInterpreter) -> None:
    for part in (*UNUSED_PACKAGES, *UNUSED_PARTS):
        assert not (bare.dependencies / part).exists()
    assert not list(bare.dependencies.rglob("*.dist-info"))


def test_a_part_that_the_packages_lack_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownPartError):
        leave_out_unused_parts(tmp_path)


def test_no_other_module_of_the_layer_names_a_part_that_is_left_out(
    bare: BareInterpreter,
) -> None:
    parts = {part.removesuffix(".py").replace("/", ".") for part in UNUSED_PARTS}
    left_out = (parts | set(UNUSED_PACKAGES)) - set(RUNTIME_PACKAGES)
    found = {
        (importer, part)
        for path in bare.dependencies.rglob("*.py")
        for importer, imported in _imports(path, bare.dependencies)
        for part in left_out
        if f"{imported}.".startswith(f"{part}.")
    }
    assert found == GO_ON


def test_everything_that_our_code_imports_is_there(bare: BareInterpreter) -> None:
    """Imports inside functions count too, which no start runs."""
    ours = {
        imported
        for root in (bare.core, FUNCTIONS)
        for path in root.rglob("*.py")
        for _, imported in _imports(path, root)
        if not imported.startswith(("mypy_boto3", "botocore.config"))
    }
    bare.run(
        "import importlib, importlib.util\n"
        f"for name in {sorted(ours)}:\n"
        "    module, _, member = name.rpartition('.')\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except ModuleNotFoundError:\n"
        "        getattr(importlib.import_module(module), member)\n"
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_function_meets_no_missing_part(name: str, bare: BareInterpreter) -> None:
    """AWS refuses each call, so the event goes as far as the first call and its failure."""
    said = bare.run(f"""
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from bridge.domain.errors import BridgeError


class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "a-name"

    def get_remaining_time_in_millis(self):
        return 30_000


def refuse(client, operation, arguments):
    answer = {{"Error": {{"Code": "AccessDeniedException"}}}}
    raise ClientError(answer | {{"ResponseMetadata": {{"HTTPStatusCode": 400}}}}, operation)


BaseClient._make_api_call = refuse
from {name}.handler import lambda_handler
for event in {EVENTS[name]!r}:
    try:
        print(lambda_handler(event, Context()))
    except BridgeError as error:
        print(type(error).__name__)
""")
    assert said.strip()
    assert "ModuleNotFoundError" not in said
    assert "ImportError" not in said


def test_connectwise_is_called_and_its_answer_read_with_the_layers_alone(
    bare: BareInterpreter,
) -> None:
    said = bare.run("""
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx

from bridge.connectwise.egress import GuardedTransport
from bridge.connectwise.wire import PaymentRow, parse_row


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b'{"id": 7}')


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.handle_request).start()
transport = GuardedTransport(allow_loopback=True)
url = f"http://127.0.0.1:{server.server_port}/"
answer = transport.handle_request(httpx.Request("GET", url))
print(answer.status_code, answer.read())
server.server_close()
transport.close()
""")
    assert said == "200 b'{\"id\": 7}'\n"


def _queue(body: str, queue: str = "bridge-prod-hints-dead") -> dict[str, Any]:
    """Return an event of SQS with one message."""
    return {
        "Records": [
            {
                "messageId": "message-1",
                "body": body,
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{queue}",
                "attributes": {"SentTimestamp": "1772000000000", "ApproximateReceiveCount": "1"},
            }
        ]
    }


def _request(method: str, path: str, body: str = "") -> dict[str, Any]:
    """Return an event of an HTTP API (payload 2.0)."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "pathParameters": {"connection_id": CONNECTION, "secret": "s"},
        "requestContext": {
            "requestId": "request-1",
            "stage": "$default",
            "authorizer": {"jwt": {"claims": CLAIMS}},
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


_HINT = write_hint(Hint(CONNECTION, RecordKind.INVOICE, 7, HintReason.CALLBACK, partner_id="p"))
EVENTS: dict[str, list[dict[str, Any]]] = {
    "webhook_receiver": [_request("POST", f"/webhooks/connectwise/{CONNECTION}/s", "{}")],
    "record_sync": [_queue("{"), _queue(_HINT)],
    "bulk_sync": [_queue("{"), _queue(write_run(RunMessage(CONNECTION, "run-1", 0)))],
    "invoice_pdf": [_queue("{"), _queue(write_pdf_request(PdfRequest(CONNECTION, "invoice-1")))],
    "payment_writeback": [
        *(_queue("{"), _queue(write_write_back(WriteBackMessage(CONNECTION, "write-back-1")))),
    ],
    "dead_letters": [_queue("{"), _queue(_HINT)],
    "customer_sync": [{"job": "customers", "at": "2026-03-02T09:00:00Z"}],
    "reconciler": [{"job": "due_write_backs"}],
    "event_publisher": [{"Records": []}],
    "manual_fetch": [
        _request("POST", f"/v1/connections/{CONNECTION}/fetches", json.dumps({"kind": "fetch_new"}))
    ],
    "dashboard_api": [
        _request("GET", "/openapi.json"),
        _request("POST", "/v1/connections", json.dumps({"name": 7})),
        _request("GET", "/v1/invoices"),
    ],
}


def _imports(path: Path, root: Path) -> Iterator[tuple[str, str]]:
    """Yield the module's name with the full name of each module or member that it imports.

    Imports for type checkers alone are left out.
    """
    parts = path.relative_to(root).with_suffix("").parts
    package = parts[:-1]
    module = ".".join(package if parts[-1] == "__init__" else parts)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _run_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((module, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join([*base, *filter(None, [node.module])])
            yield from ((module, f"{source}.{name.name}") for name in node.names)


def _run_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run, without the bodies of ``if TYPE_CHECKING``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _run_nodes(node)
