"""What the manual_fetch function needs from its environment."""

from bridge.runtime.settings import OperationsTable, RunStepsQueue


class ManualFetchSettings(OperationsTable, RunStepsQueue):
    """Everything that starting a limited run takes."""
