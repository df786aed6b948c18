"""Measures are written into the log, in the form that CloudWatch makes metrics of (EMF).

Source: CloudWatch's guide, embedded metric format. The namespace is the one that the environment
names for the stage. Names are fields beside the metric: each value of a dimension would be paid for
as a metric of its own.
"""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from bridge.ports import Measure


class EmfMetrics:
    """A function's log fulfils :class:`bridge.ports.Metrics`."""

    def note(self, measure: Measure, value: float = 1, *, of: str = "", **names: str) -> None:
        name = f"{measure.value}.{of}" if of else measure.value
        unit = MetricUnit.Seconds if measure.is_in_seconds else MetricUnit.Count
        with single_metric(name=name, unit=unit, value=value) as metric:
            for field, text in names.items():
                metric.add_metadata(key=field, value=text)
