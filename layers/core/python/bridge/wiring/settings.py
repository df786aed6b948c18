"""Settings come from the environment, are checked once before any work, and are frozen.

Each function's ``settings.py`` names its needs by inheriting from the classes here. Names of
tables, queues and secrets may not have defaults: a missing one must stop the function instead of
pointing it somewhere. A test compares each function's settings with the environment that the
stacks give it.
"""

from __future__ import annotations

import os
from typing import Self

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """All settings have this base; the field ``records_table`` is read from ``RECORDS_TABLE``."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        defer_build=True,  # A function reads the last class of a line alone.
    )

    @classmethod
    def from_environment(cls) -> Self:
        """Read this class's fields. Raises pydantic's ValidationError, which leaves values out."""
        names = {name: name.upper() for name in cls.model_fields}
        return cls.model_validate(
            {name: os.environ[key] for name, key in names.items() if key in os.environ}
        )


class RecordsTable(Settings):
    records_table: str = Field(min_length=3)


class OperationsTable(Settings):
    operations_table: str = Field(min_length=3)


class CoordinationTable(Settings):
    coordination_table: str = Field(min_length=3)


class CallbacksTable(Settings):
    callbacks_table: str = Field(min_length=3)


class ConnectWiseAccess(Settings):
    """These settings lead to ConnectWise and the secrets for it."""

    secrets_prefix: str = Field(min_length=3)
    connectwise_client_id_secret: str = Field(min_length=3)
    allow_loopback_egress: bool = False
    """Only the system on one machine sets it."""


class LedgerTable(Settings):
    ledger_table: str = Field(min_length=3)


class HintsQueue(Settings):
    hints_queue_url: str = Field(min_length=8)


class HintsAloneQueueUrl(Settings):
    hints_alone_queue_url: str = Field(min_length=8)


class RunStepsQueue(Settings):
    run_steps_queue_url: str = Field(min_length=8)


class JobsQueue(Settings):
    jobs_queue_url: str = Field(min_length=8)


class PdfsQueue(Settings):
    pdf_queue_url: str = Field(min_length=8)


class ParkedQueueUrl(Settings):
    parked_queue_url: str = Field(min_length=8)


class WriteBacksQueue(Settings):
    writebacks_queue_url: str = Field(min_length=8)


class WriteBackTimings(Settings):
    """These limits bound an attempt to write a payment, for the reasons in ``domain.write_back``.

    They may not have defaults, since a wait that is too short posts a payment twice.
    """

    write_back_worker_seconds: int = Field(ge=10, le=900)
    """The function's own timeout: the stacks set both from one number."""
    write_back_in_flight_seconds: int = Field(ge=1, le=3600)
    write_back_read_lag_seconds: int = Field(ge=1, le=600)


class DocumentsBucket(Settings):
    documents_bucket: str = Field(min_length=3)


class WebhookBase(Settings):
    webhook_base_url: str = Field(min_length=8)


class EgressAddresses(Settings):
    """Our calls come from these addresses, which a partner's firewall has to let in."""

    egress_addresses: str = ""
    """Separated by commas."""


class EventBusName(Settings):
    event_bus_name: str = Field(min_length=1)
