"""The hourly schedule: start a customer run on every active connection."""

from functools import cache

from bridge.domain.run import RunKind
from bridge.runtime.bootstrap import build_scheduled_runs
from bridge.runtime.entry import Event, function_entry
from bridge.sync.scheduling import ScheduledRuns
from customer_sync.settings import CustomerSyncSettings


@cache
def _scheduled_runs() -> ScheduledRuns:
    return build_scheduled_runs(CustomerSyncSettings.from_environment())


@function_entry
def lambda_handler(_schedule: Event) -> Event:
    """Return the number of runs started."""
    return {"started": _scheduled_runs().start(RunKind.CUSTOMERS)}
