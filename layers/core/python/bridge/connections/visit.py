"""A visit is one piece of work for a connection, as seen from ConnectWise's server."""

from __future__ import annotations

from enum import StrEnum

from bridge.domain.errors import (
    BridgeError,
    InfrastructureError,
    KeptWaitingError,
    TooLargeError,
    UnavailableError,
    UntrueListError,
)


class Visit(StrEnum):
    """A visit says whether the server was asked, and whether it answered."""

    UNASKED = "unasked"
    """ConnectWise was left alone, e.g. because somebody else holds the invoice."""
    ANSWERED = "answered"
    """ConnectWise answered, be it with a refusal."""
    UNANSWERED = "unanswered"
    """ConnectWise kept silent: the time ran out, the connection failed, or it answered nonsense."""


def visit_that_ended_with(error: Exception) -> Visit:
    """Return what an error of a visit says about the server.

    A list in disorder, or an answer that is too long, is an answer all the same.
    """
    match error:
        case InfrastructureError():
            return Visit.UNASKED
        case TooLargeError() | UntrueListError():
            return Visit.ANSWERED
        case UnavailableError() | KeptWaitingError():
            return Visit.UNANSWERED
        case BridgeError():
            return Visit.ANSWERED
    return Visit.UNASKED
