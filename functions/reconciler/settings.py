"""What the reconciler function needs from its environment."""

from bridge.wiring.settings import (
    ConnectWiseAccess,
    CoordinationTable,
    HintsQueue,
    LedgerTable,
    OperationsTable,
    RecordsTable,
    RunStepsQueue,
    WebhookBase,
    WriteBacksQueue,
    WriteBackTimings,
)

CALLBACKS_SHARE_OF_TIME = 1 / 10
"""The part of the remaining time that one connection's registrations may take: one start goes
through very many connections."""


class ReconcilerSettings(
    RecordsTable,
    OperationsTable,
    LedgerTable,
    CoordinationTable,
    ConnectWiseAccess,
    RunStepsQueue,
    HintsQueue,
    WriteBacksQueue,
    WriteBackTimings,
    WebhookBase,
):
    """Everything that comparing, waking write-backs and keeping callbacks registered takes."""
