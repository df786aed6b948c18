"""A batch of hints is worked off; hints that came again are worked on one by one.

A worker that dies of one partner's answer takes its whole batch with it. So a hint that comes a
second time goes to a queue of its own, whose batches hold one message: there it harms itself
alone, and becomes a problem in the end.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.aws.messages import moment_of
from bridge.domain.errors import BridgeError
from bridge.domain.hint import Hint
from bridge.entrypoints.batches import hints_in
from bridge.mirror.hint_processor import HintProcessor
from bridge.ports import HintsAloneQueue
from bridge.problems.failed_messages import FailedMessages

ALONE = "hints-alone"
"""The name of the queue ends so."""
MAX_RECEIVES_ALONE = 2
"""A hint that comes once more becomes a problem."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt holds SQS's own attributes of one message."""

    receives: int
    sent_at: datetime | None
    is_alone: bool

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Receipt:
        told = record.get("attributes", {})
        sent_ms = told.get("SentTimestamp")
        return cls(
            receives=int(told.get("ApproximateReceiveCount", 1)),
            sent_at=moment_of(int(sent_ms)) if sent_ms else None,
            is_alone=str(record.get("eventSourceARN")).endswith(ALONE),
        )


class HintBatches:
    """Batches of the queues ``hints`` and ``hints-alone`` are worked off here."""

    def __init__(
        self, processor: HintProcessor, alone: HintsAloneQueue, failed: FailedMessages
    ) -> None:
        self._processor = processor
        self._alone = alone
        self._failed = failed

    def work_off(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Work off a batch; return the partial batch response."""
        batch = hints_in(event)
        receipts = {record["messageId"]: Receipt.of(record) for record in event["Records"]}
        hints = {
            message_id: replace(hint, came_at=hint.came_at or receipts[message_id].sent_at)
            for message_id, hint in batch.messages.items()
        }
        returning = [each for each in hints if _has_failed(receipts[each])]
        failed = {each for each in returning if not self._take_out(hints[each], receipts[each])}
        staying = {each: hint for each, hint in hints.items() if each not in returning}
        again = self._processor.process(tuple(staying.values()))
        failed |= {each for each, hint in staying.items() if hint in again}
        return batch.reply(each for each in hints if each in failed)

    def _take_out(self, hint: Hint, receipt: Receipt) -> bool:
        """Move a hint to the queue of its own, or make a problem of it; tell whether it is done."""
        told = {"connection_id": hint.connection_id, "source_id": hint.source_id}
        try:
            if receipt.is_alone:
                self._failed.park_hint(hint)
            else:
                self._alone.move([hint])
        except BridgeError as error:
            _logger.warning("hint stays", extra={**told, "error": type(error).__name__})
            return False
        _logger.warning("hint given up" if receipt.is_alone else "hint moved", extra=told)
        return True


def _has_failed(receipt: Receipt) -> bool:
    return receipt.receives > (MAX_RECEIVES_ALONE if receipt.is_alone else 1)
