"""What most tests of payments begin with; some files have a bench of their own."""

from __future__ import annotations

import pytest

from tests.unit.payments.mirrored_bench import MirroredBench


@pytest.fixture
def bench() -> MirroredBench:
    """ConnectWise, the ledger, and a mirror that is in step."""
    bench = MirroredBench()
    bench.mirror()
    return bench
