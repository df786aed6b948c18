"""Placeholder of the function `manual_fetch`."""


def lambda_handler(event: dict[str, object], context: object) -> dict[str, object]:
    """Answer nothing yet."""
    del event, context
    return {}
