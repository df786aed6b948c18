"""Fixtures of the sync's unit tests."""

from __future__ import annotations

import pytest

from tests.unit.sync.bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
