"""This machine waits patiently: limits for all that must come, however busy the machine is."""

import time
from collections.abc import Callable

# An edit that arrives within a second on an idle machine took 54 at a load of 35. The limit lies
# far above, so that it tells only of things that stay away, and does so within minutes.
PATIENCE_SECONDS = 300.0
# For work of many steps, half a minute on an idle machine: a whole deploy, maybe after another's.
PATIENCE_WITH_WORK_SECONDS = 1800.0
_POLL_SECONDS = 0.1


def eventually(condition: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> bool:
    """Ask again and again; tell whether the condition came true before our patience ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(_POLL_SECONDS)
    return False
