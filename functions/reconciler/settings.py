"""The settings name the resources that the reconciler function uses."""

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
"""The part of the remaining time that one connection's registrations may take.

One start goes through very many connections."""


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
    """These settings suffice to compare, wake write-backs and keep callbacks registered."""
