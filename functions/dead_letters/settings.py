"""What the dead_letters function needs from its environment."""

from bridge.wiring.settings import LedgerTable, OperationsTable, ParkedQueueUrl


class DeadLettersSettings(OperationsTable, LedgerTable, ParkedQueueUrl):
    """Everything that turning a poison message into a problem takes."""
