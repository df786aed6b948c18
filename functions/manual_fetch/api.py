"""``POST /v1/connections/{connection_id}/fetches`` serves two buttons of the preferences page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.errors import BridgeError, InvalidInputError
from bridge.domain.run import Run, RunKind
from bridge.domain.window import Window
from bridge.entrypoints.answer_headers import with_safety_headers
from bridge.entrypoints.audit import caller_names, log_request
from bridge.entrypoints.callers import PartnerUser, partner_user
from bridge.entrypoints.fetch_models import FetchInput, FetchKind, FetchView
from bridge.entrypoints.problem_documents import describe
from bridge.log_fields import add_log_fields, log_fields
from bridge.ports import Clock
from bridge.runs.start import ManualFetch

MAX_BODY_BYTES = 1024


class ManualFetchApi:
    """The API answers HTTP API events (payload 2.0) with a started run or a problem document."""

    def __init__(self, owned: OwnedConnections, fetch: ManualFetch, clock: Clock) -> None:
        self._owned = owned
        self._fetch = fetch
        self._clock = clock

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return 202 with the run, or the failure: 429 with Retry-After until it is free."""
        try:
            caller = partner_user(event)
        except BridgeError as error:
            return self._refuse(event, error)
        request_id = event["requestContext"]["requestId"]
        with log_fields(request_id=request_id, **caller_names(caller)):
            try:
                answer = self._start(event, caller)
            except BridgeError as error:
                answer = self._refuse(event, error)
            log_request(event, answer)
        return answer

    def _start(self, event: Mapping[str, Any], caller: PartnerUser) -> dict[str, Any]:
        connection_id = str(event.get("pathParameters", {}).get("connection_id", ""))
        connection = self._owned.get_syncing(caller.partner_id, connection_id)
        add_log_fields(connection_id=connection.connection_id)
        kind = _read_kind(event)
        return _accepted(*self._fetch.start(connection, RunKind(kind.value)))

    def _refuse(self, event: Mapping[str, Any], error: BridgeError) -> dict[str, Any]:
        document = describe(error, self._clock.now())
        answer = document.as_gateway_response(event["requestContext"]["requestId"])
        return with_safety_headers(answer)


def _read_kind(event: Mapping[str, Any]) -> FetchKind:
    body = event.get("body") or ""
    if event.get("isBase64Encoded") or len(body) > MAX_BODY_BYTES:
        raise InvalidInputError("The body is not a short JSON text.", field="body")
    try:
        return FetchInput.model_validate_json(body).kind
    except ValidationError as error:
        raise InvalidInputError("Choose one of: fetch_new, fetch_unpaid.", field="kind") from error


def _accepted(run: Run, window: Window) -> dict[str, Any]:
    started = FetchView(
        run_id=run.run_id,
        kind=FetchKind(run.kind.value),
        state=run.state.value,
        free_at=window.free_at,
    )
    location = f"/v1/connections/{run.connection_id}/runs/{run.run_id}"
    return with_safety_headers(
        {
            "statusCode": 202,
            "headers": {"Content-Type": "application/json", "Location": location},
            "body": json.dumps(started.model_dump(mode="json")),
            "isBase64Encoded": False,
        }
    )
