"""An SQS batch is read whole; messages that parse are worked on, and failed ones handed back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Generic, TypeVar

from bridge.aws.messages import (
    is_key_request,
    read_hint,
    read_job_or_tick,
    read_key_request,
    read_pdf_request,
    read_run,
    read_write_back,
)
from bridge.domain.hint import Hint
from bridge.domain.work_messages import (
    JobMessage,
    PdfRequest,
    RunMessage,
    SigningKeyRequest,
    TickMessage,
    WriteBackMessage,
)
from bridge.log_fields import log_fields

T = TypeVar("T")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SqsBatch(Generic[T]):
    """A batch keeps its parsed messages apart from unparsable ones.

    An unparsable message is handed back each time and so ends in the dead-letter queue, where it
    becomes a problem.
    """

    messages: Mapping[str, T]
    """The parsed messages by their SQS ids."""
    unparsable_ids: tuple[str, ...]
    """The SQS ids of the others."""

    @classmethod
    def read(cls, event: Mapping[str, Any], parse: Callable[[str], T]) -> SqsBatch[T]:
        """Parse the bodies of an SQS event; ``parse`` raises ValueError for a bad body."""
        messages: dict[str, T] = {}
        unparsable: list[str] = []
        for record in event["Records"]:
            try:
                messages[record["messageId"]] = parse(record["body"])
            except ValueError as error:
                # Its text is left out, as it may quote the body.
                _logger.error(  # noqa: TRY400 - a traceback would end with that text
                    "unparsable message",
                    extra={"message_id": record["messageId"], "error": type(error).__name__},
                )
                unparsable.append(record["messageId"])
        return cls(messages, tuple(unparsable))

    def reply(self, failed_ids: Iterable[str] = ()) -> dict[str, Any]:
        """Return the partial batch response that has SQS repeat just these messages."""
        return {
            "batchItemFailures": [
                {"itemIdentifier": message_id} for message_id in (*self.unparsable_ids, *failed_ids)
            ]
        }

    def work_each(self, work: Callable[[T], None]) -> dict[str, Any]:
        """Do the work message by message; one that fails is repeated, the others are done."""
        failed: list[str] = []
        for message_id, message in self.messages.items():
            with log_fields(message_id=message_id, **ids_of(message)):
                try:
                    work(message)
                except Exception:
                    # The boundary of one record of a batch: the queue counts and parks repeats.
                    _logger.exception("message failed")
                    failed.append(message_id)
                else:
                    _logger.info("message done")
        return self.reply(failed)


def ids_of(message: object) -> dict[str, str]:
    """Return the ids that a message consists of, for the lines about it."""
    if not is_dataclass(message) or isinstance(message, type):
        return {}
    return {
        each.name: str(getattr(message, each.name))
        for each in fields(message)
        if each.name.endswith("_id")
    }


def hints_in(event: Mapping[str, Any]) -> SqsBatch[Hint]:
    """Read the hints of a batch of the queue ``hints``, and its unreadable messages."""
    return SqsBatch.read(_of_kind(event, is_for_key=False), read_hint)


def key_requests_in(event: Mapping[str, Any]) -> SqsBatch[SigningKeyRequest]:
    """Read the requests for signing keys of a batch of the queue ``hints``."""
    return SqsBatch.read(_of_kind(event, is_for_key=True), read_key_request)


def _of_kind(event: Mapping[str, Any], *, is_for_key: bool) -> Mapping[str, Any]:
    records = event["Records"]
    return {"Records": [each for each in records if is_key_request(each["body"]) is is_for_key]}


def joined(*replies: Mapping[str, Any]) -> dict[str, Any]:
    """Return one reply for a batch whose messages were worked on in several ways."""
    return {"batchItemFailures": [each for reply in replies for each in reply["batchItemFailures"]]}


def run_messages_in(event: Mapping[str, Any]) -> SqsBatch[RunMessage]:
    """Read a batch of the queue ``run-steps``."""
    return SqsBatch.read(event, read_run)


def pdf_requests_in(event: Mapping[str, Any]) -> SqsBatch[PdfRequest]:
    """Read a batch of the queue ``pdfs``."""
    return SqsBatch.read(event, read_pdf_request)


def write_back_messages_in(event: Mapping[str, Any]) -> SqsBatch[WriteBackMessage]:
    """Read a batch of the queue ``writebacks``."""
    return SqsBatch.read(event, read_write_back)


def jobs_in(event: Mapping[str, Any]) -> SqsBatch[JobMessage | TickMessage]:
    """Read a batch of the queue ``jobs``; a job learns whether a worker failed at it before."""
    batch = SqsBatch.read(event, read_job_or_tick)
    repeated = {each["messageId"] for each in event["Records"] if _receives(each) > 1}
    messages = {
        message_id: replace(message, is_repeated=True)
        if message_id in repeated and isinstance(message, JobMessage)
        else message
        for message_id, message in batch.messages.items()
    }
    return SqsBatch(messages, batch.unparsable_ids)


def _receives(record: Mapping[str, Any]) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])
