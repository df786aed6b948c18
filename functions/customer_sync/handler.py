"""The function is called hourly and starts a customer run on every imported connection."""

from functools import cache

from bridge.domain.run import RunKind
from bridge.entrypoints.entry import Event, function_entry
from bridge.runs.schedule import ScheduledRuns
from bridge.wiring import use_cases
from bridge.wiring.adapters import Adapters
from customer_sync.settings import CustomerSyncSettings


@cache
def _scheduled_runs() -> ScheduledRuns:
    adapters = Adapters(CustomerSyncSettings.from_environment())
    return use_cases.scheduled_runs(adapters)


@function_entry
def lambda_handler(_schedule: Event) -> Event:
    """Return the number of runs started."""
    return {"started": _scheduled_runs().start(RunKind.CUSTOMERS)}
