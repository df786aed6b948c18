"""The queues send to SQS, in batches.

A message names its partner as message group: SQS keeps one group's flood from delaying the others
(fair queues).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.aws.errors import translated
from bridge.aws.messages import (
    write_hint,
    write_job,
    write_key_request,
    write_pdf_request,
    write_run,
    write_tick,
    write_write_back,
)
from bridge.aws_calls import attempts
from bridge.domain.errors import InfrastructureError, InvalidInputError, PermanentError
from bridge.domain.work_messages import (
    LONGEST_DELAY_SECONDS,
    JobMessage,
    PdfRequest,
    RunMessage,
    SigningKeyRequest,
    TickMessage,
    WriteBackMessage,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from bridge.domain.hint import Hint
    from bridge.domain.run import Run
    from bridge.domain.write_back import WriteBack
    from bridge.ports import Clock

MAX_BATCH = 10


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An outgoing message is one that waits for its batch."""

    body: str
    group_id: str
    delay_seconds: int = 0


class SqsSender:
    """A sender sends to one queue. A message may arrive twice if SQS's answer was lost."""

    def __init__(self, client: SQSClient, queue_url: str, clock: Clock) -> None:
        self._client = client
        self._queue_url = queue_url
        self._clock = clock

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send all. Raises InfrastructureError if some were still refused after a few attempts."""
        for start in range(0, len(messages), MAX_BATCH):
            self._send_batch(list(messages[start : start + MAX_BATCH]))

    def _send_batch(self, batch: list[Outgoing]) -> None:
        left = {str(number): message for number, message in enumerate(batch)}
        for _ in attempts(self._clock):
            entries: list[Any] = [_entry(entry_id, message) for entry_id, message in left.items()]
            with translated("SQS"):
                answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            failed = answer.get("Failed", [])
            if any(entry["SenderFault"] for entry in failed):
                raise PermanentError("SQS refused a message")
            left = {entry["Id"]: left[entry["Id"]] for entry in failed}
            if not left:
                return
        raise InfrastructureError("SQS did not take all messages")


class SqsHintQueue:
    """A queue of hints fulfils :class:`bridge.ports.HintQueue`."""

    def __init__(self, sender: SqsSender) -> None:
        self._sender = sender

    def send(self, hints: Sequence[Hint], *, delay_seconds: int = 0) -> None:
        self._sender.send(
            [Outgoing(write_hint(hint), _group_of(hint), delay_seconds) for hint in hints]
        )


class SqsHintsAloneQueue:
    """The queue of hints that came again fulfils :class:`bridge.ports.HintsAloneQueue`."""

    def __init__(self, sender: SqsSender) -> None:
        self._sender = sender

    def move(self, hints: Sequence[Hint]) -> None:
        self._sender.send([Outgoing(write_hint(hint), _group_of(hint)) for hint in hints])


class SqsSigningKeyQueue:
    """The queue of hints fulfils :class:`bridge.ports.SigningKeyQueue`, too: one worker works both
    off."""

    def __init__(self, sender: SqsSender) -> None:
        self._sender = sender

    def send(self, request: SigningKeyRequest) -> None:
        self._sender.send([Outgoing(write_key_request(request), request.partner_id)])


class SqsRunQueue:
    """A queue of pages to do fulfils :class:`bridge.ports.RunQueue`."""

    def __init__(self, sender: SqsSender) -> None:
        self._sender = sender

    def send(self, run: Run, *, delay_seconds: int = 0, times_put_off: int = 0) -> None:
        message = RunMessage(run.connection_id, run.run_id, run.page_count, times_put_off)
        self._sender.send([Outgoing(write_run(message), run.partner_id, delay_seconds)])


class SqsPdfQueue:
    """A queue of PDFs to fetch fulfils :class:`bridge.ports.PdfQueue`."""

    def __init__(self, sender: SqsSender) -> None:
        self._sender = sender

    def send(
        self, requests: Sequence[PdfRequest], *, partner_id: str, delay_seconds: int = 0
    ) -> None:
        self._sender.send(
            [Outgoing(write_pdf_request(each), partner_id, delay_seconds) for each in requests]
        )


class SqsWriteBackQueue:
    """A queue of write-backs fulfils :class:`bridge.ports.WriteBackQueue`.

    Lease and versions of the ledger keep a write-back single, so messages may come doubled and in
    any order. A superfluous message costs a place for a moment and a read of the ledger.
    """

    def __init__(self, sender: SqsSender) -> None:
        self._sender = sender

    def send(
        self, write_back: WriteBack, *, delay_seconds: int = 0, times_put_off: int = 0
    ) -> None:
        message = WriteBackMessage(
            write_back.connection_id, write_back.write_back_id, times_put_off
        )
        self._sender.send(
            [Outgoing(write_write_back(message), write_back.partner_id, delay_seconds)]
        )


class SqsJobQueue:
    """A queue of jobs fulfils :class:`bridge.ports.JobQueue`."""

    def __init__(self, sender: SqsSender) -> None:
        self._sender = sender

    def send(self, planned: Sequence[tuple[JobMessage, int]]) -> None:
        self._sender.send(
            [
                Outgoing(write_job(message), message.partner_id, delay_seconds)
                for message, delay_seconds in planned
            ]
        )

    def go_on(self, message: TickMessage) -> None:
        self._sender.send([Outgoing(write_tick(message), "tick")])


def _group_of(hint: Hint) -> str:
    """Return the partner, or the connection of a hint that knows its connection alone."""
    return hint.partner_id or hint.connection_id


def _entry(entry_id: str, message: Outgoing) -> dict[str, Any]:
    if not 0 <= message.delay_seconds <= LONGEST_DELAY_SECONDS:
        raise InvalidInputError("delay is out of range", field="delay_seconds")
    entry: dict[str, Any] = {
        "Id": entry_id,
        "MessageBody": message.body,
        "MessageGroupId": message.group_id,
    }
    if message.delay_seconds:
        entry["DelaySeconds"] = message.delay_seconds
    return entry
