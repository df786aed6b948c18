"""The settings of the webhook_receiver function come from its environment by plain Python."""

from __future__ import annotations

import os

from bridge.wiring.receiver import ReceiverSettings

REQUIRED = (
    "OPERATIONS_TABLE",
    "CALLBACKS_TABLE",
    "HINTS_QUEUE_URL",
    "CONNECTWISE_CLIENT_ID_SECRET",
)


def read_settings() -> ReceiverSettings:
    """Read the settings. Raises KeyError with the name of a variable that is missing."""
    return ReceiverSettings(
        **{name.lower(): os.environ[name] for name in REQUIRED},
        allow_loopback_egress=os.environ.get("ALLOW_LOOPBACK_EGRESS", "false") == "true",
    )
