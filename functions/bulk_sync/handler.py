"""SQS run steps: do the next page of a run."""

from functools import cache

from bridge.runtime.batches import run_messages_in
from bridge.runtime.bootstrap import build_run_worker
from bridge.runtime.entry import Event, function_entry
from bridge.sync.run_work import RunWorker
from bulk_sync.settings import BulkSyncSettings


@cache
def _worker() -> RunWorker:
    return build_run_worker(BulkSyncSettings.from_environment())


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are to be delivered again."""
    return run_messages_in(event).work_each(_worker().work)
