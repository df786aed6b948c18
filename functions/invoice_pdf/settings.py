"""The settings name the resources that the invoice_pdf function uses."""

from bridge.wiring.settings import (
    ConnectWiseAccess,
    CoordinationTable,
    DocumentsBucket,
    HintsQueue,
    OperationsTable,
    RecordsTable,
)

SHARE_OF_TIME = 1 / 2
"""The part of the remaining time that one connection may take.

A batch holds up to five PDFs, perhaps each of another connection."""


class InvoicePdfSettings(
    RecordsTable,
    OperationsTable,
    CoordinationTable,
    ConnectWiseAccess,
    HintsQueue,
    DocumentsBucket,
):
    """These settings suffice to keep PDFs."""
