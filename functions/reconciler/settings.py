"""What the reconciler function needs from its environment."""

from bridge.runtime.settings import (
    ConnectWiseAccess,
    CoordinationTable,
    HintsQueue,
    LedgerTable,
    OperationsTable,
    RecordsTable,
    RunStepsQueue,
    WebhookBase,
    WriteBacksQueue,
    WriteBackTimings,
)


class ReconcilerSettings(
    RecordsTable,
    OperationsTable,
    LedgerTable,
    CoordinationTable,
    ConnectWiseAccess,
    RunStepsQueue,
    HintsQueue,
    WriteBacksQueue,
    WriteBackTimings,
    WebhookBase,
):
    """Everything that comparing, waking write-backs and keeping callbacks registered takes."""
