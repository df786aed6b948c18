"""One Lambda function with the defaults of this project: own role, own log group, two layers."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.bundling import function_code
from infra.config import StageConfig
from infra.constructs.acknowledgement import acknowledge, acknowledge_wildcards
from infra.constructs.capability import Capability
from infra.constructs.egress import Egress
from infra.constructs.logs import log_group

_TRACE_ACTIONS = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
# Lambda's own list for a function that is attached to a network.
_NETWORK_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)

_OLDER_RUNTIME = "Layers are built and tested for this version; the runtime is still maintained."
_ACCEPTED = {
    "AwsSolutions-L1": _OLDER_RUNTIME,
    "Serverless-LambdaLatestVersion": _OLDER_RUNTIME,
    "Serverless-LambdaDLQ": (
        "It would catch asynchronous calls only: those of jobs have an on-failure queue, a queue "
        "has its own dead letters, and a caller over HTTP sees the error."
    ),
}


@dataclass(frozen=True, kw_only=True)
class FunctionSize:
    """How long a function may run and how much memory, hence processor, it gets."""

    timeout_seconds: int
    memory_mb: int = 512


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What all functions of a stage share."""

    stage: StageConfig
    layers: Sequence[lambda_.ILayerVersion]


class PythonFunction(Construct):
    """The function in `functions/<name>/`: it may use its capabilities and nothing else."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        size: FunctionSize,
        platform: Platform,
        capabilities: Sequence[Capability],
        egress: Egress | None = None,
    ) -> None:
        super().__init__(scope, id_)
        stage = platform.stage
        self.name = name
        self.physical_name = stage.resource_name(name)
        self.timeout_seconds = size.timeout_seconds
        self._log_group = log_group(self, "Logs", f"/aws/lambda/{self.physical_name}", stage)
        self._role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self._allow_basics(in_network=egress is not None)
        for capability in capabilities:
            self.allow(capability)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=self.physical_name,
            code=function_code(name),
            handler=f"{name}.handler.lambda_handler",
            runtime=lambda_.Runtime(stage.target.runtime, lambda_.RuntimeFamily.PYTHON),
            architecture=_architecture(stage),
            layers=list(platform.layers),
            # Immutable, so that no construct of the CDK can widen what is written here.
            role=self._role.without_policy_updates(),
            log_group=self._log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
            timeout=cdk.Duration.seconds(size.timeout_seconds),
            memory_size=size.memory_mb,
            environment=_environment(name, stage, capabilities),
            vpc=egress.vpc if egress else None,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="functions") if egress else None,
            security_groups=[egress.security_group] if egress else None,
        )

        acknowledge(self.function, _ACCEPTED)

    def allow(self, capability: Capability) -> None:
        """Write a capability's statements into the function's role."""
        for statement in capability.statements:
            self._role.add_to_policy(statement)
        acknowledge_wildcards(self._role, capability.wildcards)

    def allow_recursion(self) -> None:
        """Let the function be started by what it put into a queue, as often as that happens."""
        function = self.function.node.default_child
        if not isinstance(function, lambda_.CfnFunction):
            raise TypeError("a function's default child is its resource")
        function.recursive_loop = "Allow"

    def _allow_basics(self, *, in_network: bool) -> None:
        """Logs and traces; network interfaces where the function sits in a network."""
        self._role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[self._log_group.log_group_arn],
            )
        )
        unscoped = [*_TRACE_ACTIONS, *(_NETWORK_ACTIONS if in_network else ())]
        self._role.add_to_policy(iam.PolicyStatement(actions=unscoped, resources=["*"]))
        acknowledge_wildcards(
            self._role,
            {"*": "Traces and network interfaces cannot be limited to a resource that exists."},
        )


def _architecture(stage: StageConfig) -> lambda_.Architecture:
    if stage.on_this_machine:
        return lambda_.Architecture.X86_64
    return lambda_.Architecture.ARM_64


def _environment(
    name: str, stage: StageConfig, capabilities: Sequence[Capability]
) -> dict[str, str]:
    environment = {
        "POWERTOOLS_SERVICE_NAME": name,
        "LOG_LEVEL": stage.log_level,
        "STAGE": stage.name,
        "POWERTOOLS_METRICS_NAMESPACE": stage.metrics_namespace,
    }
    for capability in capabilities:
        environment.update(capability.settings)
    return environment
