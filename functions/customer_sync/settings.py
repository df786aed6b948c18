"""The settings name the resources that the customer_sync function uses."""

from bridge.wiring.settings import JobsQueue, OperationsTable


class CustomerSyncSettings(OperationsTable, JobsQueue):
    """These settings suffice to list connections and to send their jobs."""
