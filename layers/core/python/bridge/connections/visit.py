"""A visit is one piece of work for a connection, as seen from ConnectWise's server."""

from __future__ import annotations

from enum import StrEnum


class Visit(StrEnum):
    """A visit says whether the server was asked, and whether it answered."""

    UNASKED = "unasked"
    """ConnectWise was left alone, e.g. because somebody else holds the invoice."""
    ANSWERED = "answered"
    """ConnectWise answered, be it with a refusal."""
    UNANSWERED = "unanswered"
    """ConnectWise kept silent: the time ran out, or the connection failed."""
