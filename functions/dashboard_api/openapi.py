"""The API describes itself by Powertools' document of the routes, made whole here.

Powertools knows inputs and answers. Added are failures as problem documents, the tokens, and the
two routes that other functions serve.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Response
from pydantic.json_schema import models_json_schema

from bridge.entrypoints.callers import WRITE_PAYMENTS
from bridge.entrypoints.fetch_models import FetchInput, FetchView
from bridge.entrypoints.problem_documents import CONTENT_TYPE
from dashboard_api.field_texts import field_text
from dashboard_api.resource import JSON
from dashboard_api.route_access import is_for_services

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

OPENAPI_PATH = "/openapi.json"
KEPT_FOR_MINUTES = "public, max-age=300"
TITLE = "Bridge dashboard API"
VERSION = "1.0.0"
DESCRIPTION = (
    "Connections to ConnectWise PSA, and the customers, invoices and payments mirrored from it. "
    "Amounts are whole numbers of minor units. Failures are RFC 9457 problem documents. "
    "A list's `next_cursor` leads to its next page and is null on the last."
)
TAGS = {
    "account": "Who is signed in, and what connecting takes.",
    "overview": "How things stand, in sums and counts.",
    "connections": "Links to ConnectWise companies.",
    "filters": "Which customers and invoices are imported.",
    "customers": "Payers, mirrored and platform-only.",
    "invoices": "Invoices, mirrored and platform-only.",
    "payments": "Payments as they stand on invoices.",
    "platform-payments": "Payments that the platform collected, and their write-backs.",
    "runs": "Bulk work and its progress.",
    "problems": "What needs a person.",
    "callbacks": "What ConnectWise calls.",
}
_PARTNER_SCHEME = "partnerToken"
_SERVICE_SCHEME = "serviceToken"
_FAILURES = {
    "400": "The body is not readable JSON.",
    "401": "No valid token.",
    "403": "A token of another kind, or without the scope.",
    "404": "No such record, or not the caller's.",
    "409": "The record's state does not allow it, or it changed meanwhile.",
    "413": "The body is too large.",
    "414": "The query is too long.",
    "415": "The body is not JSON.",
    "422": "Values break a stated limit, or ConnectWise does not accept them.",
    "429": "Too many requests; see Retry-After.",
    "500": "Something broke on our side.",
    "502": "ConnectWise answered in a way that cannot be used.",
    "503": "ConnectWise or a part of the bridge is out of reach; see Retry-After.",
}
_PATH_TEXTS = {"connection_id": "The connection's id.", "secret": "The secret of its callbacks."}
_ONLY_WITH_BODY = frozenset({"400", "413", "415"})
_OF_GATEWAY_TOO = frozenset({"403", "429"})
_WITH_WAIT = frozenset({"429", "503"})
_RETRY_AFTER = {
    "description": "The seconds to wait before asking again; the gateway's own answer lacks it.",
    "schema": {"type": "integer"},
}
_SCHEMA = "#/components/schemas/{model}"
_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError", "ResponseValidationError")


class ApiDescription:
    """The description is built for the first request of a process, and kept.

    Browsers and proxies keep it for some minutes, and ask then whether it is still the same.
    """

    def __init__(self, app: APIGatewayHttpResolver) -> None:
        self._app = app

    @cached_property
    def _text(self) -> str:
        return openapi_document(self._app)

    @cached_property
    def _tag(self) -> str:
        return f'"{hashlib.sha256(self._text.encode()).hexdigest()[:32]}"'

    def answer(self, headers: Mapping[str, str]) -> Response[str]:
        """Return the document, or 304 where its tag is known already."""
        told: dict[str, str | list[str]] = {"ETag": self._tag, "Cache-Control": KEPT_FOR_MINUTES}
        if self._tag in headers.get("if-none-match", "").split(", "):
            return Response(HTTPStatus.NOT_MODIFIED.value, headers=told)
        return Response(HTTPStatus.OK.value, JSON, self._text, headers=told)


def openapi_document(app: APIGatewayHttpResolver) -> str:
    """Return the OpenAPI 3.1 document as JSON text."""
    generated = app.get_openapi_json_schema(title=TITLE, version=VERSION, description=DESCRIPTION)
    document: dict[str, Any] = json.loads(generated)
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    document["security"] = [{_PARTNER_SCHEME: []}]
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        _PARTNER_SCHEME: _token("ID token of a partner user, from the user pool."),
        _SERVICE_SCHEME: _token(
            f"Access token of a platform service, by client credentials: scope {WRITE_PAYMENTS}."
        ),
    }
    schemas = components.setdefault("schemas", {})
    for name in _FRAMEWORK_SCHEMAS:
        schemas.pop(name, None)
    schemas.update(_fetch_schemas(), Problem=_problem_schema(), GatewayAnswer=_gateway_schema())
    _describe_fields(schemas)
    document["servers"] = [{"url": "./", "description": "Beside this document."}]
    for path, methods in _routes_of_other_functions().items():
        document["paths"].setdefault(path, {}).update(methods)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            _complete(path, operation)
    return json.dumps(document)


def _complete(path: str, operation: dict[str, Any]) -> None:
    _add_failures(path, operation)
    if is_for_services(path):
        operation["security"] = [{_SERVICE_SCHEME: [WRITE_PAYMENTS]}]
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])


def _add_failures(path: str, operation: dict[str, Any]) -> None:
    """Replace the framework's failures by ours, as far as the operation can have them."""
    responses = {
        status: answer
        for status, answer in operation["responses"].items()
        if int(status) < 400  # noqa: PLR2004  # where HTTP's failures begin
    }
    if "204" in responses:
        responses["204"] = {"description": "Done."}
    for status, text in _FAILURES.items():
        if status in _ONLY_WITH_BODY and "requestBody" not in operation:
            continue
        if status == "404" and "{" not in path:
            continue
        responses[status] = {"description": text, "content": _failure(status)}
        if status in _WITH_WAIT:
            responses[status]["headers"] = {"Retry-After": _RETRY_AFTER}
    operation["responses"] = responses


def _failure(status: str) -> dict[str, Any]:
    """Return the forms that a failure has: our own, and the gateway's before we are asked."""
    ours, gateways = _content("Problem", CONTENT_TYPE), _content("GatewayAnswer")
    if status == "401":
        return gateways
    return {**ours, **gateways} if status in _OF_GATEWAY_TOO else ours


def _describe_fields(schemas: dict[str, Any]) -> None:
    """Give each field the meaning of its name, unless it has words of its own."""
    for name, schema in schemas.items():
        for field, described in schema.get("properties", {}).items():
            text = field_text(name, field)
            if text and "description" not in described:
                described["description"] = text


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out None: a caller omits a parameter instead of sending null."""
    kept = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
    if len(kept) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**kept[0], **rest}


def _token(description: str) -> dict[str, Any]:
    return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description}


def _content(schema: str, media_type: str = JSON) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": _SCHEMA.format(model=schema)}}}


def _gateway_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "The gateway answers so before the API is asked: without a valid token, for "
        "a service's route without the scope, or when all partners together ask too often.",
        "required": ["message"],
        "properties": {"message": {"type": "string", "description": "What the gateway says."}},
    }


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    error = {
        "type": "object",
        "required": ["field", "message"],
        "properties": {
            "field": {**text, "description": "The field, by its place in the request."},
            "message": {**text, "description": "What is wrong, in a sentence."},
        },
    }
    return {
        "type": "object",
        "description": "RFC 9457 problem document. Kinds may have members of their own.",
        "required": ["type", "title", "status", "detail", "instance"],
        "properties": {
            "type": {**text, "examples": ["urn:bridge:problem:not_found"]},
            **dict.fromkeys(("title", "detail", "conflicting_id", "run_id", "reason"), text),
            "status": {"type": "integer"},
            "instance": {**text, "description": "Names the request."},
            "errors": {"type": "array", "items": error},
            "missing_rights": {"type": "array", "items": text},
            "free_at": {**text, "format": "date-time"},
        },
    }


def _fetch_schemas() -> dict[str, Any]:
    _, schemas = models_json_schema(
        [(FetchInput, "validation"), (FetchView, "serialization")], ref_template=_SCHEMA
    )
    return dict(schemas["$defs"])


def _routes_of_other_functions() -> dict[str, Any]:
    fetch = {
        "operationId": "startFetch",
        "summary": "Fetch new data (once an hour) or unpaid invoices (once in twelve hours)",
        "description": "What changed within the last hour, or every unpaid invoice, is read again.",
        "tags": ["runs"],
        "parameters": [_path_parameter("connection_id")],
        "requestBody": {"required": True, "content": _content("FetchInput")},
        "responses": {
            "202": {
                "description": "Started; Location is where its progress can be read.",
                "headers": {
                    "Location": {
                        "description": "Where the run can be read.",
                        "schema": {"type": "string"},
                    }
                },
                "content": _content("FetchView"),
            }
        },
    }
    callback = {
        "operationId": "receiveCallback",
        "summary": "A hint by ConnectWise that a record changed",
        "description": "The secret in the path and the signature are checked; no token is asked.",
        "tags": ["callbacks"],
        "security": [],
        "parameters": [
            _path_parameter("connection_id"),
            _path_parameter("secret"),
            {
                "name": "recordId",
                "in": "query",
                "description": "The record's id, as ConnectWise puts it into the address.",
                "schema": {"type": "string"},
            },
        ],
        "requestBody": {"required": True, "content": {JSON: {"schema": {"type": "object"}}}},
        "responses": {"204": {"description": "Kept; it will be looked into."}},
    }
    return {
        "/v1/connections/{connection_id}/fetches": {"post": fetch},
        "/webhooks/connectwise/{connection_id}/{secret}": {"post": callback},
    }


def _path_parameter(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": _PATH_TEXTS[name],
        "schema": {"type": "string"},
    }
