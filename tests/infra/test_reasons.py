"""Reasons written at exceptions are held to what the code does, where that can be asked."""

import pytest

from bridge.mirror.pdf_links import LINK_LIFETIME_SECONDS
from infra.config import DEV, LOCAL, PROD
from tests.infra.call_graph import call_graph
from tests.infra.code_rights import ADAPTERS, needed
from tests.infra.templates import StageTemplates
from tests.infra.test_policies import FUNCTIONS

pytestmark = pytest.mark.xdist_group("templates")


def functions_that_may(action: str, resource: str) -> set[str]:
    return {name for name in FUNCTIONS if action in needed(name, PROD).get(resource, frozenset())}


def test_one_function_signs_links_to_documents_for_five_minutes() -> None:
    """Why the bucket keeps no access log."""
    signing = {
        function
        for function in FUNCTIONS
        if any(
            "generate_presigned_url" in call_graph().code(name).client_calls
            for name in call_graph().reached_from(function)
        )
    }
    assert signing == {"dashboard_api"}
    assert LINK_LIFETIME_SECONDS == 300


def test_what_is_not_backed_up_is_no_lease_and_no_history() -> None:
    """Why the table coordination is not backed up: invoices' leases lie in the ledger."""
    assert ADAPTERS["coordination"] >= {"partner_places", "rate_limit", "silences"}
    assert not ADAPTERS["coordination"] & (ADAPTERS["ledger"] | ADAPTERS["operations"])


def test_secrets_of_connections_are_made_where_partners_connect() -> None:
    """Why rights on them name a pattern."""
    secrets = next(
        name for name in needed("dashboard_api", PROD) if name.endswith("/connections/*")
    )
    assert functions_that_may("secretsmanager:CreateSecret", secrets) == {"dashboard_api"}


def test_only_the_stage_of_this_machine_speaks_plain_http() -> None:
    assert [stage.require_tls for stage in (LOCAL, DEV, PROD)] == [False, True, True]


def test_what_is_read_by_everybody_names_no_partners_resource(any_stage: StageTemplates) -> None:
    """Why the API's description is open: no route beside it and callbacks is without a token."""
    routes = any_stage.of_type("AWS::ApiGatewayV2::Route").values()
    is_open = {each["RouteKey"] for each in routes if each["AuthorizationType"] == "NONE"}
    assert {key.partition(" ")[2].split("/")[1] for key in is_open} == {"openapi.json", "webhooks"}
