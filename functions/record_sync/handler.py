"""SQS hints: fetch the records they name from ConnectWise again and apply them."""

from functools import cache

from bridge.runtime.batches import hints_in
from bridge.runtime.bootstrap import build_hint_processor
from bridge.runtime.entry import Event, function_entry
from bridge.sync.hint_processing import HintProcessor
from record_sync.settings import RecordSyncSettings


@cache
def _processor() -> HintProcessor:
    return build_hint_processor(RecordSyncSettings.from_environment())


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are to be delivered again."""
    batch = hints_in(event)
    failed = _processor().process(tuple(batch.messages.values()))
    return batch.reply(message_id for message_id, hint in batch.messages.items() if hint in failed)
