"""AWS's failures become ours by their codes."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError

from bridge.aws.errors import ResourceExistsError, WrongStateError, translated
from bridge.domain.errors import (
    BridgeError,
    InfrastructureError,
    NotFoundError,
    PermanentError,
    ThrottledError,
)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ThrottlingException", 400, ThrottledError),
        ("SlowDown", 503, ThrottledError),
        ("InternalFailure", 500, InfrastructureError),
        ("SomethingNew", 502, InfrastructureError),
        ("404", 404, NotFoundError),
        ("ResourceNotFoundException", 400, NotFoundError),
        ("ResourceExistsException", 400, ResourceExistsError),
        ("InvalidRequestException", 400, WrongStateError),
        ("AccessDenied", 403, PermanentError),
        ("403", 403, PermanentError),
    ],
)
def test_a_code_means_one_of_our_errors(
    code: str, status: int, expected: type[BridgeError]
) -> None:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(expected) as raised, translated("S3"):
        raise ClientError(response, "GetObject")
    assert type(raised.value) is expected


def test_no_answer_may_be_retried_and_a_wrong_question_not() -> None:
    with pytest.raises(InfrastructureError), translated("S3"):
        raise ReadTimeoutError(endpoint_url="x")
    with pytest.raises(PermanentError), translated("S3"):
        raise ParamValidationError(report="x")
