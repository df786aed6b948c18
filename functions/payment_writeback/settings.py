"""The settings name the resources that the payment_writeback function uses."""

from bridge.wiring.settings import (
    ConnectWiseAccess,
    CoordinationTable,
    HintsQueue,
    LedgerTable,
    OperationsTable,
    WriteBackTimings,
)


class PaymentWritebackSettings(
    LedgerTable,
    OperationsTable,
    CoordinationTable,
    ConnectWiseAccess,
    HintsQueue,
    WriteBackTimings,
):
    """These settings suffice to drive a write-back."""
