"""What the record_sync function needs from its environment."""

from bridge.runtime.settings import (
    ConnectWiseAccess,
    CoordinationTable,
    HintsQueue,
    OperationsTable,
    PdfsQueue,
    RecordsTable,
)


class RecordSyncSettings(
    RecordsTable, OperationsTable, CoordinationTable, ConnectWiseAccess, HintsQueue, PdfsQueue
):
    """Everything that looking into hints takes."""
