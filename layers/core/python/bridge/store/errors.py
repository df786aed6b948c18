"""This table says which error of the bridge each code of DynamoDB stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from bridge import aws_calls
from bridge.domain.errors import ConflictError, InfrastructureError, ThrottledError
from bridge.store.attributes import Item, to_item


class ConditionFailedError(ConflictError):
    """A condition of the request was false for the stored item."""

    def __init__(self, found: Mapping[int, Item]) -> None:
        super().__init__("the stored record moved on")
        self.found = found
        """The stored item, by the position of the failed write in the request; empty where
        nothing is stored."""


class ContendedError(ConflictError):
    """Another transaction holds the item right now; the same request may be made again."""


# Contention comes first: a condition that failed beside it may hold at the next attempt.
_CODES: aws_calls.CodeTable = {
    ContendedError: frozenset(
        {"TransactionConflict", "TransactionConflictException", "TransactionInProgressException"}
    ),
    ThrottledError: frozenset(
        {
            "LimitExceededException",
            "ProvisionedThroughputExceeded",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "ThrottlingError",
            "ThrottlingException",
        }
    ),
    InfrastructureError: frozenset(
        {"InternalFailure", "InternalServerError", "RequestTimeout", "ServiceUnavailable"}
    ),
}
_CONDITION_FAILED = frozenset({"ConditionalCheckFailed", "ConditionalCheckFailedException"})


@contextmanager
def translated() -> Iterator[None]:
    """Raise the bridge's own error for each error that botocore raises inside.

    A write whose answer was lost counts as failed, and may be repeated: every write carries a
    token by which its repetition is recognised (see ``table``).
    """
    with aws_calls.translated("DynamoDB", _CODES):
        try:
            yield
        except ClientError as error:
            found = _items_in_the_way(error.response)
            if found:
                raise ConditionFailedError(found) from error
            raise


def _items_in_the_way(response: Mapping[str, Any]) -> dict[int, Item]:
    """Return the item of each failed condition, if failed conditions are all that went wrong."""
    alone = {**response.get("Error", {}), "Item": response.get("Item", {})}
    reasons = response.get("CancellationReasons") or [alone]
    failed = {
        position: reason
        for position, reason in enumerate(reasons)
        if reason.get("Code", "None") != "None"
    }
    if any(reason["Code"] not in _CONDITION_FAILED for reason in failed.values()):
        return {}
    return {position: to_item(reason.get("Item", {})) for position, reason in failed.items()}
