"""The settings name the resources that the manual_fetch function uses."""

from bridge.wiring.settings import OperationsTable, RunStepsQueue


class ManualFetchSettings(OperationsTable, RunStepsQueue):
    """These settings suffice to start a limited run."""
