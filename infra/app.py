"""Entry of the CDK: `cdk synth -c stage=dev`. Needs no credentials and no git."""

import json
import sys
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.bundling import Bundler, SlowStartError, UvBundler, refuse_slow_start
from infra.config import PROJECT_ROOT, StageConfig, stage_config
from infra.stacks.data import DataStack
from infra.stacks.service import ServiceStack

DEFAULT_STAGE = "dev"
WITHOUT_BYTECODE = "without-bytecode"
"""The context by which templates are made to be looked at only, with any Python."""


def new_app(output: Path | None = None) -> cdk.App:
    """A CDK app with the project's feature flags, whoever starts it (the CDK's CLI or a test)."""
    flags = json.loads((PROJECT_ROOT / "cdk.json").read_text())["context"]
    return cdk.App(context=flags, outdir=str(output) if output else None)


def add_stage(app: cdk.App, stage: StageConfig, bundler: Bundler) -> tuple[DataStack, ServiceStack]:
    """Add the two stacks of a stage; cdk-nag checks them whenever they are synthesized."""
    data = DataStack(app, f"bridge-{stage.name}-data", stage=stage)
    service = ServiceStack(
        app, f"bridge-{stage.name}-service", stage=stage, data=data, bundler=bundler
    )
    cdk.Tags.of(app).add("product", "bridge")
    cdk.Tags.of(app).add("stage", stage.name)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    return data, service


def main() -> None:
    """Synthesize the stage that the context names, `dev` unless told otherwise.

    Functions that would start slowly are refused, unless the context allows them.
    """
    app = new_app()
    stage = stage_config(app.node.try_get_context("stage") or DEFAULT_STAGE)
    if not app.node.try_get_context(WITHOUT_BYTECODE):
        try:
            refuse_slow_start(stage)
        except SlowStartError as error:
            sys.exit(str(error))
    add_stage(app, stage, UvBundler())
    app.synth()


if __name__ == "__main__":
    main()
