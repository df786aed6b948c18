"""The function does the next page of a run for each message of the queue ``run-steps``."""

from functools import cache

from bridge.connections.site_turns import STEP_SECONDS
from bridge.entrypoints.batches import run_messages_in
from bridge.entrypoints.entry import Event, step_entry
from bridge.mirror.run_worker import RunWorker
from bridge.wiring import use_cases
from bridge.wiring.adapters import Adapters
from bulk_sync.settings import BulkSyncSettings


@cache
def _worker() -> RunWorker:
    settings = BulkSyncSettings.from_environment()
    return use_cases.run_worker(Adapters(settings), max_records=settings.max_records)


@step_entry(STEP_SECONDS)
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are to be delivered again."""
    return run_messages_in(event).work_each(_worker().work)
