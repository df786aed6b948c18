"""The rights in AWS that a function's code needs, read from the calls that it may come to."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.store import keys
from infra.config import StageConfig
from tests.infra.call_graph import Construction, call_graph

Rights = dict[str, frozenset[str]]
"""Actions by resource."""

STORE, AWS = "bridge.store.", "bridge.aws."
TABLE = f"{STORE}table."

# The modules of the store that lie on each table; a test keeps it whole.
ADAPTERS = {
    "records": {"record_lists", "records", "search_backfill"},
    "operations": {
        "archivings",
        "companies",
        "connection_endpoints",
        "connections",
        "payment_control",
        "problems",
        "receivables",
        "runs",
    },
    "ledger": {"ledger"},
    "coordination": {"job_turns", "partner_places", "rate_limit", "read_marks", "silences"},
    "callbacks": {"callback_endpoints", "signing_keys"},
}
QUEUES = {
    "hints": ("queues.SqsHintQueue", "queues.SqsSigningKeyQueue"),
    "hints-alone": ("queues.SqsHintsAloneQueue",),
    "jobs": ("queues.SqsJobQueue",),
    "run-steps": ("queues.SqsRunQueue",),
    "pdfs": ("queues.SqsPdfQueue",),
    "writebacks": ("queues.SqsWriteBackQueue",),
    "parked": ("parked_queue.SqsParkedQueue",),
}
BUS = f"{AWS}events.EventBridgeBus."
DOCUMENTS = f"{AWS}documents.S3DocumentStore."
VAULT = f"{AWS}secret_vault.SecretsManagerVault."
CLIENT_ID = (f"{VAULT}get_client_id", f"{AWS}secret_vault.ClientIdSecret.")

SECRET = "arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:bridge"
BUCKET = "<AWS::AccountId>-<AWS::Region>"

# The action of each method of a client. A transaction takes the actions of its parts.
ACTIONS = {
    "get_item": {"dynamodb:GetItem"},
    "batch_get_item": {"dynamodb:BatchGetItem"},
    "put_item": {"dynamodb:PutItem"},
    "delete_item": {"dynamodb:DeleteItem"},
    "update_item": {"dynamodb:UpdateItem"},
    "transact_write_items": set[str](),
    "query": set[str](),  # by the ranges that are asked for
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
QUERY = "dynamodb:Query"


def needed(function: str, stage: StageConfig) -> Rights:
    """What the function's code does in AWS, by resource."""
    reached = call_graph().reached_from(function)
    found: Rights = {}
    for table, modules in ADAPTERS.items():
        used = _behind(reached, (f"{STORE}{module}." for module in modules), STORE)
        found[f"<{table}.Arn>"] = _actions(used)
        for index in _indexes(used):
            found[f"<{table}.Arn>/index/{index}"] = frozenset({QUERY})
    for queue, adapters in QUEUES.items():
        doors = [f"{AWS}{adapter}." for adapter in adapters]
        found[f"<{queue}.Arn>"] = _actions(_behind(reached, doors, AWS))
    found["<Bus.Arn>"] = _actions(_behind(reached, [BUS], AWS))
    found |= _on_secrets(reached, stage)
    found |= _on_documents(reached, stage)
    return {resource: actions for resource, actions in found.items() if actions}


def callers_outside_adapters() -> set[str]:
    """The code that calls a client of AWS and lies behind none of the adapters named here."""
    every = call_graph().names
    of_tables = (f"{STORE}{module}." for modules in ADAPTERS.values() for module in modules)
    of_queues = (f"{AWS}{adapter}." for adapters in QUEUES.values() for adapter in adapters)
    others = (*of_queues, BUS, DOCUMENTS, VAULT, *CLIENT_ID)
    named = _behind(every, of_tables, STORE) | _behind(every, others, AWS)
    calling = {name for name in every if call_graph().code(name).client_calls}
    return {name for name in calling - named if name.startswith((STORE, AWS))}


def _on_secrets(reached: frozenset[str], stage: StageConfig) -> Rights:
    of_connections = reached - set(CLIENT_ID)
    prefix = f"{SECRET}/{stage.name}"
    return {
        f"{prefix}/connectwise-client-id-??????": _actions(_behind(reached, CLIENT_ID, AWS)),
        f"{prefix}/connections/*": _actions(_behind(of_connections, [VAULT], AWS)),
    }


def _on_documents(reached: frozenset[str], stage: StageConfig) -> Rights:
    actions = _actions(_behind(reached, [DOCUMENTS], AWS))
    on_bucket = frozenset({"s3:ListBucket"})
    objects = f"arn:<AWS::Partition>:s3:::bridge-{stage.name}-documents-{BUCKET}/*"
    return {"<Documents.Arn>": actions & on_bucket, objects: actions - on_bucket}


def _behind(reached: frozenset[str], doors: Iterable[str], room: str) -> frozenset[str]:
    """The adapters' code that is reached through the public ones of these names."""
    public = {
        name
        for door in doors
        for name in reached
        if name.startswith(door) and not name.rpartition(".")[2].startswith("_")
    }
    return call_graph().inside(public, room)


def _actions(used: frozenset[str]) -> frozenset[str]:
    found = set[str]()
    for code in map(call_graph().code, used):
        for call in code.client_calls:
            found |= ACTIONS[call]
        for each in code.constructions:
            if each.class_name == f"{TABLE}Write":
                found.add(f"dynamodb:{_part_of_transaction(each)}")
            if each.class_name == f"{TABLE}Range" and not _names_index(each):
                found.add(QUERY)
    return frozenset(found)


def _part_of_transaction(write: Construction) -> str:
    if "key" not in write.keywords:
        return "PutItem"
    return "ConditionCheckItem" if "is_check" in write.keywords else "DeleteItem"


def _names_index(asked: Construction) -> bool:
    """Whether a `Range` has its fourth field, the index."""
    return asked.positional > 3 or "index" in asked.keywords


def _indexes(used: frozenset[str]) -> set[str]:
    named = {
        name.removeprefix(f"{STORE}keys.")
        for place in used
        if not place.startswith((TABLE, f"{STORE}keys"))  # which know them all
        for name in call_graph().code(place).references
    }
    return {getattr(keys, name) for name in named if name.endswith("_INDEX")}
