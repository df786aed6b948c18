"""cdk-nag looks at every synth, and an exception stands on its resource with a reason."""

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from infra.app import add_stage, new_app
from infra.bundling import SourceBundler
from infra.config import PROD

pytestmark = pytest.mark.xdist_group("templates")

SHORTEST_REASON = 30
PACKS = ("AwsSolutions", "Serverless")
ACKNOWLEDGED = cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY


def test_an_open_finding_stops_the_synth(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    data, _ = add_stage(app, PROD, SourceBundler())
    s3.Bucket(data, "Careless")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()


def test_each_exception_has_a_reason_and_none_covers_a_whole_stack(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    stacks = add_stage(app, PROD, SourceBundler())
    for stack in stacks:
        assert not reasons(stack)
        found = [reason for node in stack.node.find_all() for reason in reasons(node)]
        assert found
        assert all(len(reason) >= SHORTEST_REASON for reason in found)


def reasons(construct: IConstruct) -> list[str]:
    """Why findings of cdk-nag are accepted on the construct itself."""
    return [
        reason
        for entry in construct.node.metadata
        if entry.type == ACKNOWLEDGED
        for rule, reason in entry.data.items()
        if any(pack in rule for pack in PACKS)
    ]
