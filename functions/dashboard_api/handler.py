"""Placeholder of the function `dashboard_api`."""


def lambda_handler(event: dict[str, object], context: object) -> dict[str, object]:
    """Answer nothing yet."""
    del event, context
    return {}
