"""`make redrive STAGE=dev`: sends parked messages back to the queues they failed in.

To be run by an operator once the cause is mended. A message is sent before it is removed from the
parked queue, so an interruption can repeat it and never lose it; workers expect repetition.
"""

import argparse
from collections import Counter
from typing import TYPE_CHECKING

import boto3

from infra.config import STAGES, StageConfig, stage_config

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

PARKED = "parked"
SOURCE_ATTRIBUTE = "source"
DEAD_SUFFIX = "-dead"
ORDERED_SUFFIX = ".fifo"
"""The queue of write-backs was ordered in version 0.1.0, whose parked messages name it so."""

_BATCH = 10  # the most that SQS hands out at once
_HIDDEN_SECONDS = 60
_DEFAULT_LIMIT = 1000


def redrive(sqs: "SQSClient", stage: StageConfig, *, limit: int = _DEFAULT_LIMIT) -> Counter[str]:
    """Send at most `limit` parked messages back; returns how many, by queue.

    A message that does not say which queue of this stage it comes from stays parked and is
    counted under the empty name.
    """
    parked_url = sqs.get_queue_url(QueueName=stage.resource_name(PARKED))["QueueUrl"]
    moved: Counter[str] = Counter()
    while moved.total() < limit:
        answer = sqs.receive_message(
            QueueUrl=parked_url,
            MaxNumberOfMessages=min(_BATCH, limit - moved.total()),
            MessageAttributeNames=[SOURCE_ATTRIBUTE],
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=1,
        )
        messages = answer.get("Messages", [])
        if not messages:
            break
        for message in messages:
            moved[_send_back(sqs, stage, parked_url, message)] += 1
    return moved


def _send_back(
    sqs: "SQSClient", stage: StageConfig, parked_url: str, message: "MessageTypeDef"
) -> str:
    attributes = message.get("MessageAttributes") or {}
    source = attributes[SOURCE_ATTRIBUTE]["StringValue"] if SOURCE_ATTRIBUTE in attributes else ""
    queue = _queue_of(source)
    if not queue.startswith(stage.resource_name("")):
        return ""
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=message["Body"])
    sqs.delete_message(QueueUrl=parked_url, ReceiptHandle=message["ReceiptHandle"])
    return queue


def _queue_of(dead_letters: str) -> str:
    """The queue that dead letters are of, by their names; empty for any other name."""
    name = dead_letters.removesuffix(ORDERED_SUFFIX)
    return name.removesuffix(DEAD_SUFFIX) if name.endswith(DEAD_SUFFIX) else ""


def main() -> None:
    """Redrive the stage named on the command line, with the credentials of the environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True, choices=sorted(STAGES))
    parser.add_argument("--limit", type=int, default=_DEFAULT_LIMIT)
    arguments = parser.parse_args()
    moved = redrive(boto3.client("sqs"), stage_config(arguments.stage), limit=arguments.limit)
    for queue, count in sorted(moved.items()):
        print(f"{count} to {queue}" if queue else f"{count} stayed: they name no queue")
    if not moved:
        print("nothing is parked")


if __name__ == "__main__":
    main()
