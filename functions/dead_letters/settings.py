"""The settings name the resources that the dead_letters function uses."""

from bridge.wiring.settings import LedgerTable, OperationsTable, ParkedQueueUrl


class DeadLettersSettings(OperationsTable, LedgerTable, ParkedQueueUrl):
    """These settings suffice to turn a poison message into a problem."""
