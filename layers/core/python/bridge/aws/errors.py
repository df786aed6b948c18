"""This table says which error of the bridge each code of SQS, S3, EventBridge and Secrets Manager
stands for."""

from __future__ import annotations

from contextlib import AbstractContextManager

from bridge import aws_calls
from bridge.domain.errors import InfrastructureError, NotFoundError, PermanentError, ThrottledError


class ResourceExistsError(PermanentError):
    """A resource of that name exists already."""


class WrongStateError(PermanentError):
    """The present state of the resource forbids the request."""


_CODES: aws_calls.CodeTable = {
    ThrottledError: frozenset(
        {"RequestThrottled", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests"}
    ),
    InfrastructureError: frozenset(
        {"InternalFailure", "InternalServiceError", "RequestTimeout", "ServiceUnavailable"}
    ),
    NotFoundError: frozenset({"404", "NoSuchKey", "NotFound", "ResourceNotFoundException"}),
    ResourceExistsError: frozenset({"ResourceExistsException"}),
    WrongStateError: frozenset({"InvalidRequestException"}),
}


def translated(service: str) -> AbstractContextManager[None]:
    """Raise the bridge's own error for each error that botocore raises inside."""
    return aws_calls.translated(service, _CODES)
