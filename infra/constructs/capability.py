"""What a function may use: each capability is a setting together with the IAM it needs.

A function's environment and its role are made from the same list, so a function can do what its
settings name and nothing else. Statements are written by hand: CDK's `grant_*` methods hand out
wildcards and more actions than the code calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

# AWS asks for SendMessage only; the embedded AWS asks for the batch by its own name.
_SEND = ("sqs:SendMessage", "sqs:SendMessageBatch")
_TABLE_READ = ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query")
_TABLE_WRITE = (
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
)


@dataclass(frozen=True)
class Capability:
    """Settings that name a resource, the statements that allow its use, and accepted wildcards.

    `wildcards` maps a resource pattern to the reason why it cannot be named exactly; nothing
    else may contain a `*`.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    statements: tuple[iam.PolicyStatement, ...] = ()
    wildcards: Mapping[str, str] = field(default_factory=dict)


def setting(name: str, value: str) -> Capability:
    """A plain value that needs no permission."""
    return Capability(settings={name: value})


def read_table(name: str, table: dynamodb.ITable, *, indexes: tuple[str, ...]) -> Capability:
    """Read items and query the table and its indexes. Never a scan."""
    return Capability(
        settings={name: table.table_name},
        statements=(_table_statement(table, indexes, _TABLE_READ),),
    )


def write_table(name: str, table: dynamodb.ITable, *, indexes: tuple[str, ...]) -> Capability:
    """Read and change items, in transactions too. Never a scan, never the table itself."""
    return Capability(
        settings={name: table.table_name},
        statements=(
            _table_statement(table, indexes, _TABLE_READ),
            _allow(_TABLE_WRITE, table.table_arn),
        ),
    )


def send_to(name: str, queue: sqs.IQueue) -> Capability:
    """Send messages to the queue (a batch is the same permission)."""
    return Capability(
        settings={name: queue.queue_url},
        statements=(_allow(_SEND, queue.queue_arn),),
    )


def consume(queue: sqs.IQueue) -> Capability:
    """Receive from the queue through an event source mapping, and postpone a message."""
    actions = (
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
    )
    return Capability(statements=(_allow(actions, queue.queue_arn),))


def read_stream(table: dynamodb.ITable, table_name: str) -> Capability:
    """Read the table's stream through an event source mapping.

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
    """Put events on the bus."""
    return Capability(
        settings={name: bus.event_bus_name},
        statements=(_allow(("events:PutEvents",), bus.event_bus_arn),),
    )


def store_documents(name: str, bucket: s3.IBucket, objects_pattern: str) -> Capability:
    """Write and read documents, for the function that fetches them."""
    return _documents(name, bucket, objects_pattern, ("s3:PutObject", "s3:GetObject"))


def read_documents(name: str, bucket: s3.IBucket, objects_pattern: str) -> Capability:
    """Read documents: a presigned download may do what the function that signs it may do."""
    return _documents(name, bucket, objects_pattern, ("s3:GetObject",))


def read_secret(name: str, secret_name: str) -> Capability:
    """Read the value of one secret: its ARN is its name and six characters that AWS adds."""
    return Capability(
        settings={name: secret_name},
        statements=(
            _allow(("secretsmanager:GetSecretValue",), _secret_arn(f"{secret_name}-??????")),
        ),
    )


def read_connection_secrets(name: str, prefix: str) -> Capability:
    """Read the keys of any connection of the stage."""
    return _connection_secrets(name, prefix, ("secretsmanager:GetSecretValue",))


def manage_connection_secrets(name: str, prefix: str) -> Capability:
    """Create, replace, read, delete and restore the keys of connections, for their API."""
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


def _table_statement(
    table: dynamodb.ITable, indexes: tuple[str, ...], actions: tuple[str, ...]
) -> iam.PolicyStatement:
    index_arns = [f"{table.table_arn}/index/{index}" for index in indexes]
    return _allow(actions, table.table_arn, *index_arns)


def _allow(actions: tuple[str, ...], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
