"""What the bulk_sync function needs from its environment."""

from bridge.wiring.settings import (
    ConnectWiseAccess,
    CoordinationTable,
    HintsQueue,
    OperationsTable,
    RecordsTable,
    RunStepsQueue,
)


class BulkSyncSettings(
    RecordsTable, OperationsTable, CoordinationTable, ConnectWiseAccess, HintsQueue, RunStepsQueue
):
    """Everything that working on runs takes."""
