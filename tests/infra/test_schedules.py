"""Jobs start when they should, and a start that fails neither piles up nor vanishes."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.domain.job import CADENCES, Job, scheduled_tick
from bridge.entrypoints.reconciler_jobs import DUE_WRITE_BACKS
from bridge.ports import Measure
from tests.infra.templates import MAPPING, StageTemplates

pytestmark = pytest.mark.xdist_group("templates")

SCHEDULE = "AWS::Scheduler::Schedule"
LONGEST_WAIT_SECONDS = 3600
DAY = datetime(2026, 3, 5, tzinfo=UTC)
LATE = timedelta(minutes=13)


def schedules(templates: StageTemplates) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """The function, time and event of each schedule, by its short name."""
    prefix = templates.stage.resource_name("")
    return {
        schedule["Name"].removeprefix(prefix): (
            templates.function_of(schedule["Target"]["Arn"]),
            schedule["ScheduleExpression"],
            json.loads(schedule["Target"]["Input"]),
        )
        for schedule in templates.of_type(SCHEDULE).values()
    }


def test_what_is_due_is_woken_each_minute(any_stage: StageTemplates) -> None:
    due = ("reconciler", "rate(1 minute)", {"job": DUE_WRITE_BACKS})
    assert schedules(any_stage).pop("due-write-backs") == due


def test_alarms_lean_on_measures_that_are_noted(any_stage: StageTemplates) -> None:
    alarms = any_stage.of_type("AWS::CloudWatch::Alarm").values()
    own = {a["MetricName"] for a in alarms if a["Namespace"] == any_stage.stage.metrics_namespace}
    ticks = {f"{Measure.TICK}.{job}" for job in Job}
    assert own
    assert own <= {measure.value for measure in Measure} | ticks


def test_each_schedule_has_a_job_whose_absence_wakes_somebody(any_stage: StageTemplates) -> None:
    alarms = any_stage.of_type("AWS::CloudWatch::Alarm").values()
    watched = {a["MetricName"] for a in alarms if a["TreatMissingData"] == "breaching"}
    for _, _, event in schedules(any_stage).values():
        ticks = {f"{Measure.TICK}.{job}" for job in event.get("jobs", ())}
        assert watched & (ticks or {Measure.OLDEST_DUE_WRITE_BACK.value})


def test_each_job_has_a_schedule_for_each_part_of_its_cadence(any_stage: StageTemplates) -> None:
    parts: dict[Job, list[int]] = {job: [] for job in Job}
    for function, _, event in schedules(any_stage).values():
        for job in map(Job, event.get("jobs", [])):
            assert (function == "customer_sync") is (job is Job.CUSTOMERS)
            parts[job] += [event["part"]] if "part" in event else range(CADENCES[job].parts)
    assert parts == {job: list(range(CADENCES[job].parts)) for job in Job}


def test_a_schedule_starts_when_its_part_begins(any_stage: StageTemplates) -> None:
    """The code reckons each connection's moment from there."""
    for name, (_, expression, event) in schedules(any_stage).items():
        if "jobs" not in event:
            continue
        jobs = [Job(job) for job in event["jobs"]]
        for moment in moments(expression):
            tick = scheduled_tick(jobs, event.get("part"), moment + LATE)
            assert tick.began_at == moment, name


def moments(expression: str) -> list[datetime]:
    """The times of a day at which a schedule starts."""
    found = re.fullmatch(r"cron\((\S+) (\S+) \* \* \? \*\)", expression)
    assert found, expression
    minute, hour = found.groups()
    hours = range(24) if hour == "*" else [int(hour)]
    minutes = range(0, 60, 15) if minute == "0/15" else [int(minute)]
    return [DAY.replace(hour=h, minute=m) for h in hours for m in minutes]


def test_a_refused_start_is_tried_again_a_few_times_and_then_kept(
    any_stage: StageTemplates,
) -> None:
    for schedule in any_stage.of_type(SCHEDULE).values():
        target = schedule["Target"]
        assert 0 < target["RetryPolicy"]["MaximumRetryAttempts"] <= 3
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= LONGEST_WAIT_SECONDS
        function = any_stage.function_of(target["Arn"])
        assert any_stage.queue_of(target["DeadLetterConfig"]["Arn"]) == f"{function}-failed"


def test_a_failed_run_of_a_job_is_tried_again_and_then_kept(any_stage: StageTemplates) -> None:
    started = {
        any_stage.function_of(s["Target"]["Arn"]) for s in any_stage.of_type(SCHEDULE).values()
    }
    configured = {
        any_stage.function_of(c["FunctionName"]): c
        for c in any_stage.of_type("AWS::Lambda::EventInvokeConfig").values()
    }
    assert set(configured) == started
    for function, config in configured.items():
        assert config["MaximumRetryAttempts"] <= 2
        assert config["MaximumEventAgeInSeconds"] <= LONGEST_WAIT_SECONDS
        failures = config["DestinationConfig"]["OnFailure"]["Destination"]
        assert any_stage.queue_of(failures) == f"{function}-failed"


def test_one_bad_change_of_a_table_never_blocks_its_stream(any_stage: StageTemplates) -> None:
    streams = [m for m in any_stage.of_type(MAPPING).values() if "StartingPosition" in m]
    assert len(streams) == 3
    for mapping in streams:
        assert any_stage.function_of(mapping["FunctionName"]) == "event_publisher"
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert mapping["BisectBatchOnFunctionError"]
        assert 0 < mapping["MaximumRetryAttempts"] <= 10
        assert mapping["MaximumRecordAgeInSeconds"] < 24 * 3600
        failures = mapping["DestinationConfig"]["OnFailure"]["Destination"]
        assert any_stage.queue_of(failures) == "event_publisher-failed"
