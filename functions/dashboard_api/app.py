"""The dashboard API joins routes, the checks before them, and failures as problem documents."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestValidationError,
    ResponseValidationError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from bridge.domain.errors import BridgeError, InfrastructureError
from bridge.entrypoints.answer_headers import with_safety_headers
from bridge.entrypoints.audit import caller_names, log_request
from bridge.entrypoints.dashboard_services import DashboardServices
from bridge.entrypoints.problem_documents import (
    CONTENT_TYPE,
    INTERNAL,
    FieldError,
    ProblemDocument,
    describe,
    field_path,
    invalid_input,
)
from bridge.log_fields import add_log_fields, log_fields
from bridge.ports import Measure
from dashboard_api.dependencies import CALLER, SERVICES
from dashboard_api.messages import sentence_about
from dashboard_api.openapi import OPENAPI_PATH, ApiDescription
from dashboard_api.request_limits import BodyRefusedError, broken_limit, read_body, with_json_type
from dashboard_api.route_access import allowed_caller
from dashboard_api.routes import ROUTERS
from dashboard_api.shares import RequestShares

MAX_FRAMES_LOGGED = 8
PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,160}")
"""An id of ours looks so; any other text in a path may be an e-mail address."""

_NO_ROUTE = ProblemDocument(
    "no_such_route", HTTPStatus.NOT_FOUND, "No such route", "The API has no such path."
)
_WRONG_METHOD = ProblemDocument(
    "method_not_allowed",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "Method not allowed",
    "The path exists, but not for this method.",
)

_logger = logging.getLogger("bridge.dashboard_api")
# At DEBUG it logs what routes are called with: names, addresses, numbers of invoices.
logging.getLogger("aws_lambda_powertools.event_handler").setLevel(logging.INFO)


class DashboardApi(APIGatewayHttpResolver):
    """The API knows its caller before it looks at anything else of a request."""

    def __init__(self, services: DashboardServices) -> None:
        super().__init__(
            enable_validation=True,
            response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
            json_body_deserializer=read_body,
        )
        self._services = services
        self._shares = RequestShares(services.connections, services.clock)

    def resolve(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one HTTP API event (payload 2.0): refuse it at once, or route it."""
        refused = broken_limit(event)
        request_id = event["requestContext"]["requestId"]
        names = {"request_id": request_id}
        if refused is None and event["rawPath"] != OPENAPI_PATH:
            try:
                self.context[CALLER] = caller = allowed_caller(event)
                names |= caller_names(caller)
                self._shares.take(event, caller)
            except BridgeError as error:
                refused = describe(error, self._services.clock.now())
                with log_fields(**names):
                    _logger.warning("refused before routing: %s", type(error).__name__)
        if refused is not None:
            return with_safety_headers(refused.as_gateway_response(request_id))
        self.context[SERVICES] = self._services
        with log_fields(**names):
            answer = super().resolve(with_json_type(event), context)
            log_request(event, answer)
        answer["headers"].setdefault("Cache-Control", "no-store")
        # An answer without content has no body at all: some gateways fail on a null one.
        answer = {name: part for name, part in answer.items() if part is not None}
        return with_safety_headers(answer)

    def problem(self, document: ProblemDocument) -> Response[str]:
        """Return a problem document as the answer to the present request."""
        return Response(
            status_code=int(document.status),
            content_type=CONTENT_TYPE,
            body=document.body(self.current_event.request_context.request_id),
            headers=dict(document.headers),
        )

    def methods_of(self, path: str) -> list[str]:
        """Return the methods that some route has for this path."""
        routes = [*self._static_routes, *self._dynamic_routes]
        return sorted({route.method for route in routes if route.rule.match(path)})

    def known_route(self) -> Route | None:
        """Return the present request's route, None where the path is a stranger's text."""
        route: Route = self.context["_route"]
        return route if route in self._static_routes or route in self._dynamic_routes else None

    def unknown_query(self) -> list[str]:
        """Return the names in the present request's query that are foreign to its route."""
        route = self.known_route()
        if route is None:
            return []
        known = {parameter.alias for parameter in route.dependant.query_params}
        return sorted(set(self.current_event.query_string_parameters) - known)


def create_app(services: DashboardServices) -> DashboardApi:
    """Return the API over these services."""
    app = DashboardApi(services)
    app.use(middlewares=[_name_in_logs, _refuse_unknown_query])
    for router in ROUTERS:
        app.include_router(router)

    description = ApiDescription(app)

    @app.get(OPENAPI_PATH, include_in_schema=False, enable_validation=False)
    def get_openapi() -> Response[str]:
        return description.answer(app.current_event.headers)

    _map_failures(app, services)
    return app


def _name_in_logs(app: DashboardApi, next_middleware: NextMiddleware) -> Response[Any]:
    """Have every line about the present request name its route and the ids in its path."""
    route = app.known_route()
    found = route.rule.match(app.context["_path"]) if route else None
    if route and found:
        texts = found.groupdict()
        ids = {name: text for name, text in texts.items() if PLAIN_ID.fullmatch(text)}
        add_log_fields(route=route.path, **ids)
    return next_middleware(app)


def _refuse_unknown_query(app: DashboardApi, next_middleware: NextMiddleware) -> Response[Any]:
    """Refuse unknown names, because a misspelt filter would show everything."""
    unknown = app.unknown_query()
    if unknown:
        errors = [FieldError(field_path([name]), "This parameter is unknown.") for name in unknown]
        return app.problem(invalid_input(errors))
    return next_middleware(app)


def _map_failures(app: DashboardApi, services: DashboardServices) -> None:
    def no_route(_error: NotFoundError) -> Response[str]:
        methods = app.methods_of(app.current_event.path)
        if not methods:
            return app.problem(_NO_ROUTE)
        return app.problem(replace(_WRONG_METHOD, allow=", ".join(methods)))

    def invalid_request(error: RequestValidationError) -> Response[str]:
        return app.problem(invalid_input([_field_error(item) for item in error.errors()]))

    def refused_body(error: BodyRefusedError) -> Response[str]:
        return app.problem(error.document)

    def known_failure(error: BridgeError) -> Response[str]:
        document = describe(error, services.clock.now(), egress_addresses=services.egress_addresses)
        if isinstance(error, InfrastructureError):
            # A partner's server that fails wakes nobody, and our own services do.
            services.metrics.note(Measure.API_FAULT)
        if document.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _logger.warning("answered %s: %s", int(document.status), type(error).__name__)
        return app.problem(document)

    def unknown_failure(error: Exception) -> Response[str]:
        # Only types and places: messages and bodies may hold what must be in no log.
        frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES_LOGGED:]
        places = [f"{frame.filename}:{frame.lineno}" for frame in frames]
        services.metrics.note(Measure.API_FAULT)
        _logger.error("unexpected %s at %s", type(error).__name__, " < ".join(reversed(places)))
        return app.problem(INTERNAL)

    app.not_found(no_route)
    app.exception_handler(RequestValidationError)(invalid_request)
    app.exception_handler(BodyRefusedError)(refused_body)
    app.exception_handler(BridgeError)(known_failure)
    app.exception_handler([ResponseValidationError, Exception])(unknown_failure)


def _field_error(item: Mapping[str, Any]) -> FieldError:
    """Tell the expectation in a sentence, and leave out the value that was sent.

    A location begins with the part of the request that held the value: body, query or path.
    """
    location = item["loc"]
    return FieldError(field_path(location[1:] or location), sentence_about(item))
