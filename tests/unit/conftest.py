"""Fixtures of the unit tests."""

from __future__ import annotations

import pytest

from tests.unit.mirror.bench import Bench


@pytest.fixture
def bench() -> Bench:
    """One connection with its mirror; folders with benches of their own override it."""
    return Bench()
