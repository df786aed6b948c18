"""Archivings in memory."""

from __future__ import annotations

import threading

from bridge.domain.archiving import Archiving
from bridge.domain.errors import ConflictError
from bridge.ports import Stored


class InMemoryArchivingStore:
    def __init__(self) -> None:
        self._archivings: dict[tuple[str, str], Stored[Archiving]] = {}
        self._lock = threading.Lock()

    def forget_all(self) -> None:
        """Forget the notes, as if the archivings were made by a release that kept none."""
        self._archivings.clear()

    def get(self, connection_id: str, undo_id: str) -> Stored[Archiving]:
        return self._archivings.get((connection_id, undo_id), Stored(None, 0))

    def save(self, archiving: Archiving, *, expected_version: int) -> int:
        place = (archiving.connection_id, archiving.undo_id)
        with self._lock:
            if self.get(*place).version != expected_version:
                raise ConflictError("the archiving moved on")
            self._archivings[place] = Stored(archiving, expected_version + 1)
        return expected_version + 1

    def list_latest(self, connection_id: str, *, limit: int) -> tuple[Archiving, ...]:
        found = (s.value for (owner, _), s in self._archivings.items() if owner == connection_id)
        archivings = [each for each in found if each is not None]
        return tuple(sorted(archivings, key=lambda each: each.undo_id, reverse=True)[:limit])
