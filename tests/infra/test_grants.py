"""The roles allow exactly the actions that the adapters call: read from the adapters' sources."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bridge
from bridge.store.keys import Key
from bridge.store.table import Table, Write
from tests.fakes.clock import FakeClock
from tests.infra.templates import StageTemplates

pytestmark = pytest.mark.xdist_group("templates")

BRIDGE = Path(bridge.__file__).parent
STORE, AWS = BRIDGE / "store", BRIDGE / "aws"

# The adapters that lie on each table. `test_every_adapter_of_a_table_is_named` keeps it whole.
ADAPTERS = {
    "records": {"records"},
    "operations": {
        "callback_endpoints",
        "companies",
        "connections",
        "archivings",
        "payment_control",
        "problems",
        "runs",
    },
    "ledger": {"ledger"},
    "coordination": {"rate_limit", "signing_keys", "partner_places", "silences"},
}
QUEUES = {"parked": {"parked_queue"}, "hints": {"queues"}, "run-steps": {"queues"}}
QUEUES |= {"pdfs": {"queues"}, "writebacks": {"queues"}}

# The actions of each method of a client. A transaction takes the actions of its parts, which the
# adapters name by `Write`.
DYNAMODB_ACTIONS = {
    "get_item": {"dynamodb:GetItem"},
    "batch_get_item": {"dynamodb:BatchGetItem"},
    "query": {"dynamodb:Query"},
    "put_item": {"dynamodb:PutItem"},
    "update_item": {"dynamodb:UpdateItem"},
    "transact_write_items": set[str](),
}
OTHER_ACTIONS = {
    "send_message": {"sqs:SendMessage"},
    # AWS takes a batch for SendMessage; the embedded AWS asks for it by its own name.
    "send_message_batch": {"sqs:SendMessage", "sqs:SendMessageBatch"},
    "put_object": {"s3:PutObject"},
    # The right to list the bucket tells an absent object from a forbidden one.
    "head_object": {"s3:GetObject", "s3:ListBucket"},
    "generate_presigned_url": {"s3:GetObject"},
    "put_events": {"events:PutEvents"},
    "create_secret": {"secretsmanager:CreateSecret"},
    "put_secret_value": {"secretsmanager:PutSecretValue"},
    "get_secret_value": {"secretsmanager:GetSecretValue"},
    "delete_secret": {"secretsmanager:DeleteSecret"},
    "restore_secret": {"secretsmanager:RestoreSecret"},
}
# Lambda itself does these in the name of a function that a queue starts.
POLLING = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def methods_called(tree: ast.AST, receivers: set[str]) -> set[str]:
    """The methods that the code calls on `self._x` or `x`, for each `x` among the receivers."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=receiver), attr=method)):
                pass
            case ast.Call(func=ast.Attribute(value=ast.Name(id=receiver), attr=method)):
                pass
            case _:
                continue
        if receiver.removeprefix("_") in receivers:
            found.add(method)
    return found


def actions_of_table_methods() -> dict[str, set[str]]:
    """The actions of each method of `Table`, through the private methods that it calls."""
    (table,) = [
        node
        for node in parsed(STORE / "table.py").body
        if isinstance(node, ast.ClassDef) and node.name == "Table"
    ]
    methods = {node.name: node for node in table.body if isinstance(node, ast.FunctionDef)}

    def actions(name: str) -> set[str]:
        direct = (DYNAMODB_ACTIONS[each] for each in methods_called(methods[name], {"client"}))
        inner = methods_called(methods[name], {"self"}) & methods.keys()
        return set[str]().union(*direct, *map(actions, inner))

    return {name: actions(name) for name in methods if not name.startswith("_")}


def actions_of_writes(tree: ast.AST) -> Iterator[str]:
    """The action of each part of a transaction that the code makes."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="Write"), keywords=keywords):
                names = {keyword.arg for keyword in keywords}
                if "key" not in names:
                    yield "dynamodb:PutItem"
                elif "is_check" in names:
                    yield "dynamodb:ConditionCheckItem"
                else:
                    yield "dynamodb:DeleteItem"
            case ast.Call(func=ast.Name(id="map"), args=[ast.Name(id="Write"), *_]):
                yield "dynamodb:PutItem"


def helpers_called(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """The functions of other modules of the store that the code calls with its table."""
    origins = {
        alias.name: STORE / f"{node.module.rpartition('.')[2]}.py"
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bridge.store.")
        for alias in node.names
        if node.module
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Attribute(attr="_table"), *_]):
                for function in parsed(origins[name]).body:
                    if isinstance(function, ast.FunctionDef) and function.name == name:
                        yield function


def actions_on_table(adapters: Iterable[str]) -> set[str]:
    """The actions that the adapters do on their table."""
    of_methods = actions_of_table_methods()
    found = set[str]()
    for adapter in adapters:
        tree = parsed(STORE / f"{adapter}.py")
        for part in (tree, *helpers_called(tree)):
            found.update(*(of_methods[each] for each in methods_called(part, {"table"})))
        found.update(actions_of_writes(tree))
    return found


def actions_of_clients(modules: Iterable[Path]) -> set[str]:
    """The actions that modules outside the store call."""
    called = set[str]().union(*(methods_called(parsed(module), {"client"}) for module in modules))
    return set[str]().union(*(OTHER_ACTIONS[each] for each in called))


def granted(templates: StageTemplates, service: str) -> dict[str, set[str]]:
    """The actions of a service that functions are allowed, by resource."""
    found: dict[str, set[str]] = {}
    for function in templates.functions():
        for statement in templates.statements(function):
            for resource in statement.resources:
                actions = {each for each in statement.actions if each.startswith(f"{service}:")}
                if actions:
                    found.setdefault(resource, set()).update(actions)
    return found


@pytest.mark.parametrize("table", ADAPTERS)
def test_a_table_is_granted_as_its_adapters_use_it(table: str, any_stage: StageTemplates) -> None:
    found = granted(any_stage, "dynamodb")
    assert found[f"<{table}.Arn>"] == actions_on_table(ADAPTERS[table])
    of_indexes = [actions for name, actions in found.items() if f"<{table}.Arn>/index" in name]
    assert all(actions == {"dynamodb:Query"} for actions in of_indexes)


def test_every_adapter_of_a_table_is_named() -> None:
    on_a_table = {
        path.stem
        for path in STORE.glob("*.py")
        if any(
            isinstance(node, ast.Attribute) and node.attr == "_table"
            for node in ast.walk(parsed(path))
        )
    }
    assert on_a_table == set[str]().union(*ADAPTERS.values())


def test_only_the_table_reaches_dynamodbs_client() -> None:
    others = [path for path in STORE.glob("*.py") if path.stem != "table"]
    assert {path.stem for path in others if methods_called(parsed(path), {"client"})} == set()


def test_the_parts_of_a_transaction_are_of_three_kinds() -> None:
    """What `Write` means is told by the request that `Table` makes of it."""
    asked: list[dict[str, Any]] = []

    class Client:
        def transact_write_items(self, **request: Any) -> None:
            asked.extend(request["TransactItems"])

    client: Any = Client()
    key = Key("pk", "sk")
    writes = [Write({"pk": "pk", "sk": "sk"}), Write(key=key), Write(key=key, is_check=True)]
    Table(client, "table", FakeClock()).transact(writes)
    assert [kind for part in asked for kind in part] == ["Put", "Delete", "ConditionCheck"]


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_is_granted_as_its_adapter_uses_it(queue: str, any_stage: StageTemplates) -> None:
    called = actions_of_clients(AWS / f"{name}.py" for name in QUEUES[queue])
    assert granted(any_stage, "sqs")[f"<{queue}.Arn>"] - POLLING == called


@pytest.mark.parametrize("service", ["s3", "secretsmanager", "events", "sqs"])
def test_a_service_is_granted_as_the_adapters_use_it(
    service: str, any_stage: StageTemplates
) -> None:
    called = {
        action
        for action in actions_of_clients(AWS.glob("*.py"))
        if action.startswith(f"{service}:")
    }
    allowed = set[str]().union(*granted(any_stage, service).values())
    assert allowed - POLLING == called
