"""What the dead_letters function needs from its environment."""

from bridge.runtime.settings import OperationsTable, ParkedQueue


class DeadLettersSettings(OperationsTable, ParkedQueue):
    """Everything that turning a poison message into a problem takes."""
