"""This module makes boto3's low-level clients when they are first needed, with limits on waiting.

boto3 is imported with the first client, so an invocation that works without one starts sooner.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

CONNECT_SECONDS = 2
READ_SECONDS = 5
MAX_ATTEMPTS = 3
_MAX_CONNECTIONS = 10
_session_lock = threading.Lock()


@cache
def dynamodb_client() -> DynamoDBClient:
    client: DynamoDBClient = _client("dynamodb")
    return client


@cache
def sqs_client() -> SQSClient:
    client: SQSClient = _client("sqs")
    return client


@cache
def secrets_client() -> SecretsManagerClient:
    client: SecretsManagerClient = _client("secretsmanager")
    return client


@cache
def s3_client() -> S3Client:
    """Return a client that signs with version 4, as links with response headers need."""
    client: S3Client = _client("s3", signature_version="s3v4")
    return client


@cache
def events_client() -> EventBridgeClient:
    client: EventBridgeClient = _client("events")
    return client


def client_config(signature_version: str | None = None) -> Config:
    from botocore.config import Config  # noqa: PLC0415  # imported when first needed

    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
        max_pool_connections=_MAX_CONNECTIONS,
        signature_version=signature_version,
    )


def _client(service: str, *, signature_version: str | None = None) -> Any:
    import boto3  # noqa: PLC0415  # imported when first needed

    # A client serves all threads; boto3's session, which makes it, serves one at a time.
    with _session_lock:
        return boto3.client(service, config=client_config(signature_version))  # type: ignore[call-overload]  # the name is a variable
