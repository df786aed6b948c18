"""ConnectWise refuses requests with these statuses and bodies.

They follow recorded clients and the vendor's developer guide. Where neither records a sentence,
it is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus

from connectwise_sandbox.messages import (
    Headers,
    Response,
    json_response,
    text_response,
)
from connectwise_sandbox.schemas import FieldError

HTML_NOT_FOUND = (
    "<!DOCTYPE html><html><head><title>404 - File or directory not found.</title></head>"
    "<body><h1>Server Error</h1><h2>404 - File or directory not found.</h2></body></html>"
)
HTML_BAD_GATEWAY = (
    "<html><head><title>502 Bad Gateway</title></head>"
    "<body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
CANNOT_ROUTE = "Cannot route. Codebase/company is invalid"


class ApiError(Exception):
    """An API error ends a request with an error's answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"answered {response.status}")
        self.response = response
        """The whole answer."""


def refused(status: int, code: str, message: str, headers: Headers | None = None) -> ApiError:
    """Return an error with a body of a code and a message."""
    return ApiError(json_response(status, {"code": code, "message": message}, headers))


def invalid_object(resource: str, errors: Sequence[FieldError], status: int = 400) -> ApiError:
    """Return the error for a body whose fields are wrong."""
    payload = {
        "code": "InvalidObject",
        "message": f"{resource} object is invalid",
        "errors": [asdict(error) for error in errors],
    }
    return ApiError(json_response(status, payload))


def invalid_field(
    resource: str, field: str, message: str, *, code: str = "InvalidField", status: int = 400
) -> ApiError:
    """Return the error for one wrong field."""
    return invalid_object(resource, [FieldError(code, message, resource, field)], status)


def missing_field(resource: str, field: str) -> ApiError:
    """Return the error for a required field that is absent."""
    message = f"The {field} field is required."
    return invalid_field(resource, field, message, code="MissingRequiredField")


def bad_reference(resource: str, field: str) -> ApiError:
    """Return the error for a reference to a missing record."""
    message = f"The {field} of the reference was not found."
    return invalid_field(resource, field, message, code="NotFound")


def record_not_found(label: str, record_id: int) -> ApiError:
    """Return the 404 for a record; `label` is its kind, for example `Invoice`."""
    return refused(404, "NotFound", f"{label} {record_id} not found")


def record_hidden(label: str, record_id: int, status: int) -> ApiError:
    """Return the 404 or 403 for a record outside the API member's part of the organisation."""
    return security() if status == HTTPStatus.FORBIDDEN else record_not_found(label, record_id)


def endpoint_not_found(status: int = 404) -> ApiError:
    """Return the error for an unknown path under the API."""
    return refused(status, "ConnectWiseApi", "The endpoint does not exist.")


def method_not_allowed() -> ApiError:
    """Return the error for a path that exists with other methods."""
    return refused(405, "MethodNotAllowed", "The endpoint does not support this method.")


def bad_request(message: str) -> ApiError:
    """Return the error for an unreadable query parameter or body."""
    return refused(400, "BadRequest", message)


def security() -> ApiError:
    """Return the error for a right that the member's security role lacks."""
    return refused(403, "Security", "You do not have security permission to perform this action.")


def unconvertible(value: object, field: str) -> ApiError:
    """Return the error for a value of the wrong JSON type (a 500, seen by pyconnectwise)."""
    message = f"Error converting value {value!r} to the type of '{field}'."
    return refused(500, "ConnectWiseApi", message)


def corrupt_page() -> ApiError:
    """Return the error of a list page with one broken row (seen by ConnectWiseManageAPI)."""
    return refused(500, "ConnectWiseApi", "String was not recognized as a valid Boolean.")


def too_many_requests(retry_after_seconds: int) -> ApiError:
    """Return the throttling error, whose body has `error` where others have `code`."""
    payload = {
        "error": "ConnectWiseAPI",
        "message": f"Too many requests. Please try again in {retry_after_seconds} seconds.",
    }
    return ApiError(json_response(429, payload, {"retry-after": str(retry_after_seconds)}))


def cannot_route() -> ApiError:
    """Return the plain-text error for an unknown codebase."""
    return ApiError(text_response(400, CANNOT_ROUTE))


def html_not_found() -> ApiError:
    """Return the web server's own page for a path outside the API."""
    return ApiError(text_response(404, HTML_NOT_FOUND, "text/html"))
