"""The function checks a ConnectWise callback, stores its hint in SQS, and answers."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from functools import cache
from typing import Any

from bridge.entrypoints.lean_log import begin_lean_log
from bridge.wiring.receiver import Callback, CallbackIntake, Verdict, build_callback_intake
from webhook_receiver.settings import read_settings

RETRY_AFTER_SECONDS = "2"


begin_lean_log()


@cache
def _intake() -> CallbackIntake:
    return build_callback_intake(read_settings())


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer an HTTP API event (payload 2.0) with a bare status; the path may not be logged."""
    try:
        body = b64decode(event["body"], validate=True) if event.get("isBase64Encoded") else None
    except Base64Error:
        return {"statusCode": Verdict.MALFORMED.value}
    path = event["pathParameters"]
    verdict = _intake().take(
        Callback(
            connection_id=path["connection_id"],
            secret=path["secret"],
            body=(event.get("body") or "").encode() if body is None else body,
            signature=event["headers"].get("x-content-signature"),
        )
    )
    answer: dict[str, Any] = {"statusCode": verdict.value}
    if verdict is Verdict.AGAIN:
        answer["headers"] = {"Retry-After": RETRY_AFTER_SECONDS}
    return answer
