"""DynamoDB tables with this project's key names and protections."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.acknowledgement import acknowledge

EXPIRY_ATTRIBUTE = "expires_at"


@dataclass(frozen=True)
class Index:
    """A global secondary index: its name, its two text keys and what it copies beside keys.

    `copied` names the attributes that queries of the index read or filter by; with none, every
    attribute is copied.
    """

    name: str
    partition_key: str
    sort_key: str
    copied: tuple[str, ...] = ()


def table_name(stage: StageConfig, id_: str) -> str:
    """The physical name of the table with that construct id."""
    return stage.resource_name(id_.lower())


def table(
    scope: Construct,
    id_: str,
    *,
    stage: StageConfig,
    indexes: tuple[Index, ...] = (),
    stream: bool = False,
    expires: bool = False,
    backed_up: bool = True,
) -> dynamodb.Table:
    """A table with keys `pk` and `sk`, paid by request.

    Where data is kept, the table is protected from deletion and, unless told otherwise, backed
    up to any second of the last 35 days. `stream` carries old and new images. `expires` lets
    items end at `expires_at` (seconds since 1970); DynamoDB removes them late, so readers
    compare.
    """
    kept = stage.retain_data
    made = dynamodb.Table(
        scope,
        id_,
        table_name=table_name(stage, id_),
        partition_key=_string("pk"),
        sort_key=_string("sk"),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.DEFAULT,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=kept and backed_up
        ),
        deletion_protection=kept,
        removal_policy=cdk.RemovalPolicy.RETAIN if kept else cdk.RemovalPolicy.DESTROY,
        stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if stream else None,
        time_to_live_attribute=EXPIRY_ATTRIBUTE if expires else None,
    )
    for index in indexes:
        made.add_global_secondary_index(
            index_name=index.name,
            partition_key=_string(index.partition_key),
            sort_key=_string(index.sort_key),
            projection_type=(
                dynamodb.ProjectionType.INCLUDE if index.copied else dynamodb.ProjectionType.ALL
            ),
            non_key_attributes=list(index.copied) or None,
        )
    if not kept:
        acknowledge(made, {"AwsSolutions-DDB3": "Data of this stage can be made again."})
    return made


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
