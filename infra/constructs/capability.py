"""A capability is a setting of a function together with the permissions that its use needs.

A function's environment and its role are made from the same list of capabilities. Statements are
written by hand, with exactly the actions that the function's code calls
(`tests/infra/test_policies.py` compares the two): CDK's `grant_*` methods hand out wildcards and
more actions than that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs


@dataclass(frozen=True)
class Capability:
    """A capability names a resource in a setting and allows a function to use it."""

    settings: Mapping[str, str] = field(default_factory=dict)
    statements: tuple[iam.PolicyStatement, ...] = ()
    wildcards: Mapping[str, str] = field(default_factory=dict)
    """For each resource pattern with a `*`, the reason why an exact name is impossible."""


def setting(name: str, value: str) -> Capability:
    """Give a function a plain value, which takes no permission."""
    return Capability(settings={name: value})


class ItemAction(StrEnum):
    """DynamoDB's names of what is done with items.

    A transaction takes the actions of its parts: puts, deletions and checks.
    """

    GET = "GetItem"
    GET_MANY = "BatchGetItem"
    QUERY = "Query"
    PUT = "PutItem"
    UPDATE = "UpdateItem"
    DELETE = "DeleteItem"
    CHECK = "ConditionCheckItem"


@dataclass(frozen=True)
class TableRights:
    """What may be done with a table's items, and which of its indexes may be queried."""

    actions: tuple[ItemAction, ...]
    indexes: tuple[str, ...] = ()


def use_table(name: str, table: dynamodb.ITable, rights: TableRights) -> Capability:
    """Allow these actions on items of the table, and queries of its indexes."""
    allowed = tuple(f"dynamodb:{action}" for action in rights.actions)
    of_indexes = [f"{table.table_arn}/index/{index}" for index in rights.indexes]
    return Capability(
        settings={name: table.table_name},
        statements=(
            _allow(allowed, table.table_arn),
            *([_allow(("dynamodb:Query",), *of_indexes)] if of_indexes else []),
        ),
    )


def send_to(name: str, queue: sqs.IQueue, *, in_batches: bool = True) -> Capability:
    """Allow sending messages to the queue.

    AWS takes a batch for `SendMessage`; the embedded AWS asks for it by its own name.
    """
    actions = ("sqs:SendMessage", "sqs:SendMessageBatch") if in_batches else ("sqs:SendMessage",)
    return Capability(
        settings={name: queue.queue_url}, statements=(_allow(actions, queue.queue_arn),)
    )


def consume(queue: sqs.IQueue) -> Capability:
    """Allow an event source mapping to receive the queue's messages, in the function's name."""
    actions = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    return Capability(statements=(_allow(actions, queue.queue_arn),))


def read_stream(table: dynamodb.ITable, table_name: str) -> Capability:
    """Allow an event source mapping to read the table's stream, in the function's name.

    The name is given as text, since a wildcard has to be spelled out to be accepted.
    """
    if table.table_stream_arn is None:
        raise ValueError(f"table {table_name} has no stream")
    actions = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
    streams = _arn("dynamodb", f"table/{table_name}/stream/*")
    return Capability(
        statements=(
            _allow(actions, table.table_stream_arn),
            _allow(("dynamodb:ListStreams",), streams),
        ),
        wildcards={streams: "Lambda lists the streams of the table, not one of them."},
    )


def publish_to(name: str, bus: events.IEventBus) -> Capability:
    """Allow putting events on the bus."""
    return Capability(
        settings={name: bus.event_bus_name},
        statements=(_allow(("events:PutEvents",), bus.event_bus_arn),),
    )


def store_documents(name: str, bucket: s3.IBucket, objects_pattern: str) -> Capability:
    """Allow writing and reading documents, for the function that fetches them."""
    return _documents(name, bucket, objects_pattern, ("s3:PutObject", "s3:GetObject"))


def read_documents(name: str, bucket: s3.IBucket, objects_pattern: str) -> Capability:
    """Allow reading documents: a presigned link can do as much as the function that signs it."""
    return _documents(name, bucket, objects_pattern, ("s3:GetObject",))


def read_secret(name: str, secret_name: str) -> Capability:
    """Allow reading one secret; its ARN is its name and six characters that AWS adds."""
    return Capability(
        settings={name: secret_name},
        statements=(
            _allow(("secretsmanager:GetSecretValue",), _secret_arn(f"{secret_name}-??????")),
        ),
    )


def read_connection_secrets(name: str, prefix: str) -> Capability:
    """Allow reading the keys of any connection of the stage."""
    return _connection_secrets(name, prefix, ("secretsmanager:GetSecretValue",))


def update_connection_secrets(name: str, prefix: str) -> Capability:
    """Allow reading the keys of any connection, and replacing those that are there."""
    actions = ("secretsmanager:PutSecretValue", "secretsmanager:GetSecretValue")
    return _connection_secrets(name, prefix, actions)


def manage_connection_secrets(name: str, prefix: str) -> Capability:
    """Allow creating, replacing, reading, deleting and restoring the keys of connections."""
    actions = (
        "secretsmanager:CreateSecret",
        "secretsmanager:PutSecretValue",
        "secretsmanager:GetSecretValue",
        "secretsmanager:DeleteSecret",
        "secretsmanager:RestoreSecret",
    )
    return _connection_secrets(name, prefix, actions)


def _documents(
    name: str, bucket: s3.IBucket, objects_pattern: str, actions: tuple[str, ...]
) -> Capability:
    return Capability(
        settings={name: bucket.bucket_name},
        statements=(
            _allow(actions, objects_pattern),
            # Without it S3 says "forbidden" of an object that is not there.
            _allow(("s3:ListBucket",), bucket.bucket_arn),
        ),
        wildcards={objects_pattern: "Every document has its own key, made when it is stored."},
    )


def _connection_secrets(name: str, prefix: str, actions: tuple[str, ...]) -> Capability:
    secrets = _secret_arn(f"{prefix}*")
    return Capability(
        settings={name: prefix},
        statements=(_allow(actions, secrets),),
        wildcards={secrets: "A connection's secret is created when a partner connects."},
    )


def _secret_arn(name_pattern: str) -> str:
    return _arn("secretsmanager", f"secret:{name_pattern}")


def _arn(service: str, resource: str) -> str:
    return f"arn:{cdk.Aws.PARTITION}:{service}:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:{resource}"


def _allow(actions: tuple[str, ...], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
