"""The times of a write-back fit together: function, lease, quarantine, queue and wake-up."""

from dataclasses import replace

import pytest

from bridge.connectwise.call_limits import CHANGE
from bridge.domain.work_messages import LONGEST_DELAY_SECONDS
from bridge.domain.write_back import Timings
from bridge.wiring.settings import WriteBackTimings
from infra.config import DEV, PROD, StageConfig, UnsafeStageError, WriteBackTimes
from tests.infra.templates import MAPPING, Properties, StageTemplates

pytestmark = pytest.mark.xdist_group("templates")

QUEUE = "writebacks"
DEAD = "writebacks-dead"
WORKER = "payment_writeback"
TOLD = {name.upper() for name in WriteBackTimings.model_fields}


def timings_told_to(templates: StageTemplates, function: str) -> Timings:
    """What the function makes of its environment, without any default."""
    variables = templates.functions()[function]["Environment"]["Variables"]
    told = WriteBackTimings.model_validate({name.lower(): variables[name] for name in TOLD})
    return Timings(
        worker_seconds=told.write_back_worker_seconds,
        in_flight_seconds=told.write_back_in_flight_seconds,
        read_lag_seconds=told.write_back_read_lag_seconds,
    )


def mapping_of(templates: StageTemplates, queue: str) -> Properties:
    (mapping,) = (
        mapping
        for mapping in templates.of_type(MAPPING).values()
        if templates.flat(mapping["EventSourceArn"]) == f"<{queue}.Arn>"
    )
    return mapping


def test_the_function_ends_when_the_code_believes_that_it_has_ended(
    any_stage: StageTemplates,
) -> None:
    """A worker that outlived its lease could post beside the next one."""
    timings = timings_told_to(any_stage, WORKER)
    assert any_stage.functions()[WORKER]["Timeout"] == timings.worker_seconds


def test_whoever_compares_waits_as_long_as_whoever_posts(any_stage: StageTemplates) -> None:
    assert timings_told_to(any_stage, "reconciler") == timings_told_to(any_stage, WORKER)


def test_real_stages_wait_out_what_may_still_be_posted(real_stage: StageTemplates) -> None:
    timings = timings_told_to(real_stage, WORKER)
    assert (timings.worker_seconds, timings.in_flight_seconds, timings.read_lag_seconds) == (
        60, 600, 60,
    )  # fmt: skip
    assert timings.quarantine.total_seconds() == 720
    assert timings.worker_seconds >= 2 * CHANGE.seconds


@pytest.mark.parametrize("stage", [DEV, PROD])
@pytest.mark.parametrize("part", ["worker_seconds", "in_flight_seconds", "read_lag_seconds"])
def test_a_real_stage_cannot_shorten_the_wait(stage: StageConfig, part: str) -> None:
    with pytest.raises(UnsafeStageError):
        replace(stage, write_back_times=replace(WriteBackTimes(), **{part: 30}))


def test_the_code_and_the_stacks_reckon_the_same_quarantine(any_stage: StageTemplates) -> None:
    timings = timings_told_to(any_stage, WORKER)
    times = any_stage.stage.write_back_times
    assert timings.quarantine.total_seconds() == times.quarantine_seconds


def test_a_message_of_a_dead_worker_comes_again_when_its_lease_is_over(
    any_stage: StageTemplates,
) -> None:
    """Before the post the lease stands for the worker's time, which the message waits out.

    After it the write-back is not due before the quarantine is over: a message that comes
    earlier is let go, and the wake-up finds the write-back by its due time.
    """
    timings = timings_told_to(any_stage, WORKER)
    assert any_stage.queues()[QUEUE]["VisibilityTimeout"] >= 6 * timings.worker_seconds


def test_a_message_lives_longer_than_any_wait_and_its_dead_letter_longer_still(
    any_stage: StageTemplates,
) -> None:
    queue, dead = any_stage.queues()[QUEUE], any_stage.queues()[DEAD]
    receives = queue["RedrivePolicy"]["maxReceiveCount"]
    quarantine_seconds = any_stage.stage.write_back_times.quarantine_seconds
    assert receives == 3
    assert queue["MessageRetentionPeriod"] > receives * queue["VisibilityTimeout"]
    assert queue["MessageRetentionPeriod"] > 10 * quarantine_seconds
    assert dead["MessageRetentionPeriod"] == 14 * 86_400


def test_write_backs_come_from_a_standard_queue_one_by_one(any_stage: StageTemplates) -> None:
    for name in (QUEUE, DEAD):
        queue = any_stage.queues()[name]
        ordered = {"FifoQueue", "DeduplicationScope", "FifoThroughputLimit"}
        assert not ordered & queue.keys(), "only a standard queue is fair and takes delays"
        assert "ContentBasedDeduplication" not in queue
        assert not name.endswith(".fifo")
    mapping = mapping_of(any_stage, QUEUE)
    assert any_stage.function_of(mapping["FunctionName"]) == WORKER
    assert mapping["BatchSize"] == 1, "the function's timeout is the time of one attempt"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "MaximumBatchingWindowInSeconds" not in mapping


def test_a_look_that_waits_in_the_queue_raises_no_alarm(any_stage: StageTemplates) -> None:
    name = any_stage.stage.resource_name("writebacks-age")
    (alarm,) = (
        alarm
        for alarm in any_stage.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["AlarmName"] == name
    )
    assert alarm["Threshold"] >= 1.5 * LONGEST_DELAY_SECONDS


def test_what_waits_is_woken_soon_after_its_time(any_stage: StageTemplates) -> None:
    name = any_stage.stage.resource_name("due-write-backs")
    (wake_up,) = (
        schedule
        for schedule in any_stage.of_type("AWS::Scheduler::Schedule").values()
        if schedule["Name"] == name
    )
    assert wake_up["ScheduleExpression"] == "rate(1 minute)"
    assert wake_up["State"] == "ENABLED"
