"""A function that EventBridge Scheduler starts, with bounded retries and a place for failures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.alarms import OnCall
from infra.constructs.capability import Capability
from infra.constructs.python_function import PythonFunction
from infra.constructs.queues import last_stop_queue

_RETRIES = 2
_LONGEST_WAIT_MINUTES = 30


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """When a job starts and what it is told: `name` is the schedule's name in the stage."""

    name: str
    when: scheduler.ScheduleExpression
    job: Mapping[str, Any] = field(default_factory=dict)


class ScheduledJobs(Construct):
    """All schedules of one function.

    Scheduler only hands the event over: its retries cover a refused hand-over, the function's
    own retries cover a failed run. Both end in one queue with an alarm.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: StageConfig,
        function: PythonFunction,
        timetables: list[Timetable],
        on_call: OnCall,
    ) -> None:
        super().__init__(scope, id_)
        failures = last_stop_queue(
            self,
            "Failures",
            stage=stage,
            name=f"{function.name}-failed",
            reason="Failed starts of a job end here; the next start covers what they missed.",
        )
        on_call.watch_depth(
            f"{function.name}-failed",
            failures,
            description=f"A scheduled start of {function.name} failed: see the runbook.",
        )
        function.function.configure_async_invoke(
            retry_attempts=_RETRIES,
            max_event_age=cdk.Duration.minutes(_LONGEST_WAIT_MINUTES),
            on_failure=destinations.SqsDestination(failures),
        )
        send = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[failures.queue_arn])
        function.allow(Capability(statements=(send,)))
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"))
        role.add_to_policy(send)
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"], resources=[function.function.function_arn]
            )
        )
        for timetable in timetables:
            target = targets.LambdaInvoke(
                function.function,
                role=role.without_policy_updates(),
                input=scheduler.ScheduleTargetInput.from_object(dict(timetable.job)),
                dead_letter_queue=failures,
                retry_attempts=_RETRIES,
                max_event_age=cdk.Duration.minutes(_LONGEST_WAIT_MINUTES),
            )
            self._add_schedule(stage, timetable, target)

    def _add_schedule(
        self, stage: StageConfig, timetable: Timetable, target: scheduler.IScheduleTarget
    ) -> None:
        scheduler.Schedule(
            self,
            timetable.name,
            schedule_name=stage.resource_name(timetable.name),
            schedule=timetable.when,
            target=target,
        )
