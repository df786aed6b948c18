"""The store keeps archivings by filters, so that they can be found and undone."""

from __future__ import annotations

from typing import Protocol

from bridge.domain.archiving import Archiving
from bridge.ports.stored import Stored


class ArchivingStore(Protocol):
    """Archivings belong to a connection and stay for good."""

    def get(self, connection_id: str, undo_id: str) -> Stored[Archiving]: ...

    def save(self, archiving: Archiving, *, expected_version: int) -> int:
        """Write and return the new version. Raises ConflictError when the version moved."""
        ...

    def list_latest(self, connection_id: str, *, limit: int) -> tuple[Archiving, ...]:
        """Return the connection's latest archivings, the newest first."""
        ...
