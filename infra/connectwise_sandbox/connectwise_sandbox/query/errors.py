"""The query language refuses malformed parameters with these errors."""

HOW_VALUES_ARE_WRITTEN = (
    "Write text between double or single quotes, dates in square brackets such as "
    "[2026-01-31] or [2026-01-31T18:04:26Z], numbers as digits with an optional minus sign and "
    "decimal point, and true, false and null as bare words."
)


class QueryError(ValueError):
    """A query error says why ConnectWise would answer a query parameter with 400.

    The README of connectwise-rest records the rules in ConnectWise's words; the wording is ours.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        """The sentence for the error body."""
