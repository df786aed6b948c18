"""Builds the page before the API, and tells where both answer."""

import aws_cdk as cdk

from infra.config import StageConfig
from infra.constructs.http_api import HttpApi
from infra.constructs.identity import Identity
from infra.constructs.page import Page, Surroundings


def build_front_door(
    stack: cdk.Stack, *, stage: StageConfig, identity: Identity, api: HttpApi
) -> str:
    """Build the page, let its client into the API, and return the API's own address.

    The embedded AWS answers on one port for everything, so there the address holds the API's id,
    and its first part is told at the deploy, when the port is known.
    """
    api_url = api.endpoint
    around = Surroundings.on_aws(stage, api.api, identity)
    if stage.on_this_machine:
        parameter = cdk.CfnParameter(
            stack, "GatewayUrl", description="Address of the embedded AWS, without a slash."
        )
        gateway_url = parameter.value_as_string
        api_url = f"{gateway_url}/_aws/execute-api/{api.api.api_id}"
        around = Surroundings.embedded(stage, api.api, gateway_url)
    page = Page(stack, "Page", around=around, identity=identity)
    api.admit(page.client)
    return api_url
