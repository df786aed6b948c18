"""Jobs start when they should, and a start that fails neither piles up nor vanishes."""

import json

import pytest

from tests.infra.templates import MAPPING, StageTemplates

pytestmark = pytest.mark.xdist_group("templates")

SCHEDULE = "AWS::Scheduler::Schedule"
LONGEST_WAIT_SECONDS = 3600


def test_each_job_has_its_time_and_its_input(any_stage: StageTemplates) -> None:
    prefix = any_stage.stage.resource_name("")
    jobs = {
        schedule["Name"].removeprefix(prefix): (
            any_stage.function_of(schedule["Target"]["Arn"]),
            schedule["ScheduleExpression"],
            json.loads(schedule["Target"]["Input"]),
        )
        for schedule in any_stage.of_type(SCHEDULE).values()
    }
    assert jobs == {
        "customers": ("customer_sync", "rate(1 hour)", {}),
        "invoice-delta": ("reconciler", "rate(15 minutes)", {"job": "invoice_delta"}),
        "sweep": ("reconciler", "cron(15 3 * * ? *)", {"job": "sweep"}),
        "callbacks": ("reconciler", "rate(1 hour)", {"job": "callbacks"}),
        "due-write-backs": ("reconciler", "rate(1 minute)", {"job": "due_write_backs"}),
        "heal-write-backs": ("reconciler", "rate(15 minutes)", {"job": "heal_write_backs"}),
        "payments": ("reconciler", "rate(1 hour)", {"job": "payments"}),
    }


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
