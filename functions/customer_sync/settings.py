"""What the customer_sync function needs from its environment."""

from bridge.runtime.settings import OperationsTable, RunStepsQueue


class CustomerSyncSettings(OperationsTable, RunStepsQueue):
    """Everything that starting runs takes."""
