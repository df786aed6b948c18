"""A bundle carries several reads in one request (ConnectWise developer guide, bundled requests).

Keys are accepted in any case, because the guide writes PascalCase and the interface camelCase.
ConnectWise does not document writes through bundles, so they only read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from connectwise_sandbox.bodies import read_json
from connectwise_sandbox.errors import bad_request
from connectwise_sandbox.kinds import PATHS, Kind
from connectwise_sandbox.messages import Request, Response, json_response
from connectwise_sandbox.routing import Call

MAX_REQUESTS = 100

Dispatch = Callable[[Request], Response]
"""Answers a request whose path is taken from below `apis/3.0`."""

_PATH_OF_TYPE: Mapping[str, str] = {
    "agreement": PATHS[Kind.AGREEMENT],
    "billingstatus": PATHS[Kind.BILLING_STATUS],
    "company": PATHS[Kind.COMPANY],
    "contact": PATHS[Kind.CONTACT],
    "expense": PATHS[Kind.EXPENSE_ENTRY],
    "expenseentry": PATHS[Kind.EXPENSE_ENTRY],
    "invoice": PATHS[Kind.INVOICE],
    "member": PATHS[Kind.MEMBER],
    "product": PATHS[Kind.PRODUCT],
    "productitem": PATHS[Kind.PRODUCT],
    "ticket": PATHS[Kind.TICKET],
    "time": PATHS[Kind.TIME_ENTRY],
    "timeentry": PATHS[Kind.TIME_ENTRY],
}
_PARAMETERS = ("conditions", "orderBy", "childConditions", "customFieldConditions")


def answer_bundle(call: Call, dispatch: Dispatch, *, counting: bool) -> Response:
    """Answer every request of a bundle with a success or failure of its own."""
    body = _lower_keys(read_json(call.request))
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise bad_request("A bundle has requests.")
    if len(requests) > MAX_REQUESTS:
        raise bad_request(f"A bundle has at most {MAX_REQUESTS} requests.")
    results = [_answer_one(call, dispatch, each, counting=counting) for each in requests]
    return json_response(200, {"results": results})


def _answer_one(call: Call, dispatch: Dispatch, entry: Any, *, counting: bool) -> dict[str, Any]:
    entry = entry if isinstance(entry, dict) else {}
    type_name = str(entry.get("resourcetype", ""))
    shared = {
        "sequenceNumber": entry.get("sequencenumber"),
        "resourceType": type_name,
        "version": entry.get("version"),
    }
    known = {name: value for name, value in shared.items() if value is not None}
    path = _PATH_OF_TYPE.get(type_name.lower())
    if path is None:
        error = {"code": "NotFound", "message": f"There is no resource type {type_name}."}
        return known | {"success": False, "statusCode": 404, "error": error}
    wanted = entry.get("apirequest")
    wanted = wanted if isinstance(wanted, dict) else {}
    response = dispatch(_build_request(call, path, wanted, counting=counting))
    return known | _build_outcome(response, counting=counting)


def _build_request(call: Call, path: str, wanted: dict[str, Any], *, counting: bool) -> Request:
    filters, page = wanted.get("filters") or {}, wanted.get("page") or {}
    parameters = {
        name: str(filters[name.lower()]) for name in _PARAMETERS if filters.get(name.lower())
    }
    if isinstance(wanted.get("fields"), str):
        parameters["fields"] = wanted["fields"]
    for name in ("page", "pageSize", "pageId"):
        if page.get(name.lower()):
            parameters[name] = str(page[name.lower()])
    headers = {
        name: value for name, value in call.request.headers.items() if name != "pagination-type"
    }
    if "pageId" in parameters:
        headers["pagination-type"] = "forward-only"
    suffix = "/count" if counting else ""
    if isinstance(wanted.get("id"), int) and not counting:
        suffix = f"/{wanted['id']}"
    return Request.of("GET", f"/{path}{suffix}?{urlencode(parameters)}", headers)


def _build_outcome(response: Response, *, counting: bool) -> dict[str, Any]:
    payload = response.json()
    if response.status != HTTPStatus.OK:
        return {"success": False, "statusCode": response.status, "error": payload}
    done = {"success": True, "statusCode": 200}
    if counting:
        return done | {"count": payload["count"]}
    entities = payload if isinstance(payload, list) else [payload]
    return done | {"entities": entities, "count": len(entities)}


def _lower_keys(value: Any) -> Any:
    """Return JSON with its keys in lower case, at every depth."""
    if isinstance(value, dict):
        return {str(key).lower(): _lower_keys(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_lower_keys(each) for each in value]
    return value
