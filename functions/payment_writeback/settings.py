"""What the payment_writeback function needs from its environment."""

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
    """Everything that driving a write-back takes."""
