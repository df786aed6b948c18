"""The stacks, deployed to the embedded AWS: what starts a function starts it, and no more."""

import io
import json
import zipfile
from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from bridge.aws.clock import SystemClock
from bridge.domain.identity import mirrored_id, new_id
from bridge.domain.platform_payment import Allocation
from bridge.domain.write_back import Reason, WriteBack
from bridge.store.keys import SYNCING_PK
from bridge.store.table import Table
from infra.config import LOCAL
from infra.local.patience import PATIENCE_SECONDS, eventually
from infra.local.system import LocalSystem, SandboxSize
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.fakes.histories import ReadableDynamoLedger

pytestmark = pytest.mark.xdist_group("local-system")

# Put in place of a function's code, this tells what the function's role allows.
PROBE = """
import boto3
from botocore.exceptions import ClientError

def lambda_handler(event, context):
    client = boto3.client(event["service"])
    try:
        getattr(client, event["call"])(**event["arguments"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
"""
ITEM = {"pk": {"S": "probe"}, "sk": {"S": "probe"}}
TABLES = ("records", "operations", "coordination", "callbacks")
# The partition that names all connections that are kept in step.
EVERY_CONNECTION = {
    "KeyConditionExpression": "pk = :pk",
    "ExpressionAttributeValues": {":pk": {"S": SYNCING_PK}},
}


@pytest.fixture(scope="module")
def system() -> Iterator[LocalSystem]:
    with LocalSystem("test-infra", sandbox=SandboxSize(customers=2, invoices=2)) as running:
        yield running


def status(system: LocalSystem, method: str, path: str, token: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.request(method, system.api_url + path, headers=headers, timeout=PATIENCE_SECONDS)
    return answer.status_code


def runs_of(system: LocalSystem, function: str) -> int:
    return sum(line.startswith("START ") for line in system.function_log(function))


def waiting(system: LocalSystem, queue: str) -> int:
    attribute = "ApproximateNumberOfMessages"
    answer = system.client("sqs").get_queue_attributes(
        QueueUrl=system.queue_url(queue), AttributeNames=[attribute]
    )
    return int(answer["Attributes"][attribute])


def test_the_api_answers_at_the_address_that_the_stack_tells(system: LocalSystem) -> None:
    assert status(system, "GET", "/openapi.json") == HTTPStatus.OK


def test_a_request_without_a_token_of_ours_reaches_no_function(system: LocalSystem) -> None:
    header, payload, signature = system.partner_token("p-1").split(".")
    forged = ".".join((header, payload, signature[::-1]))
    for token in (None, "nonsense", forged):
        assert status(system, "GET", "/v1/connections", token) == HTTPStatus.UNAUTHORIZED


def test_tokens_of_partners_and_of_services_are_let_through(system: LocalSystem) -> None:
    assert status(system, "GET", "/v1/connections", system.partner_token("p-1")) == HTTPStatus.OK
    # A service is known, but it is no partner: the function itself says no.
    answer = status(system, "GET", "/v1/connections", system.service_token())
    assert answer == HTTPStatus.FORBIDDEN


def test_only_a_service_with_the_scope_reaches_the_routes_of_payments(
    system: LocalSystem,
) -> None:
    payment = f"/v1/connections/{new_id()}/payments/pay-1"
    for method, path in (("PUT", payment), ("GET", payment), ("POST", f"{payment}/settle")):
        assert status(system, method, path) == HTTPStatus.UNAUTHORIZED
        answer = status(system, method, path, system.partner_token("p-1"))
        assert answer == HTTPStatus.FORBIDDEN
    # The function itself says that there is no such connection.
    assert status(system, "GET", payment, system.service_token()) == HTTPStatus.NOT_FOUND


def test_a_schedule_starts_its_function(system: LocalSystem) -> None:
    before = runs_of(system, "customer_sync")
    system.fire_schedule("customers-0")
    assert eventually(lambda: runs_of(system, "customer_sync") > before)


@pytest.mark.parametrize("table", ["RecordsTable", "OperationsTable", "LedgerTable"])
def test_a_change_of_a_table_starts_the_publisher(table: str, system: LocalSystem) -> None:
    before = runs_of(system, "event_publisher")
    system.client("dynamodb").put_item(TableName=system.outputs.data[table], Item=ITEM)
    assert eventually(lambda: runs_of(system, "event_publisher") > before)


@pytest.mark.parametrize("queue", ["pdfs", "writebacks"])
def test_a_message_that_nobody_can_read_ends_parked(queue: str, system: LocalSystem) -> None:
    before = waiting(system, "parked")
    system.hasten_redelivery(queue, visibility_seconds=1)
    system.client("sqs").send_message(
        QueueUrl=system.queue_url(queue), MessageBody=json.dumps({"poison": True})
    )
    assert eventually(lambda: waiting(system, "parked") > before)


def test_a_write_back_whose_message_got_lost_is_found_by_its_time(system: LocalSystem) -> None:
    # Given a recorded payment that no message tells of
    table = system.outputs.data["LedgerTable"]
    clock = SystemClock()
    ledger = ReadableDynamoLedger(
        Table(system.client("dynamodb"), table, clock), clock, written_by="test"
    )
    connection_id = new_id()
    payment = a_platform_payment(
        new_id(), allocations=(Allocation(mirrored_id(connection_id, 1), 11000),)
    )
    (write_back,) = write_backs_for(payment)
    ledger.record(payment, [write_back])

    def stored() -> WriteBack | None:
        return ledger.get_write_back(connection_id, write_back.write_back_id).value

    # When the schedule looks for what is due
    system.fire_schedule("due-write-backs")

    # Then a worker has looked at it: there is no such connection, so it waits for a person
    def is_shown() -> bool:
        now = stored()
        return now is not None and now.reason is Reason.DISCONNECTED

    assert eventually(is_shown)
    history = ledger.write_back_history(connection_id, write_back.write_back_id, limit=5)
    assert [entry.written_by for entry in history] == ["payment_writeback", "test"]


@pytest.mark.parametrize(
    ("service", "call", "arguments", "answer"),
    [
        ("dynamodb", "get_item", {"TableName": "operations", "Key": ITEM}, "allowed"),
        ("dynamodb", "put_item", {"TableName": "operations", "Item": ITEM}, "denied"),
        ("dynamodb", "delete_item", {"TableName": "operations", "Key": ITEM}, "denied"),
        ("dynamodb", "get_item", {"TableName": "records", "Key": ITEM}, "denied"),
        ("dynamodb", "query", {"TableName": "operations", **EVERY_CONNECTION}, "denied"),
        ("dynamodb", "query", {"TableName": "callbacks", **EVERY_CONNECTION}, "denied"),
        ("dynamodb", "put_item", {"TableName": "callbacks", "Item": ITEM}, "allowed"),
        ("dynamodb", "delete_item", {"TableName": "callbacks", "Key": ITEM}, "denied"),
        ("dynamodb", "scan", {"TableName": "callbacks"}, "denied"),
        ("dynamodb", "put_item", {"TableName": "coordination", "Item": ITEM}, "denied"),
        ("secretsmanager", "list_secrets", {}, "denied"),
        ("secretsmanager", "create_secret", {"Name": "bridge/local/connections/x"}, "denied"),
        ("secretsmanager", "get_secret_value", {"SecretId": "a connection's"}, "denied"),
        ("secretsmanager", "get_secret_value", {"SecretId": "client-id"}, "allowed"),
    ],
)
def test_a_function_is_held_to_its_role(
    system: LocalSystem, service: str, call: str, arguments: dict[str, object], answer: str
) -> None:
    names = {
        "a connection's": system.client("secretsmanager").create_secret(
            Name=f"bridge/local/connections/{new_id()}", SecretString="{}"
        )["Name"],
        "client-id": system.outputs.data["ConnectWiseClientIdSecret"],
        **{name: LOCAL.resource_name(name) for name in TABLES},
    }
    named = {k: names.get(v, v) if isinstance(v, str) else v for k, v in arguments.items()}
    told = probe(system, {"service": service, "call": call, "arguments": named})
    assert ("denied" if "AccessDenied" in told else told) == answer


def probe(system: LocalSystem, question: dict[str, object]) -> str:
    """Ask with the role of the receiver, whose own code nothing else here needs."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("webhook_receiver/handler.py", PROBE)
    lambda_client = system.client("lambda")
    function = LOCAL.resource_name("webhook_receiver")
    lambda_client.update_function_code(FunctionName=function, ZipFile=archive.getvalue())
    answer = lambda_client.invoke(FunctionName=function, Payload=json.dumps(question))
    return str(json.load(answer["Payload"]))
