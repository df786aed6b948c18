"""The function fetches the records that hints name from ConnectWise again and applies them."""

from functools import cache

from bridge.connections.signing_key_fetch import SigningKeyFetch
from bridge.entrypoints.batches import joined, key_requests_in
from bridge.entrypoints.entry import Event, function_entry
from bridge.entrypoints.hint_batches import HintBatches
from bridge.wiring import entrypoints, use_cases
from bridge.wiring.adapters import Adapters
from record_sync.settings import RecordSyncSettings


@cache
def _workers() -> tuple[HintBatches, SigningKeyFetch]:
    adapters = Adapters(RecordSyncSettings.from_environment())
    return entrypoints.hint_batches(adapters), use_cases.signing_key_fetch(adapters)


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are to be delivered again."""
    hints, signing_keys = _workers()
    keys = key_requests_in(event).work_each(signing_keys.fetch)
    return joined(keys, hints.work_off(event))
