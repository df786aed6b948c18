"""Faults of changes leave open, or lie about, whether a change took effect.

Gateways before ConnectWise answer on their own while the request behind them goes on, and proxies
send a request twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

from connectwise_sandbox.errors import refused, too_many_requests
from connectwise_sandbox.messages import Response, json_response, text_response

_BODILESS = (204, 304)


class ChangeEffect(StrEnum):
    """An effect says how a fault spoils a change; a read may meet it too."""

    GATEWAY_BEFORE_EFFECT = "gateway_before_effect"
    """A gateway answers with the fault's `status` and `body`, and drops the request."""
    GATEWAY_AFTER_EFFECT = "gateway_after_effect"
    """The request takes effect, and a gateway answers."""
    GATEWAY_LATE_EFFECT = "gateway_late_effect"
    """A gateway answers, and the request takes effect `seconds` later."""
    STATUS_409 = "status_409"
    STATUS_409_AFTER_EFFECT = "status_409_after_effect"
    STATUS_429_AFTER_EFFECT = "status_429_after_effect"
    WRONG_AMOUNT = "wrong_amount"
    """The request takes effect; the answer names a greater amount."""
    WRONG_ID = "wrong_id"
    """The request takes effect; the answer names another id."""
    SENT_TWICE = "sent_twice"
    """A proxy sends the request twice and passes the second answer on."""


class GatewayBody(StrEnum):
    """A body has one of the forms in which gateways refuse."""

    HTML = "html"
    TEXT = "text"
    EMPTY = "empty"
    JSON_MESSAGE = "json_message"
    """An object with `message`."""
    JSON_CODE = "json_code"
    """An object with a `code` of the gateway's own."""
    JSON_ERROR = "json_error"
    """An object with an `error` that is an object."""


def gateway_answer(status: int, body: GatewayBody) -> Response:
    """Return the answer of a gateway."""
    if body is GatewayBody.EMPTY or status in _BODILESS:
        return Response(status)
    match body:
        case GatewayBody.JSON_MESSAGE:
            return json_response(status, {"message": "Forbidden"})
        case GatewayBody.JSON_CODE:
            return json_response(status, {"code": "Forbidden", "message": "Request blocked."})
        case GatewayBody.JSON_ERROR:
            return json_response(status, {"error": {"code": "Blocked", "message": "Blocked."}})
        case GatewayBody.TEXT:
            return text_response(status, "Request blocked.")
        case _:
            page = f"<html><head><title>{status}</title></head><body>Request blocked.</body></html>"
            return text_response(status, page, "text/html")


def spoil_change(
    effect: ChangeEffect,
    *,
    gateway: Response,
    retry_after: int,
    seconds: float,
    perform: Callable[[], Response],
    perform_later: Callable[[float], None],
) -> Response:
    """Return the answer to a request that an effect spoils.

    `gateway` is the answer of a gateway in between. `perform` carries the request out now,
    `perform_later` after the given seconds.
    """
    match effect:
        case ChangeEffect.GATEWAY_BEFORE_EFFECT:
            answer = gateway
        case ChangeEffect.GATEWAY_LATE_EFFECT:
            perform_later(seconds)
            answer = gateway
        case ChangeEffect.GATEWAY_AFTER_EFFECT:
            perform()
            answer = gateway
        case ChangeEffect.STATUS_409:
            answer = _conflict()
        case ChangeEffect.STATUS_409_AFTER_EFFECT:
            perform()
            answer = _conflict()
        case ChangeEffect.STATUS_429_AFTER_EFFECT:
            perform()
            answer = too_many_requests(retry_after).response
        case ChangeEffect.WRONG_AMOUNT:
            answer = _with_more(perform(), "amount")
        case ChangeEffect.WRONG_ID:
            answer = _with_more(perform(), "id")
        case ChangeEffect.SENT_TWICE:
            perform()
            answer = perform()
    return answer


def _conflict() -> Response:
    return refused(409, "ConnectWiseApi", "The record is being changed.").response


def _with_more(answer: Response, name: str) -> Response:
    """Return an answer whose record has one more in a property; other answers stay as they are."""
    try:
        shown = json.loads(answer.body, parse_float=Decimal)
    except ValueError:
        return answer
    if not isinstance(shown, dict) or not isinstance(shown.get(name), int | Decimal):
        return answer
    return json_response(answer.status, shown | {name: shown[name] + 1})
