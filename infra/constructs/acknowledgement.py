"""Exceptions to cdk-nag's rules: each on its own resource, each with its reason."""

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct

_PSEUDO_PARAMETERS = {
    cdk.Aws.PARTITION: "<AWS::Partition>",
    cdk.Aws.REGION: "<AWS::Region>",
    cdk.Aws.ACCOUNT_ID: "<AWS::AccountId>",
}


PLAIN_HTTP = "The embedded AWS speaks plain HTTP, on loopback only; real stages require TLS."


def acknowledge(resource: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings on a resource and its children; maps a rule's id to the reason."""
    for rule, reason in reasons.items():
        cdk.Validations.of(resource).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))


def acknowledge_wildcards(resource: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept resource patterns in a role's statements; maps the pattern to the reason."""
    for pattern, reason in reasons.items():
        spelled = pattern
        for token, name in _PSEUDO_PARAMETERS.items():
            spelled = spelled.replace(token, name)
        for rule in ("AwsSolutions-IAM5", "Serverless-LambdaStarPermissions"):
            acknowledge(resource, {f"{rule}[Resource::{spelled}]": reason})
