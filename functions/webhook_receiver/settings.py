"""What the webhook_receiver function needs from its environment, read without pydantic."""

from __future__ import annotations

import os

from bridge.wiring.receiver import ReceiverSettings

REQUIRED = (
    "OPERATIONS_TABLE",
    "COORDINATION_TABLE",
    "HINTS_QUEUE_URL",
    "SECRETS_PREFIX",
    "CONNECTWISE_CLIENT_ID_SECRET",
)


def read_settings() -> ReceiverSettings:
    """Raises KeyError with the name of a variable that is missing."""
    return ReceiverSettings(
        **{name.lower(): os.environ[name] for name in REQUIRED},
        allow_loopback_egress=os.environ.get("ALLOW_LOOPBACK_EGRESS", "false") == "true",
    )
