"""The function fetches the records that hints name from ConnectWise again and applies them."""

from functools import cache

from bridge.entrypoints.batches import hints_in
from bridge.entrypoints.entry import Event, function_entry
from bridge.mirror.hint_processor import HintProcessor
from bridge.wiring import use_cases
from bridge.wiring.adapters import Adapters
from record_sync.settings import SHARE_OF_TIME, RecordSyncSettings


@cache
def _processor() -> HintProcessor:
    adapters = Adapters(RecordSyncSettings.from_environment(), share_of_time=SHARE_OF_TIME)
    return use_cases.hint_processor(adapters)


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are to be delivered again."""
    batch = hints_in(event)
    failed = _processor().process(tuple(batch.messages.values()))
    return batch.reply(message_id for message_id, hint in batch.messages.items() if hint in failed)
