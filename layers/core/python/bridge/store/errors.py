"""What DynamoDB's failures mean to us: one table, read at one boundary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  # botocore's own, which is no builtin's subclass
    CredentialRetrievalError,
    HTTPClientError,
)

from bridge.domain.errors import (
    BridgeError,
    ConflictError,
    PermanentError,
    ThrottledError,
    UnavailableError,
)
from bridge.store.attributes import Item, to_item

_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
    }
)
_UNAVAILABLE = frozenset(
    {"InternalFailure", "InternalServerError", "RequestTimeout", "ServiceUnavailable"}
)
_CONTENDED = frozenset(
    {"TransactionConflict", "TransactionConflictException", "TransactionInProgressException"}
)
_CONDITION_FAILED = frozenset({"ConditionalCheckFailed", "ConditionalCheckFailedException"})
_SERVER_FAULT = 500


class ConditionFailedError(ConflictError):
    """Conditions did not hold. ``found`` has, by the place of the write in its request, the item
    that stood in the way (empty when nothing is stored there)."""

    def __init__(self, found: Mapping[int, Item]) -> None:
        super().__init__("the stored record moved on")
        self.found = found


class ContendedError(ConflictError):
    """Another transaction holds the item right now; the same request may be made again."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise our own errors for whatever botocore raises inside.

    A write whose answer was lost counts as not done: every write carries a token by which its
    repetition is recognised (see ``table``).
    """
    try:
        yield
    except ClientError as error:
        raise _meaning(error) from error
    except (ConnectionError, CredentialRetrievalError, HTTPClientError) as error:
        raise UnavailableError("DynamoDB did not answer") from error
    except BotoCoreError as error:
        raise PermanentError("DynamoDB was not asked properly") from error


def _meaning(error: ClientError) -> BridgeError:
    response: Mapping[str, Any] = error.response
    code = response.get("Error", {}).get("Code", "")
    if code == "TransactionCanceledException":
        return _meaning_of_reasons(response.get("CancellationReasons", ()))
    if code in _CONDITION_FAILED:
        return ConditionFailedError({0: to_item(response.get("Item", {}))})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= _SERVER_FAULT:
        return UnavailableError("DynamoDB failed")
    return _by_code({code})


def _meaning_of_reasons(reasons: list[Mapping[str, Any]]) -> BridgeError:
    """Contention comes before failed conditions, because those may be read anew afterwards."""
    codes = {reason.get("Code", "None") for reason in reasons} - {"None"}
    if codes and codes <= _CONDITION_FAILED:
        return ConditionFailedError(
            {
                place: to_item(reason.get("Item", {}))
                for place, reason in enumerate(reasons)
                if reason.get("Code") in _CONDITION_FAILED
            }
        )
    return _by_code(codes - _CONDITION_FAILED)


def _by_code(codes: set[str]) -> BridgeError:
    if codes & _CONTENDED:
        return ContendedError("another transaction holds the record")
    if codes & _THROTTLED:
        return ThrottledError("DynamoDB throttles")
    if codes & _UNAVAILABLE:
        return UnavailableError("DynamoDB failed")
    return PermanentError(f"DynamoDB refused: {', '.join(sorted(codes))}")
