"""DynamoDB's failures become ours by their codes, and keep their cause."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)

from bridge.domain.errors import BridgeError, InfrastructureError, PermanentError, ThrottledError
from bridge.store.errors import ConditionFailedError, ContendedError, translated


def client_error(code: str, status: int = 400, **extra: Any) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "secret item content"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **extra,
    }
    return ClientError(response, "PutItem")


def meaning(error: Exception) -> BridgeError:
    with pytest.raises(BridgeError) as raised, translated():
        raise error
    assert raised.value.__cause__ is error
    assert "secret" not in str(raised.value)
    return raised.value


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ProvisionedThroughputExceededException", 400, ThrottledError),
        ("ThrottlingException", 400, ThrottledError),
        ("RequestLimitExceeded", 400, ThrottledError),
        ("InternalServerError", 500, InfrastructureError),
        ("SomethingNew", 503, InfrastructureError),
        ("TransactionConflictException", 400, ContendedError),
        ("TransactionInProgressException", 400, ContendedError),
        ("AccessDeniedException", 400, PermanentError),
        ("ResourceNotFoundException", 400, PermanentError),
        ("ValidationException", 400, PermanentError),
        ("SomethingNew", 400, PermanentError),
    ],
)
def test_a_code_means_one_of_our_errors(
    code: str, status: int, expected: type[BridgeError]
) -> None:
    assert type(meaning(client_error(code, status))) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ReadTimeoutError(endpoint_url="x"), InfrastructureError),
        (ConnectTimeoutError(endpoint_url="x"), InfrastructureError),
        (EndpointConnectionError(endpoint_url="x"), InfrastructureError),
        (CredentialRetrievalError(provider="x", error_msg="x"), InfrastructureError),
        (ParamValidationError(report="secret"), PermanentError),
    ],
)
def test_no_answer_may_be_retried_and_a_wrong_question_not(
    error: BotoCoreError, expected: type[BridgeError]
) -> None:
    assert type(meaning(error)) is expected


def test_a_failed_condition_brings_the_item_in_the_way() -> None:
    item = {"version": {"N": "3"}}
    found = meaning(client_error("ConditionalCheckFailedException", Item=item))
    assert isinstance(found, ConditionFailedError)
    assert found.found == {0: {"version": 3}}


def reasons(*codes: str) -> ClientError:
    listed = [{"Code": code, "Item": {"n": {"N": str(i)}}} for i, code in enumerate(codes)]
    return client_error("TransactionCanceledException", CancellationReasons=listed)


def test_failed_conditions_of_a_transaction_keep_their_places() -> None:
    found = meaning(reasons("None", "ConditionalCheckFailed", "None", "ConditionalCheckFailed"))
    assert isinstance(found, ConditionFailedError)
    assert found.found == {1: {"n": 1}, 3: {"n": 3}}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("TransactionConflict", "None"), ContendedError),
        (("ConditionalCheckFailed", "TransactionConflict"), ContendedError),
        (("ThrottlingError", "None"), ThrottledError),
        (("ProvisionedThroughputExceeded",), ThrottledError),
        (("ValidationError", "ConditionalCheckFailed"), PermanentError),
        (("ItemCollectionSizeLimitExceeded",), PermanentError),
    ],
)
def test_a_transaction_is_what_its_worst_reason_says(
    codes: tuple[str, ...], expected: type[BridgeError]
) -> None:
    assert type(meaning(reasons(*codes))) is expected
