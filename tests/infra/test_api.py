"""Who gets through the HTTP API, how often, and what is written down of it."""

import json
from typing import Any

import pytest

from bridge.connectwise import callback_intake
from dashboard_api import shares
from dashboard_api.route_access import is_for_services
from tests.infra.templates import StageTemplates, logical_id

pytestmark = pytest.mark.xdist_group("templates")

CALLBACK = "POST /webhooks/connectwise/{connection_id}/{secret}"
OPEN_ROUTES = {CALLBACK, "GET /openapi.json"}
PAYMENT = "/v1/connections/{connection_id}/payments/{payment_id}"
SERVICE_ROUTES = {f"PUT {PAYMENT}", f"GET {PAYMENT}", f"POST {PAYMENT}/{{change}}"}


def routes(templates: StageTemplates) -> dict[str, dict[str, Any]]:
    return {r["RouteKey"]: r for r in templates.of_type("AWS::ApiGatewayV2::Route").values()}


def function_behind(templates: StageTemplates, route: dict[str, Any]) -> str:
    integration = templates.of_type("AWS::ApiGatewayV2::Integration")[
        logical_id(route["Target"]["Fn::Join"][1][1])
    ]
    return templates.function_of(integration["IntegrationUri"])


def test_every_other_route_asks_for_a_token(any_stage: StageTemplates) -> None:
    found = routes(any_stage)
    without = {key for key, route in found.items() if route["AuthorizationType"] == "NONE"}
    assert without == OPEN_ROUTES
    for key in set(found) - OPEN_ROUTES:
        assert found[key]["AuthorizationType"] == "JWT", key
        assert "AuthorizerId" in found[key], key


def test_a_token_must_be_of_our_pool_and_of_one_of_our_clients(
    any_stage: StageTemplates,
) -> None:
    (authorizer,) = any_stage.of_type("AWS::ApiGatewayV2::Authorizer").values()
    audience = {any_stage.flat(a) for a in authorizer["JwtConfiguration"]["Audience"]}
    pool = "IdentityUsers"
    assert audience == {f"<{pool}PartnerClient>", f"<{pool}ServicesClient>", "<PageClient>"}
    issuer = any_stage.flat(authorizer["JwtConfiguration"]["Issuer"])
    assert issuer == "https://cognito-idp.<AWS::Region>.amazonaws.com/<IdentityUsers>"
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]


def test_only_services_with_the_scope_record_payments_and_they_record_nothing_else(
    any_stage: StageTemplates,
) -> None:
    scopes = {
        key: route["AuthorizationScopes"]
        for key, route in routes(any_stage).items()
        if route.get("AuthorizationScopes")
    }
    assert set(scopes) == SERVICE_ROUTES
    assert all(asked == ["bridge/payments.write"] for asked in scopes.values())


def test_the_api_and_the_function_agree_on_which_routes_are_for_services(
    any_stage: StageTemplates,
) -> None:
    paths = {key.partition(" ")[2] for key in routes(any_stage)}
    for_services = {path for path in paths if is_for_services(path)}
    assert for_services == {key.partition(" ")[2] for key in SERVICE_ROUTES}


def test_requests_reach_the_function_that_knows_them(any_stage: StageTemplates) -> None:
    behind = {k: function_behind(any_stage, route) for k, route in routes(any_stage).items()}
    assert behind.pop(CALLBACK) == "webhook_receiver"
    assert behind.pop("POST /v1/connections/{connection_id}/fetches") == "manual_fetch"
    assert set(behind.values()) == {"dashboard_api"}


def test_no_route_answers_preflights_but_the_api_itself(any_stage: StageTemplates) -> None:
    assert not [key for key in routes(any_stage) if key.startswith(("ANY ", "OPTIONS "))]
    (api,) = any_stage.of_type("AWS::ApiGatewayV2::Api").values()
    assert "*" not in api["CorsConfiguration"]["AllowOrigins"]
    assert not api["CorsConfiguration"].get("AllowCredentials")


def test_callbacks_payments_and_the_description_have_limits_of_their_own_and_the_rest_common_ones(
    any_stage: StageTemplates,
) -> None:
    (stage,) = any_stage.of_type("AWS::ApiGatewayV2::Stage").values()
    assert set(stage["RouteSettings"]) == OPEN_ROUTES | SERVICE_ROUTES
    for limits in (stage["DefaultRouteSettings"], *stage["RouteSettings"].values()):
        assert 0 < limits["ThrottlingRateLimit"] <= limits["ThrottlingBurstLimit"]


@pytest.mark.parametrize(
    ("route", "share"),
    [
        (CALLBACK, callback_intake.PER_SECOND),
        *((route, shares.PAYMENTS_PER_SECOND) for route in sorted(SERVICE_ROUTES)),
        (None, shares.REQUESTS_PER_SECOND),
    ],
)
def test_a_route_lets_through_many_times_what_one_partner_gets(
    route: str | None, share: int, any_stage: StageTemplates
) -> None:
    """API Gateway throttles all partners together; the functions tell one from another."""
    (stage,) = any_stage.of_type("AWS::ApiGatewayV2::Stage").values()
    limits = stage["RouteSettings"][route] if route else stage["DefaultRouteSettings"]
    assert limits["ThrottlingRateLimit"] >= 10 * share


def test_access_logs_name_caller_and_source_and_never_a_path(any_stage: StageTemplates) -> None:
    """The path of a callback carries the connection's secret. A caller is told by ids alone."""
    (stage,) = any_stage.of_type("AWS::ApiGatewayV2::Stage").values()
    logged = set(json.loads(stage["AccessLogSettings"]["Format"]).values())
    assert "$context.requestId" in logged
    assert "$context.routeKey" in logged
    claims = {name for name in logged if ".claims." in name}
    assert claims == {f"$context.authorizer.claims.{name}" for name in ("sub", "client_id")}
    assert "$context.identity.sourceIp" in logged
    forbidden = ("path", "useragent", "querystring")
    assert not [name for name in logged if any(word in name.lower() for word in forbidden)]
