"""The capabilities that functions of this product are given, named once."""

from infra.config import StageConfig, WriteBackTimes
from infra.constructs import capability
from infra.constructs.capability import Capability
from infra.stacks.data import DataStack, documents_objects_pattern
from infra.stacks.table_rights import TABLE_RIGHTS


class DataAccess:
    """What may be done with the data stack's resources, each with the setting that names it."""

    def __init__(self, stage: StageConfig, data: DataStack) -> None:
        self._secrets_prefix = f"bridge/{stage.name}/connections/"
        objects = documents_objects_pattern(stage)
        self._tables = {
            "records": ("RECORDS_TABLE", data.records),
            "operations": ("OPERATIONS_TABLE", data.operations),
            "ledger": ("LEDGER_TABLE", data.ledger),
            "coordination": ("COORDINATION_TABLE", data.coordination),
            "callbacks": ("CALLBACKS_TABLE", data.callbacks),
        }
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

    def tables(self, function: str) -> list[Capability]:
        """The use of each table that the function has rights on."""
        return [
            capability.use_table(*self._tables[table], rights)
            for table, rights in TABLE_RIGHTS.get(function, {}).items()
        ]

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
