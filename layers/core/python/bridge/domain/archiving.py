"""An archiving takes the records that the saved filters leave outside out of the open view."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from bridge.domain.filters import ImportFilters

_UNDO_ID_FORMAT = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True, slots=True)
class Archiving:
    """One archiving of a connection, over all requests that did a part of it."""

    connection_id: str
    undo_id: str
    """It follows from the time, which every archived record carries in its mark."""
    at: datetime
    filters: ImportFilters
    """The filters that left the records outside."""
    customer_count: int = 0
    invoice_count: int = 0
    """A request that broke off may have archived a few more than it could count."""
    contested_count: int = 0
    """Records that changed while an undo met them, and stayed archived."""
    undone_at: datetime | None = None

    @property
    def may_be_undone(self) -> bool:
        return self.undone_at is None


def undo_id_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_UNDO_ID_FORMAT)


def moment_of(undo_id: str) -> datetime:
    """Return the time that an undo id stands for. Raises ValueError for any other text."""
    moment = datetime.strptime(undo_id, _UNDO_ID_FORMAT).replace(tzinfo=UTC)
    if undo_id_of(moment) != undo_id:
        raise ValueError("not the one way to write this time")
    return moment
