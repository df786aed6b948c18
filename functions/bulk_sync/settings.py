"""The settings name the resources that the bulk_sync function uses."""

from pydantic import Field

from bridge.domain.run import MAX_RECORDS
from bridge.wiring.settings import (
    CallbacksTable,
    ConnectWiseAccess,
    CoordinationTable,
    HintsQueue,
    OperationsTable,
    RecordsTable,
    RunStepsQueue,
)


class BulkSyncSettings(
    RecordsTable,
    OperationsTable,
    CallbacksTable,
    CoordinationTable,
    ConnectWiseAccess,
    HintsQueue,
    RunStepsQueue,
):
    """These settings suffice to work on runs."""

    max_records: int = Field(MAX_RECORDS, ge=1)
    """A run takes at most so many records of a kind."""
