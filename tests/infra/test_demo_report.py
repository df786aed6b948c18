"""The demo prints a comparison as lines that a person can read."""

from __future__ import annotations

from typing import Any

from infra.local.demo.nightly import report_lines


def compared(differing: int, **differences: int) -> dict[str, Any]:
    return {
        "compared": 500,
        "differing": differing,
        "differences": {"missing_here": 0, "balance": 0, "payer": 0, **differences},
        "listed": 499,
        "counted": 499,
    }


def test_a_comparison_is_told_by_kind_with_time_and_duration() -> None:
    run = {
        "created_at": "2026-03-02T02:00:00Z",
        "duration_seconds": 75,
        "state": "succeeded",
        "comparison": {
            "customers": compared(0),
            "invoices": compared(3, missing_here=1, balance=2),
        },
    }

    assert list(report_lines(run)) == [
        "comparison of 2026-03-02T02:00:00Z, 75 s: succeeded",
        "customers: 500 compared, 0 differ; ConnectWise lists 499 and counts 499",
        (
            "invoices: 500 compared, 3 differ (1 missing here, 2 balance); "
            "ConnectWise lists 499 and counts 499"
        ),
    ]
