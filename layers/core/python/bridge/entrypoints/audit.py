"""An audit line tells each request that changes something or hands out a link."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from bridge.entrypoints.callers import PartnerUser, PlatformService

CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LINKS = "/pdf"
"""A path that ends so answers with a link to a document."""

_logger = logging.getLogger(__name__)


def caller_names(caller: PartnerUser | PlatformService) -> dict[str, str]:
    """Return the fields that name a caller in logs: ids of the token alone."""
    match caller:
        case PartnerUser(partner_id, user_id):
            return {"partner_id": partner_id, "user_id": user_id}
        case PlatformService(client_id):
            return {"client_id": client_id}


def log_request(event: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Log a request (payload 2.0) that changes something or leads to a document.

    Caller, route and records are named by the fields around it, a new record by its answer.
    """
    method = event["requestContext"]["http"]["method"]
    if method in CHANGES or event["rawPath"].endswith(LINKS):
        made = {"made_id": _made_id(answer)} if method in CHANGES else {}
        status = int(answer["statusCode"])
        _logger.info("API request", extra={"method": method, "status": status, **made})


def _made_id(answer: Mapping[str, Any]) -> str | None:
    """Return the id of a new record, which is still missing in the path."""
    if answer["statusCode"] not in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
        return None
    body = json.loads(answer.get("body") or "{}")
    made = body.get("id") or body.get("run_id") if isinstance(body, dict) else None
    return made if isinstance(made, str) else None
