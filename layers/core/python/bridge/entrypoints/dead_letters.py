"""A poison message opens a problem and is then parked for an operator."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from bridge.aws.messages import (
    is_key_request,
    read_hint,
    read_job_or_tick,
    read_pdf_request,
    read_run,
    read_write_back,
)
from bridge.domain.errors import InvalidInputError
from bridge.domain.identity import is_platform_id
from bridge.domain.work_messages import JobMessage, TickMessage
from bridge.payments.failed_write_backs import FailedWriteBacks
from bridge.problems.failed_messages import FailedMessages

_logger = logging.getLogger(__name__)


class ParkedQueue(Protocol):
    def send(self, body: str, *, source: str) -> None:
        """Keep a message for an operator, with the name of the queue that it failed in."""
        ...


class DeadLetters:
    """Dead letters come from every worker's dead-letter queue, told apart by the queue's name."""

    def __init__(
        self, messages: FailedMessages, write_backs: FailedWriteBacks, parked: ParkedQueue
    ) -> None:
        self._messages = messages
        self._parked = parked
        self._open_problem: dict[str, Callable[[str], None]] = {
            "hints": partial(_park_hint, messages),
            "jobs": lambda body: _park_job(messages, read_job_or_tick(body)),
            "run-steps": lambda body: messages.park_run(read_run(body)),
            "pdfs": lambda body: messages.park_pdf(read_pdf_request(body)),
            "writebacks": partial(_park_write_back, write_backs),
        }

    def park(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Park each message; return the partial batch response, so that failed ones stay queued."""
        failed = []
        for record in event["Records"]:
            try:
                self._park_one(str(record["eventSourceARN"]), str(record["body"]))
            except Exception:
                # The boundary of one record of a batch: it stays in the dead-letter queue.
                _logger.exception("message not parked")
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    def _park_one(self, source_arn: str, body: str) -> None:
        queue = source_arn.rsplit(":", 1)[-1]
        for name, open_problem in self._open_problem.items():
            if name in queue:
                try:
                    open_problem(body)
                except (ValueError, InvalidInputError):
                    # It is unreadable, or names an impossible id.
                    _logger.warning("unreadable message parked", extra={"queue": queue})
                    self._park_unreadable(name, body)
        self._parked.send(body, source=queue)

    def _park_unreadable(self, queue: str, body: str) -> None:
        """Open a problem if the message at least names its connection."""
        try:
            content = json.loads(body)
        except ValueError:
            return
        connection_id = content.get("connection_id") if isinstance(content, dict) else None
        if isinstance(connection_id, str) and is_platform_id(connection_id):
            self._messages.park_unreadable(connection_id, queue)


def _park_hint(messages: FailedMessages, body: str) -> None:
    """Open the hint's problem. A request for a signing key is parked alone: ConnectWise repeats the
    callback, and the receiver asks anew."""
    if not is_key_request(body):
        messages.park_hint(read_hint(body))


def _park_write_back(parker: FailedWriteBacks, body: str) -> None:
    message = read_write_back(body)
    parker.park(message.connection_id, message.write_back_id)


def _park_job(messages: FailedMessages, message: JobMessage | TickMessage) -> None:
    """Open a problem for a job. A tick is nobody's in particular: it is parked for an operator."""
    if isinstance(message, JobMessage):
        messages.park_job(message)
