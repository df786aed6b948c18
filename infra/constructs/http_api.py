"""The public HTTP API: token check, throttling, access logs that hold no secret path."""

import json
from collections.abc import Sequence
from functools import cached_property

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.config import RequestLimits, StageConfig
from infra.constructs.acknowledgement import acknowledge
from infra.constructs.alarms import OnCall
from infra.constructs.logs import log_group
from infra.constructs.python_function import PythonFunction

_PREFLIGHT_CACHE_HOURS = 1
_FAULTS_IN_FIVE_MINUTES = 5

# The route key, never the path: the path of a callback carries the connection's secret.
_ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    # Who asked: a user by the subject of the token, a service by its client; and from where.
    "user": "$context.authorizer.claims.sub",
    "client": "$context.authorizer.claims.client_id",
    "source": "$context.identity.sourceIp",
    "latencyMs": "$context.responseLatency",
    "responseBytes": "$context.responseLength",
    "integrationStatus": "$context.integrationStatus",
    "authorizerError": "$context.authorizer.error",
}


class HttpApi(Construct):
    """Routes to functions; a route asks for a token of the pool unless it is declared open."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: StageConfig,
        user_pool: cognito.IUserPool,
        clients: Sequence[cognito.IUserPoolClient],
        on_call: OnCall,
    ) -> None:
        super().__init__(scope, id_)
        self._stage = stage
        self._user_pool = user_pool
        self._clients = list(clients)
        self._integrations: dict[str, integrations.HttpLambdaIntegration] = {}
        self.api = apigateway.HttpApi(
            self,
            "Api",
            api_name=stage.resource_name("api"),
            create_default_stage=False,
            cors_preflight=apigateway.CorsPreflightOptions(
                allow_origins=list(stage.dashboard_origins),
                allow_methods=[apigateway.CorsHttpMethod.ANY],
                allow_headers=["authorization", "content-type", "idempotency-key"],
                expose_headers=["retry-after", "location"],
                max_age=cdk.Duration.hours(_PREFLIGHT_CACHE_HOURS),
            ),
        )
        # The API's own count of server errors holds answers about partners' servers, too.
        on_call.watch(
            "api-faults",
            on_call.own_metric("ApiFault", minutes=5),
            threshold=_FAULTS_IN_FIVE_MINUTES,
            description="The HTTP API answers with faults of ours: see the runbook.",
        )
        self._default_stage = self._build_stage()
        self._route_limits: dict[str, dict[str, int]] = {}

    @property
    def endpoint(self) -> str:
        """The address of the API without a trailing slash."""
        return self.api.api_endpoint

    def admit(self, client: cognito.IUserPoolClient) -> None:
        """Accept the tokens of one more client; to be called before the first route."""
        self._clients.append(client)

    @cached_property
    def _authorizer(self) -> authorizers.HttpUserPoolAuthorizer:
        return authorizers.HttpUserPoolAuthorizer(
            "TokenCheck", self._user_pool, user_pool_clients=self._clients
        )

    def route(
        self,
        path: str,
        function: PythonFunction,
        *methods: apigateway.HttpMethod,
        scope: str | None = None,
        limits: RequestLimits | None = None,
    ) -> None:
        """Send requests that carry a valid token to the function.

        With `scope` it must be an access token that was given the scope: no user has one. With
        `limits` each method has these for itself, else those of the stage.
        """
        routes = self.api.add_routes(
            path=path,
            methods=list(methods),
            integration=self._integration(function),
            authorizer=self._authorizer,
            authorization_scopes=[scope] if scope else None,
        )
        if limits:
            self._limit(routes, path, methods, limits)

    def open_route(
        self,
        path: str,
        function: PythonFunction,
        method: apigateway.HttpMethod,
        *,
        reason: str,
        limits: RequestLimits,
    ) -> None:
        """Send anybody's requests to the function, within its own limits.

        `reason` says why no token is asked for.
        """
        routes = self.api.add_routes(
            path=path, methods=[method], integration=self._integration(function)
        )
        for route in routes:
            acknowledge(route, {"AwsSolutions-APIG4": reason})
        self._limit(routes, path, [method], limits)

    def _limit(
        self,
        routes: Sequence[apigateway.HttpRoute],
        path: str,
        methods: Sequence[apigateway.HttpMethod],
        limits: RequestLimits,
    ) -> None:
        """Throttle each of the routes by itself."""
        for route in routes:
            # A stage may name a route only when the route is there.
            self._default_stage.node.add_dependency(route)
        for method in methods:
            self._route_limits[f"{method.value} {path}"] = {
                "ThrottlingRateLimit": limits.requests_per_second,
                "ThrottlingBurstLimit": limits.burst,
            }
        self._default_stage.route_settings = self._route_limits

    def _integration(self, function: PythonFunction) -> integrations.HttpLambdaIntegration:
        if function.name not in self._integrations:
            self._integrations[function.name] = integrations.HttpLambdaIntegration(
                f"{function.name}-integration", function.function
            )
        return self._integrations[function.name]

    def _build_stage(self) -> apigateway.CfnStage:
        group = log_group(self, "AccessLog", self._stage.resource_name("api-access"), self._stage)
        return apigateway.CfnStage(
            self,
            "DefaultStage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=self._stage.api_limits.requests_per_second,
                throttling_burst_limit=self._stage.api_limits.burst,
                detailed_metrics_enabled=True,
            ),
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=group.log_group_arn, format=json.dumps(_ACCESS_LOG_FIELDS)
            ),
        )
