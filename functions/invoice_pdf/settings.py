"""What the invoice_pdf function needs from its environment."""

from bridge.runtime.settings import (
    ConnectWiseAccess,
    CoordinationTable,
    DocumentsBucket,
    HintsQueue,
    OperationsTable,
    RecordsTable,
)


class InvoicePdfSettings(
    RecordsTable,
    OperationsTable,
    CoordinationTable,
    ConnectWiseAccess,
    HintsQueue,
    DocumentsBucket,
):
    """Everything that keeping PDFs takes."""
