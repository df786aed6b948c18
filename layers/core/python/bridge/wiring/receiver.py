"""The adapters of the webhook receiver are apart from the others because it starts lean.

It may not import pydantic or Powertools, and imports an HTTP client only to fetch a signing key.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.aws import clients
from bridge.aws.clock import SystemClock
from bridge.aws.queues import SqsHintQueue, SqsSender, SqsSigningKeyQueue
from bridge.connectwise.callback_intake import Callback, CallbackIntake, Verdict
from bridge.store.callback_endpoints import DynamoCallbackEndpoints
from bridge.store.connection_endpoints import ConnectionEndpoints
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
    connectwise_client_id_secret: str
    allow_loopback_egress: bool


class ReceiverAdapters:
    """The :class:`~bridge.wiring.ports.CallbackPorts` of the deployed receiver."""

    def __init__(self, settings: ReceiverSettings) -> None:
        dynamodb = clients.dynamodb_client()
        self._settings = settings
        self.clock = SystemClock()
        callbacks = Table(dynamodb, settings.callbacks_table, self.clock)
        operations = Table(dynamodb, settings.operations_table, self.clock)
        self.callback_endpoints = DynamoCallbackEndpoints(
            callbacks, before=ConnectionEndpoints(operations)
        )
        self.signing_keys = DynamoSigningKeyStore(callbacks, self.clock)
        sender = SqsSender(clients.sqs_client(), settings.hints_queue_url, self.clock)
        self.hints = SqsHintQueue(sender)
        self.key_requests = SqsSigningKeyQueue(sender)
        self.allow_loopback = settings.allow_loopback_egress

    def open_key_source(self) -> SigningKeySource:
        from bridge.aws.secret_vault import ClientIdSecret
        from bridge.connectwise.egress import GuardedTransport
        from bridge.connectwise.signing_keys import OpenSigningKeys

        client_id = ClientIdSecret(
            clients.secrets_client(), self.clock, self._settings.connectwise_client_id_secret
        )
        return OpenSigningKeys(
            transport=GuardedTransport(allow_loopback=self.allow_loopback),
            client_id=client_id.read,
            monotonic=time.monotonic,
            allow_loopback=self.allow_loopback,
        )


def build_callback_intake(settings: ReceiverSettings) -> CallbackIntake:
    return use_cases.callback_intake(ReceiverAdapters(settings))
