"""What the dashboard_api function needs from its environment."""

from bridge.runtime.settings import (
    ConnectWiseAccess,
    CoordinationTable,
    DocumentsBucket,
    EgressAddresses,
    HintsQueue,
    OperationsTable,
    PdfsQueue,
    RecordsTable,
    RunStepsQueue,
    WebhookBase,
)


class DashboardSettings(
    RecordsTable,
    OperationsTable,
    CoordinationTable,
    ConnectWiseAccess,
    HintsQueue,
    RunStepsQueue,
    PdfsQueue,
    DocumentsBucket,
    WebhookBase,
    EgressAddresses,
):
    """Names of what the API works with; the values of secrets are never among them."""
