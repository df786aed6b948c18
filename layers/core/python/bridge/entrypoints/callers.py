"""A caller of the API is known by the claims of the token that API Gateway has checked.

A partner user comes with an ID token that names the partner; a service of the platform comes with
an access token that carries scopes. A path, query or body may not name the caller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.domain.errors import PermanentError

PARTNER_CLAIM = "custom:partner_id"
WRITE_PAYMENTS = "bridge/payments.write"
_PARTNER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class CallerRefusedError(PermanentError):
    """The token is valid, but of a kind that the route is closed to."""


@dataclass(frozen=True, slots=True)
class PartnerUser:
    """A partner user is one of a partner's people."""

    partner_id: str
    user_id: str
    """The token's subject."""


@dataclass(frozen=True, slots=True)
class PlatformService:
    """A service of the platform acts for all partners."""

    client_id: str
    """Its own name."""


def partner_user(event: Mapping[str, Any]) -> PartnerUser:
    """Return the partner user of an HTTP API event (payload 2.0).

    Raises CallerRefusedError for service tokens, for tokens that lack a partner, and for events
    that lack an authorizer's claims.
    """
    claims = _claims(event)
    if claims.get("token_use") != "id":
        raise CallerRefusedError("this route is for partner users")
    partner_id = claims.get(PARTNER_CLAIM)
    if not isinstance(partner_id, str) or not _PARTNER_ID.fullmatch(partner_id):
        raise CallerRefusedError("the token names no partner")
    return PartnerUser(partner_id, str(claims.get("sub", "")))


def platform_service(event: Mapping[str, Any]) -> PlatformService:
    """Return the service of an HTTP API event (payload 2.0) that may write payments.

    Raises CallerRefusedError for ID tokens, for tokens that lack the scope, and for events that
    lack an authorizer's claims.
    """
    claims = _claims(event)
    if claims.get("token_use") != "access":
        raise CallerRefusedError("this route is for the platform's services")
    scopes = claims.get("scope")
    if not isinstance(scopes, str) or WRITE_PAYMENTS not in scopes.split():
        raise CallerRefusedError("the token lacks the scope")
    return PlatformService(str(claims.get("client_id", "")))


def _claims(event: Mapping[str, Any]) -> Mapping[str, Any]:
    node: Any = event
    for key in ("requestContext", "authorizer", "jwt", "claims"):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}
