"""A function that follows the stream of tables, one bad record never blocking the rest."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.alarms import OnCall
from infra.constructs.capability import Capability, read_stream
from infra.constructs.python_function import PythonFunction
from infra.constructs.queues import last_stop_queue
from infra.constructs.table import table_name

_BATCH_SIZE = 100
_RETRIES = 5
# A stream keeps records for 24 hours: whatever is given up must be given up well before.
_LONGEST_WAIT_HOURS = 6
_LAG_ALARM_MINUTES = 15


class StreamRelay(Construct):
    """Feeds a function with the changes of tables, in order per item.

    A failing batch is halved until the bad record is alone, retried a few times, then noted in
    a queue with an alarm; the stream goes on. `tables` maps a table's construct id to the table.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: StageConfig,
        function: PythonFunction,
        tables: Mapping[str, dynamodb.ITable],
        on_call: OnCall,
    ) -> None:
        super().__init__(scope, id_)
        failures = last_stop_queue(
            self,
            "Failures",
            stage=stage,
            name=f"{function.name}-failed",
            reason="Notes of changes that could not be relayed end here, for a person.",
        )
        on_call.watch_depth(
            f"{function.name}-failed",
            failures,
            description=f"{function.name} gave up on changes of a table: see the runbook.",
        )
        on_call.watch(
            f"{function.name}-lag",
            function.function.metric(
                "IteratorAge", statistic="Maximum", period=cdk.Duration.minutes(5)
            ),
            threshold=_LAG_ALARM_MINUTES * 60 * 1000,
            description=f"{function.name} is behind the tables: see the runbook.",
        )
        send = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[failures.queue_arn])
        function.allow(Capability(statements=(send,)))
        for name, table in tables.items():
            function.allow(read_stream(table, table_name(stage, name)))
            lambda_.EventSourceMapping(
                self,
                name,
                target=function.function,
                event_source_arn=table.table_stream_arn,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=_BATCH_SIZE,
                bisect_batch_on_error=True,
                retry_attempts=_RETRIES,
                max_record_age=cdk.Duration.hours(_LONGEST_WAIT_HOURS),
                report_batch_item_failures=True,
                on_failure=sources.SqsDlq(failures),
            )
