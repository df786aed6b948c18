"""What the reconciler function needs from its environment."""

from bridge.runtime.settings import (
    ConnectWiseAccess,
    CoordinationTable,
    OperationsTable,
    RunStepsQueue,
    WebhookBase,
)


class ReconcilerSettings(
    OperationsTable, CoordinationTable, ConnectWiseAccess, RunStepsQueue, WebhookBase
):
    """Everything that starting comparisons and keeping callbacks registered takes."""
