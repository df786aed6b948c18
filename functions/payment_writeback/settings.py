"""The settings name the resources that the payment_writeback function uses."""

from bridge.wiring.settings import (
    CallbacksTable,
    ConnectWiseAccess,
    CoordinationTable,
    HintsQueue,
    LedgerTable,
    OperationsTable,
    RecordsTable,
    WriteBacksQueue,
    WriteBackTimings,
)


class PaymentWritebackSettings(
    RecordsTable,
    LedgerTable,
    OperationsTable,
    CallbacksTable,
    CoordinationTable,
    ConnectWiseAccess,
    HintsQueue,
    WriteBacksQueue,
    WriteBackTimings,
):
    """These settings suffice to drive a write-back, or to put it off."""
