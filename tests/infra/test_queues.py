"""No message is lost between a queue, its function and the person who looks after it."""

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from infra.config import DEV
from infra.constructs.alarms import OnCall
from infra.constructs.python_function import FunctionSize, Platform, PythonFunction
from infra.constructs.queue_worker import QueueWorker, VisibilityTooShortError
from tests.infra.templates import MAPPING, Properties, StageTemplates, logical_id

pytestmark = pytest.mark.xdist_group("templates")

AWS_SHORTEST_MAX_CONCURRENCY = 2
WORK_QUEUES = ("hints", "jobs", "hints-alone", "pdfs", "run-steps", "writebacks")


def is_dead(queue: str) -> bool:
    return queue.endswith("-dead")


def dead_letters_of(queue: str) -> str:
    return f"{queue}-dead"


def queue_mappings(templates: StageTemplates) -> dict[str, Properties]:
    """Each mapping of a queue, by the queue's short name."""
    queues = {id_ for id_, _ in templates.resources("AWS::SQS::Queue")}
    return {
        templates.queue_of(mapping["EventSourceArn"]): mapping
        for mapping in templates.of_type(MAPPING).values()
        if "Fn::GetAtt" in mapping["EventSourceArn"]
        and logical_id(mapping["EventSourceArn"]) in queues
    }


def test_each_mapping_reports_failed_items_by_themselves(any_stage: StageTemplates) -> None:
    for mapping in any_stage.of_type(MAPPING).values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_message_stays_hidden_six_times_as_long_as_its_function_may_run(
    any_stage: StageTemplates,
) -> None:
    for name, mapping in queue_mappings(any_stage).items():
        function = any_stage.function_of(mapping["FunctionName"])
        timeout_seconds = any_stage.functions()[function]["Timeout"]
        assert any_stage.queues()[name]["VisibilityTimeout"] >= 6 * timeout_seconds


def test_parallel_work_is_limited_at_the_mapping(any_stage: StageTemplates) -> None:
    for mapping in queue_mappings(any_stage).values():
        limit = mapping["ScalingConfig"]["MaximumConcurrency"]
        assert limit >= AWS_SHORTEST_MAX_CONCURRENCY
    for function in any_stage.functions().values():
        assert "ReservedConcurrentExecutions" not in function


def test_work_that_fails_for_good_becomes_a_problem(any_stage: StageTemplates) -> None:
    mappings = queue_mappings(any_stage)
    workers = [name for name in mappings if not is_dead(name)]
    assert sorted(workers) == sorted(WORK_QUEUES)
    for name in workers:
        redrive = any_stage.queues()[name]["RedrivePolicy"]
        dead = any_stage.queue_of(redrive["deadLetterTargetArn"])
        assert dead == dead_letters_of(name)
        assert redrive["maxReceiveCount"] == 3
        assert any_stage.function_of(mappings[dead]["FunctionName"]) == "dead_letters"


def test_a_dead_letter_outlives_its_queue(any_stage: StageTemplates) -> None:
    for name, queue in any_stage.queues().items():
        if "RedrivePolicy" in queue:
            dead = any_stage.queues()[dead_letters_of(name)]
            assert dead["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


def test_a_worker_may_be_started_by_its_own_messages(any_stage: StageTemplates) -> None:
    """Lambda stops a chain of functions and queues after 16 rounds unless it is allowed."""
    for name, mapping in queue_mappings(any_stage).items():
        if not is_dead(name):
            function = any_stage.functions()[any_stage.function_of(mapping["FunctionName"])]
            assert function["RecursiveLoop"] == "Allow"


def test_queues_are_encrypted_and_refuse_plain_http(real_stage: StageTemplates) -> None:
    policies = real_stage.of_type("AWS::SQS::QueuePolicy").values()
    guarded = {
        real_stage.queue_of(queue)
        for policy in policies
        for queue in policy["Queues"]
        if any(
            statement["Effect"] == "Deny"
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for statement in policy["PolicyDocument"]["Statement"]
        )
    }
    assert guarded == set(real_stage.queues())
    assert all(queue["SqsManagedSseEnabled"] for queue in real_stage.queues().values())


def test_a_person_is_told_of_what_waits_for_a_person(any_stage: StageTemplates) -> None:
    watched = {
        (alarm["MetricName"], any_stage.flat(alarm["Dimensions"][0]["Value"]))
        for alarm in any_stage.of_type("AWS::CloudWatch::Alarm").values()
        if alarm.get("Namespace") == "AWS/SQS"
    }
    for name in any_stage.queues():
        metric = (
            "ApproximateAgeOfOldestMessage"
            if name in WORK_QUEUES
            else "ApproximateNumberOfMessagesVisible"
        )
        assert (metric, f"<{name}.QueueName>") in watched


def test_alarms_reach_the_topic_and_may_publish_to_it(any_stage: StageTemplates) -> None:
    for alarm in any_stage.of_type("AWS::CloudWatch::Alarm").values():
        assert len(alarm["AlarmActions"]) == 1
        is_of_absence = alarm["ComparisonOperator"] == "LessThanThreshold"
        assert alarm["TreatMissingData"] == ("breaching" if is_of_absence else "notBreaching")
    (policy,) = any_stage.of_type("AWS::SNS::TopicPolicy").values()
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert [s["Principal"] for s in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]


def worker_stack(*, queue_seconds: int, function_seconds: int) -> Template:
    """A stack of one worker, as a later function would be added."""
    stack = cdk.Stack()
    on_call = OnCall(stack, "OnCall", stage=DEV)
    worker = QueueWorker(
        stack,
        "Writebacks",
        name="writebacks",
        stage=DEV,
        timeout_seconds=queue_seconds,
        on_call=on_call,
    )
    function = PythonFunction(
        stack,
        "Function",
        name="record_sync",
        size=FunctionSize(timeout_seconds=function_seconds),
        platform=Platform(stage=DEV, layers=[]),
        capabilities=[],
    )
    worker.drive(function, batch_size=1, concurrency=2)
    return Template.from_stack(stack)


def test_a_queue_is_a_standard_one() -> None:
    """Ordered queues take no delay for one message, and are not fair to groups."""
    template = worker_stack(queue_seconds=60, function_seconds=60)
    for name in ("bridge-dev-writebacks", "bridge-dev-writebacks-dead"):
        template.has_resource_properties(
            "AWS::SQS::Queue",
            {"QueueName": name, "FifoQueue": Match.absent(), "DelaySeconds": Match.absent()},
        )
    template.has_resource_properties(MAPPING, {"BatchSize": 1, "Tags": Match.absent()})


def test_a_function_that_outlives_its_queue_is_refused() -> None:
    with pytest.raises(VisibilityTooShortError):
        worker_stack(queue_seconds=60, function_seconds=61)
