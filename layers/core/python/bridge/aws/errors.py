"""What the failures of AWS services mean to us: one table, read at one boundary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  # botocore's own, which is no builtin's subclass
    CredentialRetrievalError,
    HTTPClientError,
)

from bridge.domain.errors import (
    BridgeError,
    NotFoundError,
    PermanentError,
    ThrottledError,
    UnavailableError,
)

_THROTTLED = frozenset(
    {"RequestThrottled", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests"}
)
_UNAVAILABLE = frozenset(
    {"InternalFailure", "InternalServiceError", "RequestTimeout", "ServiceUnavailable"}
)
_NOT_FOUND = frozenset({"404", "NoSuchKey", "NotFound", "ResourceNotFoundException"})
_SERVER_FAULT = 500


class ResourceExistsError(PermanentError):
    """Something of that name is there already."""


class WrongStateError(PermanentError):
    """The resource is there, but its present state does not allow the request."""


@contextmanager
def translated(service: str) -> Iterator[None]:
    """Raise our own errors for whatever botocore raises inside; ``service`` is for messages."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error, service) from error
    except (ConnectionError, CredentialRetrievalError, HTTPClientError) as error:
        raise UnavailableError(f"{service} did not answer") from error
    except BotoCoreError as error:
        raise PermanentError(f"{service} was not asked properly") from error


def _meaning(error: ClientError, service: str) -> BridgeError:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _THROTTLED:
        return ThrottledError(f"{service} throttles")
    if code in _UNAVAILABLE or status >= _SERVER_FAULT:
        return UnavailableError(f"{service} failed")
    if code in _NOT_FOUND:
        return NotFoundError(f"{service} has no such thing")
    if code == "ResourceExistsException":
        return ResourceExistsError(f"{service} has it already")
    if code == "InvalidRequestException":
        return WrongStateError(f"{service} refused: {code}")
    return PermanentError(f"{service} refused: {code}")
