"""Every call of an AWS service goes through this module: it translates botocore's errors into the
bridge's own and spaces repeated attempts.

Each adapter brings a table of the error codes of its services.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  # botocore's own, which is no builtin's subclass
    CredentialRetrievalError,
    HTTPClientError,
)

from bridge.domain.backoff import backoff_seconds
from bridge.domain.errors import BridgeError, InfrastructureError, PermanentError

if TYPE_CHECKING:
    from bridge.ports import Clock

CodeTable: TypeAlias = Mapping[type[BridgeError], frozenset[str]]
"""The codes that stand for each error; of several codes in one answer, the first row decides."""

MAX_ATTEMPTS = 4
FIRST_WAIT_SECONDS = 0.1
_SERVER_FAULT = 500


@contextmanager
def translated(service: str, table: CodeTable) -> Iterator[None]:
    """Raise the bridge's own error for each error that botocore raises inside.

    ``service`` is the name that messages use. A code outside the table is an InfrastructureError if
    the service blames itself (status 500 and above), and else a PermanentError.
    """
    try:
        yield
    except ClientError as error:
        raise _error_of(error.response, service, table) from error
    except (ConnectionError, CredentialRetrievalError, HTTPClientError) as error:
        raise InfrastructureError(f"{service} did not answer") from error
    except BotoCoreError as error:
        raise PermanentError(f"{service} was not asked properly") from error


def attempts(
    clock: Clock, *, limit: int = MAX_ATTEMPTS, first_wait_seconds: float = FIRST_WAIT_SECONDS
) -> Iterator[None]:
    """Yield once for each attempt, up to ``limit`` times, and wait after each of them."""
    for attempt in range(limit):
        yield
        jitter = random.random()  # noqa: S311  # spreads attempts, hides nothing
        clock.sleep(backoff_seconds(attempt, first_seconds=first_wait_seconds, jitter=jitter))


def _error_of(response: Mapping[str, Any], service: str, table: CodeTable) -> BridgeError:
    codes = _codes(response)
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    other = InfrastructureError if status >= _SERVER_FAULT else PermanentError
    kind = next((kind for kind, known in table.items() if codes & known), other)
    return kind(f"{service} answered {', '.join(sorted(codes))}")


def _codes(response: Mapping[str, Any]) -> set[str]:
    """Return the code of the answer, or the codes of all parts of a cancelled transaction."""
    reasons = response.get("CancellationReasons") or [response.get("Error", {})]
    return {reason.get("Code", "None") for reason in reasons} - {"None"}
