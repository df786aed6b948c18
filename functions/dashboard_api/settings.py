"""What the dashboard_api function needs from its environment."""

from bridge.runtime.settings import (
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
)


class DashboardSettings(
    RecordsTable,
    OperationsTable,
    CoordinationTable,
    LedgerTable,
    ConnectWiseAccess,
    HintsQueue,
    RunStepsQueue,
    PdfsQueue,
    WriteBacksQueue,
    DocumentsBucket,
    WebhookBase,
    EgressAddresses,
):
    """Names of what the API works with; the values of secrets are never among them."""
