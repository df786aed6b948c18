"""The settings name the resources that the dashboard_api function uses."""

from bridge.wiring.settings import (
    CallbacksTable,
    ConnectWiseAccess,
    CoordinationTable,
    DocumentsBucket,
    EgressAddresses,
    HintsQueue,
    LedgerTable,
    OperationsTable,
    PdfsQueue,
    RecordsTable,
    RunStepsQueue,
    WebhookBase,
    WriteBacksQueue,
    WriteBackTimings,
)


class DashboardSettings(
    RecordsTable,
    OperationsTable,
    CallbacksTable,
    CoordinationTable,
    LedgerTable,
    ConnectWiseAccess,
    HintsQueue,
    RunStepsQueue,
    PdfsQueue,
    WriteBacksQueue,
    WriteBackTimings,
    DocumentsBucket,
    WebhookBase,
    EgressAddresses,
):
    """These settings suffice for every route. They may not hold the values of secrets."""
