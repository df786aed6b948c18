"""The settings name the resources that the bulk_sync function uses."""

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
    """These settings suffice to work on runs."""
