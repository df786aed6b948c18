"""The settings name the resources that the record_sync function uses."""

from bridge.wiring.settings import (
    ConnectWiseAccess,
    CoordinationTable,
    HintsQueue,
    OperationsTable,
    PdfsQueue,
    RecordsTable,
)

SHARE_OF_TIME = 1 / 3
"""The part of the remaining time that one connection may take.

A batch holds up to ten hints, perhaps each of another connection."""


class RecordSyncSettings(
    RecordsTable, OperationsTable, CoordinationTable, ConnectWiseAccess, HintsQueue, PdfsQueue
):
    """These settings suffice to look into hints."""
