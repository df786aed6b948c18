"""Log groups with a retention, always."""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import StageConfig

_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    30: logs.RetentionDays.ONE_MONTH,
    365: logs.RetentionDays.ONE_YEAR,
}


def log_group(scope: Construct, id_: str, name: str, stage: StageConfig) -> logs.LogGroup:
    """A log group that keeps its lines as long as the stage says, and no longer."""
    return logs.LogGroup(
        scope,
        id_,
        log_group_name=name,
        retention=_RETENTION[stage.log_retention_days],
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
