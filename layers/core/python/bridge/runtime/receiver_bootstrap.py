"""Wires the webhook receiver, apart from ``bootstrap`` because it must start lean: no pydantic,
no Powertools, and an HTTP client only when a signing key has to be fetched."""

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

if TYPE_CHECKING:
    from bridge.ports import SigningKeySource

__all__ = ["Callback", "CallbackIntake", "ReceiverSettings", "Verdict", "build_callback_intake"]


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """See ``functions/webhook_receiver/settings.py``, which reads them from the environment."""

    operations_table: str
    coordination_table: str
    hints_queue_url: str
    secrets_prefix: str
    connectwise_client_id_secret: str
    allow_loopback_egress: bool


def build_callback_intake(settings: ReceiverSettings) -> CallbackIntake:
    clock = SystemClock()
    dynamodb = clients.dynamodb_client()

    def key_source() -> SigningKeySource:
        from bridge.aws.secret_vault import SecretsManagerVault  # noqa: PLC0415 - see above
        from bridge.connectwise.egress import GuardedTransport  # noqa: PLC0415 - see above
        from bridge.connectwise.signing_keys import (  # noqa: PLC0415 - see above
            MAX_KEY_BYTES,
            ConnectWiseSigningKeys,
        )

        return ConnectWiseSigningKeys(
            transport=GuardedTransport(
                allow_loopback=settings.allow_loopback_egress, max_answer_bytes=MAX_KEY_BYTES
            ),
            vault=SecretsManagerVault(
                clients.secrets_client(),
                clock,
                name_prefix=settings.secrets_prefix,
                client_id_secret=settings.connectwise_client_id_secret,
            ),
            monotonic=time.monotonic,
            allow_loopback=settings.allow_loopback_egress,
        )

    return CallbackIntake(
        endpoints=DynamoCallbackEndpoints(Table(dynamodb, settings.operations_table, clock)),
        keys=DynamoSigningKeyStore(Table(dynamodb, settings.coordination_table, clock), clock),
        key_source=key_source,
        hints=SqsHintQueue(SqsSender(clients.sqs_client(), settings.hints_queue_url, clock)),
        clock=clock,
        allow_loopback=settings.allow_loopback_egress,
    )
