"""The settings name the resources that the customer_sync function uses."""

from bridge.wiring.settings import OperationsTable, RunStepsQueue


class CustomerSyncSettings(OperationsTable, RunStepsQueue):
    """These settings suffice to start runs."""
