"""Messages in the queues hold ids and counts only."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_DELAY_SECONDS = 900
"""SQS holds a message back for so long at most."""


@dataclass(frozen=True, slots=True)
class RunMessage:
    """A worker goes on with this run."""

    connection_id: str
    run_id: str
    page_count: int
    """The number of pages that the run had when the message was sent."""


@dataclass(frozen=True, slots=True)
class PdfRequest:
    """A worker fetches and keeps this invoice's PDF."""

    connection_id: str
    invoice_id: str


@dataclass(frozen=True, slots=True)
class WriteBackMessage:
    """A worker drives this write-back on; the next step stands in the ledger alone."""

    connection_id: str
    write_back_id: str
    times_put_off: int = 0
    """It counts how often in a row all of its partner's places were taken."""
