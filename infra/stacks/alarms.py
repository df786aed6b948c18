"""Alarms about what no single queue tells: late payments, schedules that stand still, the API."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from infra.constructs.alarms import OnCall
from infra.constructs.python_function import PythonFunction

_LATE_WRITE_BACK_SECONDS = 30 * 60
# One job of each schedule; those of the night and of the month tick within a day.
_HOURS_BETWEEN_TICKS = {
    "invoice_delta": 1,
    "customers": 1,
    "callbacks": 1,
    "sweep": 24,
    "resting_payments": 24,
}


def watch_requests(on_call: OnCall, *functions: PythonFunction) -> None:
    """Watch the functions that answer requests: one that crashes gives no answer to count."""
    for function in functions:
        on_call.watch_errors(
            f"{function.name}-errors",
            function.function,
            description="Requests to the API ended without an answer: see the runbook.",
        )


def watch_the_whole(on_call: OnCall) -> None:
    """Watch payments, schedules and concurrency of the whole installation."""
    on_call.watch(
        "writebacks-late",
        on_call.own_metric("OldestDueWriteBack", minutes=5, statistic=cloudwatch.Stats.MAXIMUM),
        threshold=_LATE_WRITE_BACK_SECONDS,
        description="Payments do not reach ConnectWise: see the runbook.",
    )
    for job, hours in _HOURS_BETWEEN_TICKS.items():
        on_call.watch_absence(
            f"no-{job.replace('_', '-')}",
            on_call.own_metric(f"Tick.{job}", minutes=60 * hours),
            description=f"The schedule of {job} did not run: see the runbook.",
        )
    on_call.watch_absence(
        "no-due-write-backs",
        on_call.own_metric(
            "OldestDueWriteBack", minutes=5, statistic=cloudwatch.Stats.SAMPLE_COUNT
        ),
        description="The schedule of due write-backs did not run: see the runbook.",
    )
    on_call.watch(
        "throttles",
        lambda_.Function.metric_all_throttles(period=cdk.Duration.minutes(5), statistic="Sum"),
        threshold=1,
        description="Functions are refused for want of concurrency: see the runbook.",
    )
