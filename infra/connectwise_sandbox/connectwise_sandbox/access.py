"""Callers prove themselves with Basic keys and a clientId."""

from __future__ import annotations

import base64
import binascii
import hmac

from connectwise_sandbox.errors import ApiError, html_not_found, refused
from connectwise_sandbox.messages import Request
from connectwise_sandbox.tenant import Tenant


def require_keys(tenant: Tenant, request: Request) -> None:
    """Raise the answer to wrong keys unless the request carries the API member's.

    The user name is `{company}+{public key}`, the password the private key (ConnectWise
    developer guide, authentication).
    """
    if not carries_keys(tenant, request):
        raise _wrong_keys(tenant)


def carries_keys(tenant: Tenant, request: Request) -> bool:
    """Return whether a request carries the API member's keys."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    identity = tenant.identity
    user = f"{identity.company_id}+{identity.public_key}"
    return hmac.compare_digest(given, f"{user}:{identity.private_key}".encode())


def require_client_id(tenant: Tenant, request: Request) -> str:
    """Return the clientId of a request; raises the answer to a missing one."""
    client_id = request.headers.get("clientid", "").strip()
    known = client_id == tenant.identity.client_id
    if client_id and (known or not tenant.switches.known_client_ids_only):
        return client_id
    status = tenant.switches.missing_client_id_status
    raise refused(status, "MissingClientId", "The clientId header is missing or unknown.")


def _wrong_keys(tenant: Tenant) -> ApiError:
    match tenant.switches.wrong_keys_status:
        case 404:
            return html_not_found()
        case 401:
            return refused(401, "Unauthorized", "Incorrect public/private key")
