"""Every answer of the API tells browsers to keep to its stated type and to TLS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SAFETY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}


def with_safety_headers(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer to an HTTP API (payload 2.0) with these headers added."""
    return {**answer, "headers": {**(answer.get("headers") or {}), **SAFETY_HEADERS}}
