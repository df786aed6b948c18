"""What holds for every test."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Hypothesis would fail an example that takes 200 ms, and one that is slow to be made: on a busy
# machine any does.
settings.register_profile("bridge", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bridge")


@pytest.fixture(autouse=True)
def _logs_reach_the_test() -> Iterator[None]:
    """Importing a function's handler sends the bridge's logs to standard output, as in Lambda;
    a test that reads them gets them back, whatever was imported before."""
    core = logging.getLogger("bridge")
    before = (core.handlers, core.propagate, core.level)
    core.handlers, core.propagate = [], True
    core.setLevel(logging.NOTSET)
    yield
    core.handlers, core.propagate = before[0], before[1]
    core.setLevel(before[2])
