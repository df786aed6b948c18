"""Messages in the queues hold ids and counts only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.job import CADENCES, Job, Tick

LONGEST_DELAY_SECONDS = 900
"""SQS holds a message back for so long at most."""


@dataclass(frozen=True, slots=True)
class RunMessage:
    """A worker goes on with this run."""

    connection_id: str
    run_id: str
    page_count: int
    """The number of pages that the run had when the message was sent."""
    times_put_off: int = 0
    """It counts how often in a row the page was to wait for a turn."""


@dataclass(frozen=True, slots=True)
class PdfRequest:
    """A worker fetches and keeps this invoice's PDF."""

    connection_id: str
    invoice_id: str
    times_put_off: int = 0
    """It counts how often in a row the PDF was to wait for a turn."""


@dataclass(frozen=True, slots=True)
class SigningKeyRequest:
    """A worker fetches a signing key that is served to API members only."""

    partner_id: str
    connection_id: str
    key_digest: str
    """It stands for the key's URL, which is a secret and lies in the table callbacks alone."""


@dataclass(frozen=True, slots=True)
class WriteBackMessage:
    """A worker drives this write-back on; the next step stands in the ledger alone."""

    connection_id: str
    write_back_id: str
    times_put_off: int = 0
    """It counts how often in a row all of its partner's places were taken."""


@dataclass(frozen=True, slots=True)
class JobMessage:
    """A worker does this job, or its next step, for the connection."""

    connection_id: str
    partner_id: str
    job: Job
    planned_at: datetime
    """The connection's moment for the job, to the second."""
    turn: str = ""
    """The token of the turn that a further step belongs to."""
    times_put_off: int = 0
    """It counts how often in a row the job waited for its turn."""
    is_repeated: bool = False
    """A worker failed at it before; told by the queue."""

    @property
    def expires_at(self) -> datetime:
        """Return when the next message of the job comes, which then does the work."""
        return self.planned_at + CADENCES[self.job].period


@dataclass(frozen=True, slots=True)
class TickMessage:
    """A worker goes on with a tick at this page of the connections."""

    tick: Tick
    cursor: str
