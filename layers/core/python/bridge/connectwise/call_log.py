"""Each call to ConnectWise is logged by its route and outcome.

The client names partner, connection and the ids in the path for all its lines."""

from __future__ import annotations

import logging
import re

from bridge.connectwise.exchange import Answer

_REQUEST_ID = re.compile(r"[A-Za-z0-9:._-]{1,64}")

_log = logging.getLogger(__name__)


def log_call(method: str, route: str, answer: Answer | None, seconds: float) -> None:
    """Log a call by its route and outcome; queries, headers and bodies stay out."""
    request_id = answer.headers.get("x-cw-request-id", "") if answer else ""
    _log.info(
        "ConnectWise call",
        extra={
            "method": method,
            "route": route,
            "status": answer.status if answer else None,
            "cw_request_id": request_id if _REQUEST_ID.fullmatch(request_id) else "",
            "milliseconds": round(seconds * 1000),
        },
    )
