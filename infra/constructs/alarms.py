"""Alarms: one topic for the person on call, and the alarms that every queue has."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.acknowledgement import PLAIN_HTTP, acknowledge


class OnCall(Construct):
    """The topic that every alarm of a stage goes to; people subscribe to it after the deploy."""

    def __init__(self, scope: Construct, id_: str, *, stage: StageConfig) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=stage.resource_name("alarms"),
            enforce_ssl=stage.require_tls,
        )
        # A topic with a policy of its own loses the default one, by which alarms may publish.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            )
        )
        if not stage.require_tls:
            acknowledge(self.topic, {"AwsSolutions-SNS3": PLAIN_HTTP})

    def watch(
        self,
        id_: str,
        metric: cloudwatch.Metric,
        *,
        threshold: float,
        periods: int = 1,
        description: str,
    ) -> None:
        """Tell the person on call when the metric has reached the threshold in each period.

        The alarm is called `<stage's prefix><id_>`, and the runbook has a part of that name.
        """
        self._alarm(
            id_,
            metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )

    def watch_absence(self, id_: str, metric: cloudwatch.Metric, *, description: str) -> None:
        """Alarm when nothing was counted in a period: what does not run reports nothing."""
        self._alarm(
            id_,
            metric,
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
            alarm_description=description,
        )

    def own_metric(
        self, name: str, *, minutes: int, statistic: str = cloudwatch.Stats.SUM
    ) -> cloudwatch.Metric:
        """A metric that the functions write themselves; see the port `metrics`."""
        return cloudwatch.Metric(
            namespace=self._stage.metrics_namespace,
            metric_name=name,
            statistic=statistic,
            period=cdk.Duration.minutes(minutes),
        )

    def _alarm(self, id_: str, metric: cloudwatch.Metric, **properties: Any) -> None:
        alarm = cloudwatch.Alarm(
            self,
            id_,
            alarm_name=self._stage.resource_name(id_),
            metric=metric,
            **properties,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))

    def watch_errors(self, id_: str, function: lambda_.IFunction, *, description: str) -> None:
        """Alarm when the function failed as a whole within five minutes."""
        metric = function.metric_errors(period=cdk.Duration.minutes(5))
        self.watch(id_, metric, threshold=1, description=description)

    def watch_depth(self, id_: str, queue: sqs.Queue, *, description: str) -> None:
        """Alarm as soon as one message lies in a queue that should be empty."""
        metric = queue.metric_approximate_number_of_messages_visible(
            period=cdk.Duration.minutes(1), statistic="Maximum"
        )
        self.watch(id_, metric, threshold=1, description=description)

    def watch_age(
        self, id_: str, queue: sqs.Queue, *, oldest_minutes: int, description: str
    ) -> None:
        """Alarm when the oldest message waits longer than the given minutes."""
        metric = queue.metric_approximate_age_of_oldest_message(
            period=cdk.Duration.minutes(5), statistic="Maximum"
        )
        self.watch(id_, metric, threshold=oldest_minutes * 60, description=description)
