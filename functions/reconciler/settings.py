"""The settings name the resources that the reconciler function uses."""

from bridge.wiring.settings import (
    CallbacksTable,
    ConnectWiseAccess,
    CoordinationTable,
    HintsQueue,
    JobsQueue,
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
    CallbacksTable,
    LedgerTable,
    CoordinationTable,
    ConnectWiseAccess,
    RunStepsQueue,
    HintsQueue,
    JobsQueue,
    WriteBacksQueue,
    WriteBackTimings,
    WebhookBase,
):
    """These settings suffice to send jobs and to do them, and to wake write-backs."""
