"""The settings name the resources that the invoice_pdf function uses."""

from bridge.wiring.settings import (
    CallbacksTable,
    ConnectWiseAccess,
    CoordinationTable,
    DocumentsBucket,
    HintsQueue,
    OperationsTable,
    PdfsQueue,
    RecordsTable,
)


class InvoicePdfSettings(
    RecordsTable,
    OperationsTable,
    CallbacksTable,
    CoordinationTable,
    ConnectWiseAccess,
    HintsQueue,
    PdfsQueue,
    DocumentsBucket,
):
    """These settings suffice to keep PDFs, or to put them off."""
