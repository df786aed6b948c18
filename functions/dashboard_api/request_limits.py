"""A request must keep these limits before anything of it is believed."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from bridge.entrypoints.problem_documents import FieldError, ProblemDocument, invalid_input
from dashboard_api.resource import JSON

MAX_BODY_BYTES = 256 * 1024
MAX_DEPTH = 8
MAX_QUERY_LENGTH = 8192
REPLACED = "\N{REPLACEMENT CHARACTER}"
"""A gateway puts it in place of bytes that are not UTF-8."""

_BODY_TOO_LARGE = ProblemDocument(
    "body_too_large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The body is too large",
    f"A body may have {MAX_BODY_BYTES} bytes at most.",
)
_QUERY_TOO_LONG = ProblemDocument(
    "query_too_long",
    HTTPStatus.REQUEST_URI_TOO_LONG,
    "The query is too long",
    f"A query may have {MAX_QUERY_LENGTH} characters at most.",
)
_NOT_JSON = ProblemDocument(
    "unsupported_media_type",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "Only JSON is understood",
    "Send the body as application/json.",
)
_MALFORMED = ProblemDocument(
    "malformed_json",
    HTTPStatus.BAD_REQUEST,
    "The body is not JSON",
    "The body cannot be read as JSON text in UTF-8 with unique keys.",
)
_TOO_DEEP = ProblemDocument(
    "too_deep",
    HTTPStatus.BAD_REQUEST,
    "The body is nested too deeply",
    f"Objects and arrays may be nested {MAX_DEPTH} levels deep at most.",
)


class BodyRefusedError(Exception):
    """The body is refused; ``document`` says why. It may not quote the body."""

    def __init__(self, document: ProblemDocument) -> None:
        super().__init__(document.code)
        self.document = document


def broken_limit(event: Mapping[str, Any]) -> ProblemDocument | None:
    """Return the document of the first limit that a request breaks, if any."""
    if len(event.get("rawQueryString") or "") > MAX_QUERY_LENGTH:
        return _QUERY_TOO_LONG
    body = event.get("body") or ""
    if not body:
        return None
    is_base64 = bool(event.get("isBase64Encoded"))
    if _size_bytes(body, is_base64=is_base64) > MAX_BODY_BYTES:
        return _BODY_TOO_LARGE
    media_type = _headers(event).get("content-type", JSON).partition(";")[0]
    if media_type.strip().lower() != JSON:
        return _NOT_JSON
    return None if _is_text(body, is_base64=is_base64) else _MALFORMED


def with_json_type(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event within the limits, with its media type as Powertools spells it."""
    return {**event, "headers": {**_headers(event), "content-type": JSON}}


def read_body(text: str) -> dict[str, Any]:
    """Parse a body, or raise BodyRefusedError.

    It is stricter than JSON in three points that hide mistakes: a key may come once only, NaN and
    Infinity are refused, and the top is an object.
    """
    try:
        body = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BodyRefusedError(_MALFORMED) from error
    if not isinstance(body, dict):
        raise BodyRefusedError(invalid_input([FieldError("body", "must be an object")]))
    if _depth(body) > MAX_DEPTH:
        raise BodyRefusedError(_TOO_DEEP)
    return body


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _size_bytes(body: str, *, is_base64: bool) -> int:
    return len(body) * 3 // 4 if is_base64 else len(body.encode(errors="surrogatepass"))


def _is_text(body: str, *, is_base64: bool) -> bool:
    try:
        content = base64.b64decode(body) if is_base64 else body.encode()
        text = content.decode()
    except ValueError:
        return False
    return REPLACED not in text


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        raise ValueError("a key comes twice")
    return unique


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("not a JSON number")


def _depth(value: Any) -> int:
    """Count the levels of objects and arrays; the text's size bounds the work."""
    deepest = 0
    waiting = [(value, 1)]
    while waiting:
        node, level = waiting.pop()
        if not isinstance(node, dict | list):
            continue
        deepest = max(deepest, level)
        children = node.values() if isinstance(node, dict) else node
        waiting.extend((child, level + 1) for child in children)
    return deepest
