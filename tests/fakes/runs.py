"""The store keeps runs, slots, windows and watermarks in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.errors import ConflictError, RunActiveError, WindowTakenError
from bridge.domain.identity import RecordKind
from bridge.domain.run import RUN_LEASE, Run, RunKind
from bridge.domain.window import Window
from bridge.ports import EVERY_RUN, Clock, Page, RunQuery, Stored
from bridge.store.cursors import Position
from bridge.store.keys import run_index_keys, runs_of_connection_pk
from bridge.store.runs import STALLED
from tests.fakes.pages import cut_page

_SlotKey = tuple[str, RunKind]


@dataclass(frozen=True)
class RunSlot:
    run_id: str
    moved_at: datetime


class InMemoryRunStore:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._runs: dict[tuple[str, str], Stored[Run]] = {}
        self._slots: dict[_SlotKey, RunSlot] = {}
        self._windows: dict[_SlotKey, tuple[Window, str]] = {}
        self._watermarks: dict[tuple[str, RecordKind], datetime] = {}
        self._latest_sweeps: dict[str, str] = {}
        self._lock = threading.Lock()

    def start(self, run: Run, window: Window | None = None) -> None:
        with self._lock:
            key = (run.connection_id, run.kind)
            self._check_window(window)
            if self.get(run.connection_id, run.run_id).version:
                raise ConflictError("the run exists")
            slot = self._slots.get(key)
            if slot:
                self._overtake(run.connection_id, slot)
            now = self._clock.now()
            self._runs[run.connection_id, run.run_id] = Stored(run, 1)
            self._slots[key] = RunSlot(run.run_id, now)
            if window:
                self._windows[window.connection_id, window.kind] = (window, run.run_id)

    def _check_window(self, window: Window | None) -> None:
        if window is None:
            return
        taken = self._windows.get((window.connection_id, window.kind))
        if taken and taken[0].free_at > window.taken_at:
            raise WindowTakenError(taken[0].free_at)

    def _overtake(self, connection_id: str, slot: RunSlot) -> None:
        now = self._clock.now()
        if slot.moved_at > now - RUN_LEASE:
            raise RunActiveError(slot.run_id)
        old = self.get(connection_id, slot.run_id)
        if old.value and not old.value.has_ended:
            ended = old.value.failed(STALLED, now)
            self._runs[connection_id, slot.run_id] = Stored(ended, old.version + 1)

    def withdraw(self, run: Run, window: Window | None) -> None:
        with self._lock:
            stored = self.get(run.connection_id, run.run_id)
            if stored.version > 1:
                return
            key = (run.connection_id, run.kind)
            slot = self._slots.get(key)
            taken = self._windows.get((window.connection_id, window.kind)) if window else None
            if (slot and slot.run_id != run.run_id) or (taken and taken[1] != run.run_id):
                return
            self._runs.pop((run.connection_id, run.run_id), None)
            self._slots.pop(key, None)
            if window:
                self._windows.pop((window.connection_id, window.kind), None)

    def get(self, connection_id: str, run_id: str) -> Stored[Run]:
        return self._runs.get((connection_id, run_id), Stored(None, 0))

    def save(self, run: Run, *, expected_version: int) -> int:
        with self._lock:
            if self.get(run.connection_id, run.run_id).version != expected_version:
                raise ConflictError("the stored run moved on")
            key = (run.connection_id, run.kind)
            slot = self._slots.get(key)
            has_slot = slot is not None and slot.run_id == run.run_id
            if run.has_ended:
                if run.kind is RunKind.SWEEP and (has_slot or slot is None):
                    self._latest_sweeps[run.connection_id] = run.run_id
                if has_slot:
                    del self._slots[key]
            elif has_slot:
                self._slots[key] = RunSlot(run.run_id, self._clock.now())
            else:
                raise ConflictError("the run has lost its slot")
            self._runs[run.connection_id, run.run_id] = Stored(run, expected_version + 1)
            return expected_version + 1

    def keep_slot(self, run: Run) -> None:
        with self._lock:
            slot = self._slots.get((run.connection_id, run.kind))
            if slot is not None and slot.run_id == run.run_id:
                self._slots[run.connection_id, run.kind] = RunSlot(run.run_id, self._clock.now())

    def list_of_connection(
        self,
        connection_id: str,
        query: RunQuery = EVERY_RUN,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Run]:
        entries = [
            (Position(0, run_index_keys(stored.value)["gsi1sk"]), stored.value)
            for (owner_id, _), stored in self._runs.items()
            if owner_id == connection_id and stored.value and query.matches(stored.value)
        ]
        pk = runs_of_connection_pk(connection_id)
        return cut_page(entries, pk, query, limit=limit, cursor=cursor, is_descending=True)

    def latest_sweeps(self, connection_ids: Sequence[str]) -> Mapping[str, Run]:
        found = ((each, self._latest_sweeps.get(each)) for each in connection_ids)
        runs = (self.get(owner, run_id).value for owner, run_id in found if run_id)
        return {run.connection_id: run for run in runs if run}

    def get_window(self, connection_id: str, kind: RunKind) -> Window | None:
        taken = self._windows.get((connection_id, kind))
        return taken[0] if taken else None

    def list_active(self, connection_id: str) -> tuple[Run, ...]:
        slots = (self._slots.get((connection_id, kind)) for kind in RunKind)
        runs = (self.get(connection_id, slot.run_id).value for slot in slots if slot)
        return tuple(run for run in runs if run and not run.has_ended)

    def list_stalled(self, connection_id: str, unmoved_since: datetime) -> tuple[Run, ...]:
        slots = (self._slots.get((connection_id, kind)) for kind in RunKind)
        stalled = (slot for slot in slots if slot and slot.moved_at <= unmoved_since)
        runs = (self.get(connection_id, slot.run_id).value for slot in stalled)
        return tuple(run for run in runs if run and not run.has_ended)

    def get_watermark(self, connection_id: str, kind: RecordKind) -> datetime | None:
        return self._watermarks.get((connection_id, kind))

    def set_watermark(
        self,
        connection_id: str,
        kind: RecordKind,
        watermark: datetime,
        *,
        taken_since: datetime | None = None,
    ) -> None:
        stored = self._watermarks.get((connection_id, kind))
        if stored is None or (taken_since or stored) <= stored <= watermark:
            self._watermarks[connection_id, kind] = watermark

    def set_watermark_back(self, connection_id: str, kind: RecordKind, watermark: datetime) -> None:
        stored = self._watermarks.get((connection_id, kind))
        if stored is not None and watermark < stored:
            self._watermarks[connection_id, kind] = watermark
