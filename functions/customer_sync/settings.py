"""What the customer_sync function needs from its environment."""

from bridge.wiring.settings import OperationsTable, RunStepsQueue


class CustomerSyncSettings(OperationsTable, RunStepsQueue):
    """Everything that starting runs takes."""
