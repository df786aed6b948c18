"""The capabilities that functions of this product are given, named once."""

from infra.config import StageConfig, WriteBackTimes
from infra.constructs import capability
from infra.constructs.capability import Capability
from infra.stacks.data import (
    LEDGER_INDEXES,
    OPERATIONS_INDEXES,
    RECORDS_INDEXES,
    DataStack,
    documents_objects_pattern,
)

_READ = ("GetItem", "BatchGetItem", "Query")


class DataAccess:
    """What may be done with the data stack's resources, each with the setting that names it."""

    def __init__(self, stage: StageConfig, data: DataStack) -> None:
        records_indexes = tuple(index.name for index in RECORDS_INDEXES)
        operations_indexes = tuple(index.name for index in OPERATIONS_INDEXES)
        ledger_indexes = tuple(index.name for index in LEDGER_INDEXES)
        self._secrets_prefix = f"bridge/{stage.name}/connections/"
        objects = documents_objects_pattern(stage)
        self.read_records = capability.use_table(
            "RECORDS_TABLE", data.records, _READ, indexes=records_indexes
        )
        self.write_records = capability.use_table(
            "RECORDS_TABLE", data.records, (*_READ, "PutItem"), indexes=records_indexes
        )
        self.read_callback_endpoints = capability.use_table(
            "OPERATIONS_TABLE", data.operations, ("GetItem",)
        )
        self.write_operations = capability.use_table(
            "OPERATIONS_TABLE",
            data.operations,
            (*_READ, "PutItem", "DeleteItem"),
            indexes=operations_indexes,
        )
        self.write_ledger = capability.use_table(
            "LEDGER_TABLE",
            data.ledger,
            (*_READ, "PutItem", "DeleteItem", "ConditionCheckItem"),
            indexes=ledger_indexes,
        )
        self.keep_signing_keys = capability.use_table(
            "COORDINATION_TABLE", data.coordination, ("GetItem", "PutItem")
        )
        self.share_calls = capability.use_table(
            "COORDINATION_TABLE", data.coordination, ("UpdateItem",)
        )
        self.take_turns = capability.use_table(
            "COORDINATION_TABLE", data.coordination, ("GetItem", "PutItem", "DeleteItem")
        )
        self.list_silences = capability.use_table(
            "COORDINATION_TABLE", data.coordination, ("Query",)
        )
        self.store_documents = capability.store_documents(
            "DOCUMENTS_BUCKET", data.documents, objects
        )
        self.read_documents = capability.read_documents("DOCUMENTS_BUCKET", data.documents, objects)
        self.publish_events = capability.publish_to("EVENT_BUS_NAME", data.bus)
        self.egress_addresses = capability.setting("EGRESS_ADDRESSES", data.egress_addresses)
        self.connectwise_client_id = capability.read_secret(
            "CONNECTWISE_CLIENT_ID_SECRET", data.client_id_secret
        )
        self.write_back_times = _write_back_times(stage.write_back_times)

    @property
    def read_connection_secrets(self) -> Capability:
        return capability.read_connection_secrets("SECRETS_PREFIX", self._secrets_prefix)

    @property
    def update_connection_secrets(self) -> Capability:
        return capability.update_connection_secrets("SECRETS_PREFIX", self._secrets_prefix)

    @property
    def manage_connection_secrets(self) -> Capability:
        return capability.manage_connection_secrets("SECRETS_PREFIX", self._secrets_prefix)


def _write_back_times(times: WriteBackTimes) -> Capability:
    """The settings that tell the code what the stage's configuration says."""
    return Capability(
        settings={
            "WRITE_BACK_WORKER_SECONDS": str(times.worker_seconds),
            "WRITE_BACK_IN_FLIGHT_SECONDS": str(times.in_flight_seconds),
            "WRITE_BACK_READ_LAG_SECONDS": str(times.read_lag_seconds),
        }
    )


def loopback_egress(stage: StageConfig) -> tuple[Capability, ...]:
    """The setting that lets the guarded client reach the sandbox: on this machine only."""
    if not stage.allow_loopback_egress:
        return ()
    return (capability.setting("ALLOW_LOOPBACK_EGRESS", "true"),)
