"""The settings name the resources that the record_sync function uses."""

from bridge.wiring.settings import (
    CallbacksTable,
    ConnectWiseAccess,
    CoordinationTable,
    HintsAloneQueueUrl,
    HintsQueue,
    OperationsTable,
    PdfsQueue,
    RecordsTable,
)


class RecordSyncSettings(
    RecordsTable,
    OperationsTable,
    CallbacksTable,
    CoordinationTable,
    ConnectWiseAccess,
    HintsQueue,
    HintsAloneQueueUrl,
    PdfsQueue,
):
    """These settings suffice to look into hints."""
