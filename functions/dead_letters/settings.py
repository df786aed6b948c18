"""What the dead_letters function needs from its environment."""

from bridge.runtime.settings import LedgerTable, OperationsTable, ParkedQueue


class DeadLettersSettings(OperationsTable, LedgerTable, ParkedQueue):
    """Everything that turning a poison message into a problem takes."""
