"""The adapters of the webhook receiver are apart from the others because it starts lean.

It may not import pydantic or Powertools, and imports an HTTP client only to fetch a signing key.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.aws import clients
from bridge.aws.clock import SystemClock
from bridge.aws.queues import SqsHintQueue, SqsSender
from bridge.connectwise.callback_intake import Callback, CallbackIntake, Verdict
from bridge.store.callback_endpoints import DynamoCallbackEndpoints
from bridge.store.signing_keys import DynamoSigningKeyStore
from bridge.store.table import Table
from bridge.wiring import use_cases

if TYPE_CHECKING:
    from bridge.ports import SigningKeySource

__all__ = ["Callback", "CallbackIntake", "ReceiverSettings", "Verdict", "build_callback_intake"]


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """``functions/webhook_receiver/settings.py`` reads these settings from the environment."""

    operations_table: str
    callbacks_table: str
    hints_queue_url: str
    secrets_prefix: str
    connectwise_client_id_secret: str
    allow_loopback_egress: bool


class ReceiverAdapters:
    """The :class:`~bridge.wiring.ports.CallbackPorts` of the deployed receiver."""

    def __init__(self, settings: ReceiverSettings) -> None:
        dynamodb = clients.dynamodb_client()
        self._settings = settings
        self.clock = SystemClock()
        self.callback_endpoints = DynamoCallbackEndpoints(
            Table(dynamodb, settings.operations_table, self.clock)
        )
        self.signing_keys = DynamoSigningKeyStore(
            Table(dynamodb, settings.callbacks_table, self.clock), self.clock
        )
        self.hints = SqsHintQueue(
            SqsSender(clients.sqs_client(), settings.hints_queue_url, self.clock)
        )
        self.allow_loopback = settings.allow_loopback_egress

    def open_key_source(self) -> SigningKeySource:
        from bridge.aws.secret_vault import SecretsManagerVault
        from bridge.connectwise.egress import GuardedTransport
        from bridge.connectwise.signing_keys import MAX_KEY_BYTES, ConnectWiseSigningKeys

        return ConnectWiseSigningKeys(
            transport=GuardedTransport(
                allow_loopback=self.allow_loopback, max_answer_bytes=MAX_KEY_BYTES
            ),
            vault=SecretsManagerVault(
                clients.secrets_client(),
                self.clock,
                name_prefix=self._settings.secrets_prefix,
                client_id_secret=self._settings.connectwise_client_id_secret,
            ),
            monotonic=time.monotonic,
            allow_loopback=self.allow_loopback,
        )


def build_callback_intake(settings: ReceiverSettings) -> CallbackIntake:
    return use_cases.callback_intake(ReceiverAdapters(settings))
