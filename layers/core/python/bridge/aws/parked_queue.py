"""The parked queue keeps messages that keep failing, until an operator looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsParkedQueue:
    """The queue keeps each message as it was, with its former queue as an attribute."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, body: str, *, source: str) -> None:
        with translated("SQS"):
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=body,
                MessageAttributes={"source": {"DataType": "String", "StringValue": source}},
            )
