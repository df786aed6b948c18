"""What is done for a partner takes one of his places; silent servers are spared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Activity(StrEnum):
    """Each activity has places of its own, so that none takes another's."""

    WRITE_BACK = "write_back"
    HINTS = "hints"
    RUN_STEP = "run_step"
    CALLS = "calls"
    """Its places are a connection's, for calls beside the first."""
    PDF = "pdf"
    JOB = "job"
    RECORD_SEARCH = "record_search"
    CONNECTING = "connecting"
    VERIFYING = "verifying"
    FILTER_PREVIEW = "filter_preview"
    SETUP_LISTS = "setup_lists"
    OUTSTANDING_SUMS = "outstanding_sums"
    RECORD_FETCH = "record_fetch"


@dataclass(frozen=True, slots=True)
class Place:
    """A place entitles its holder to one activity for one partner now."""

    partner_id: str
    activity: Activity
    number: int
    token: str
    """It is new with every holder."""


class PartnerPlaces(Protocol):
    """Each partner has a few numbered places for an activity.

    A worker holds one while it works for the partner. Places that are held until their time is
    over bound how often something is done.
    """

    def take(
        self, partner_id: str, activity: Activity, *, places: int, until: datetime
    ) -> Place | None:
        """Take one of the partner's places until then; return None while all are taken."""
        ...

    def release(self, place: Place) -> None:
        """Give the place back if its token still stands."""
        ...


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence says when a connection's silent server is asked again."""

    connection_id: str
    wait: timedelta
    """The time for which the server was left alone last."""
    next_probe_at: datetime
    token: str
    """It is new with every change."""


class SilenceStore(Protocol):
    """The silences of all connections are kept until their servers answer."""

    def get(self, connection_id: str) -> Silence | None: ...

    def list(self, *, limit: int) -> tuple[Silence, ...]:
        """Return silences of all partners, by connection."""
        ...

    def put(self, silence: Silence, *, replaces: str | None) -> bool:
        """Keep a silence in place of the one with this token; for None, only as the first.

        Return whether it is kept: another worker may have been faster.
        """
        ...

    def clear(self, connection_id: str) -> None: ...
