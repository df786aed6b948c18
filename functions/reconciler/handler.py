"""Schedules that find what callbacks missed and mend what got stuck."""

from functools import cache

from bridge.runtime.bootstrap import build_reconciler
from bridge.runtime.entry import Event, function_entry
from bridge.runtime.reconciler_jobs import ReconcilerJobs
from reconciler.settings import ReconcilerSettings


@cache
def _jobs() -> ReconcilerJobs:
    return build_reconciler(ReconcilerSettings.from_environment())


@function_entry
def lambda_handler(event: Event) -> Event:
    """Do the job that the schedule names, e.g. ``{"job": "sweep"}``; return what was counted."""
    return dict(_jobs().do(event["job"]))
