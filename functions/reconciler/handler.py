"""The function is called by schedules, and does each connection's jobs of the queue ``jobs``."""

from functools import cache

from bridge.connections.site_turns import STEP_SECONDS
from bridge.entrypoints.batches import jobs_in
from bridge.entrypoints.entry import Event, step_entry
from bridge.entrypoints.reconciler_jobs import ReconcilerJobs
from bridge.wiring import entrypoints
from bridge.wiring.adapters import Adapters
from reconciler.settings import ReconcilerSettings


@cache
def _jobs() -> ReconcilerJobs:
    adapters = Adapters(ReconcilerSettings.from_environment(), part="reconciler")
    return entrypoints.reconciler_jobs(adapters)


@step_entry(STEP_SECONDS)
def lambda_handler(event: Event) -> Event:
    """Return a schedule's counts, or the ids of the messages that are to be delivered again."""
    if "Records" in event:
        return jobs_in(event).work_each(_jobs().work)
    return dict(_jobs().start(event))
