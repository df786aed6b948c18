"""The function is called by schedules, finds missed changes, and mends stuck work."""

from functools import cache

from bridge.entrypoints.entry import Event, function_entry
from bridge.entrypoints.reconciler_jobs import ReconcilerJobs
from bridge.wiring import entrypoints, use_cases
from bridge.wiring.adapters import Adapters
from reconciler.settings import CALLBACKS_SHARE_OF_TIME, ReconcilerSettings


@cache
def _jobs() -> ReconcilerJobs:
    adapters = Adapters(ReconcilerSettings.from_environment(), part="reconciler")
    callbacks = use_cases.callback_keeper(adapters.sharing(CALLBACKS_SHARE_OF_TIME))
    return entrypoints.reconciler_jobs(adapters, callbacks)


@function_entry
def lambda_handler(event: Event) -> Event:
    """Do the job that the schedule names, e.g. ``{"job": "sweep"}``; return its counts."""
    return dict(_jobs().do(event["job"]))
