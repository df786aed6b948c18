"""What the queues' messages say: ids and counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunMessage:
    """Which run to go on with, and how many pages it had when the message was sent."""

    connection_id: str
    run_id: str
    page_count: int


@dataclass(frozen=True, slots=True)
class PdfRequest:
    """Which invoice's PDF to keep."""

    connection_id: str
    invoice_id: str


@dataclass(frozen=True, slots=True)
class WriteBackMessage:
    """Which write-back to drive on. What is to be done is in the ledger, never in a message."""

    connection_id: str
    write_back_id: str
