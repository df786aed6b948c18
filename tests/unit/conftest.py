"""Fixtures of the unit tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bridge.log_fields import LogFieldsFilter
from tests.unit.mirror.bench import Bench


@pytest.fixture
def bench() -> Bench:
    """One connection with its mirror; folders with benches of their own override it."""
    return Bench()


@dataclass(frozen=True)
class LogLines:
    """The bridge's log, as the handlers of a function see it."""

    log: pytest.LogCaptureFixture

    def __call__(self, message: str | None = None) -> list[dict[str, Any]]:
        """Return the fields of each line, or of those with this message."""
        own = [each for each in self.log.records if each.name.startswith("bridge.")]
        return [vars(each) for each in own if message in (None, each.getMessage())]


@pytest.fixture
def named_lines(caplog: pytest.LogCaptureFixture) -> Iterator[LogLines]:
    names = LogFieldsFilter()
    caplog.handler.addFilter(names)
    caplog.set_level(logging.DEBUG, "bridge")
    yield LogLines(caplog)
    caplog.handler.removeFilter(names)
