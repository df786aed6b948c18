"""Where poison messages wait for an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsParkedQueue:
    """Keeps messages as they were, with the queue they came from as an attribute."""

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
