"""What the query language refuses."""

HOW_VALUES_ARE_WRITTEN = (
    "Write text between double or single quotes, dates in square brackets such as "
    "[2026-01-31T18:04:26Z], numbers as digits with an optional minus sign and decimal point, "
    "and true, false and null as bare words."
)


class QueryError(ValueError):
    """A query parameter that ConnectWise would answer with 400.

    `message` is the sentence for the error body. The rules that it explains are those of the
    error text which the connectwise-rest README records; the wording is ours.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
