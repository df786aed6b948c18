"""Queues as this project makes them: encrypted, TLS only, with a stated retention."""

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.acknowledgement import PLAIN_HTTP, acknowledge

LONGEST_RETENTION_DAYS = 14


def protected_queue(
    scope: Construct,
    id_: str,
    *,
    stage: StageConfig,
    name: str,
    retention_days: int,
    visibility_seconds: int | None = None,
    dead_letters: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    """A queue that is encrypted at rest and, but for this machine, refuses plain HTTP.

    It is a standard one: messages may be delayed, and SQS is fair to the message groups that
    they name.
    """
    queue = sqs.Queue(
        scope,
        id_,
        queue_name=stage.resource_name(name),
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=stage.require_tls,
        retention_period=cdk.Duration.days(retention_days),
        visibility_timeout=(
            cdk.Duration.seconds(visibility_seconds) if visibility_seconds else None
        ),
        dead_letter_queue=dead_letters,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    if not stage.require_tls:
        acknowledge(queue, {"AwsSolutions-SQS4": PLAIN_HTTP})
    return queue


def last_stop_queue(
    scope: Construct, id_: str, *, stage: StageConfig, name: str, reason: str
) -> sqs.Queue:
    """A queue where messages end and wait for a person: it needs no dead letters of its own."""
    queue = protected_queue(
        scope, id_, stage=stage, name=name, retention_days=LONGEST_RETENTION_DAYS
    )
    acknowledge(queue, {"AwsSolutions-SQS3": reason, "Serverless-SQSRedrivePolicy": reason})
    return queue
