"""A measure is a line of the log that CloudWatch makes a metric of."""

from __future__ import annotations

import json

import pytest

from bridge.aws.metrics import EmfMetrics
from bridge.ports import Measure


@pytest.fixture(autouse=True)
def stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "bridge-dev")


def test_a_line_holds_the_metric_and_names_to_search_by(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMetrics().note(Measure.CALLBACK_TO_VISIBLE, 1.5, partner_id="p-1", connection_id="c-1")
    line = json.loads(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "bridge-dev"
    assert directive["Dimensions"] == [[]]
    assert directive["Metrics"] == [{"Name": "CallbackToVisible", "Unit": "Seconds"}]
    assert line["CallbackToVisible"] == [1.5]
    assert (line["partner_id"], line["connection_id"]) == ("p-1", "c-1")


def test_what_is_counted_has_no_unit_of_time(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMetrics().note(Measure.RUN_FAILED)
    line = json.loads(capsys.readouterr().out)
    assert line["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [
        {"Name": "RunFailed", "Unit": "Count"}
    ]
    assert line["RunFailed"] == [1.0]
