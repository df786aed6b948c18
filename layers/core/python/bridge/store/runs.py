"""The store keeps runs in DynamoDB, with the slots and windows that limit them, and watermarks.

A connection has one slot for each kind of run: an item that exists while such a run goes on, with
the run's id and the time when it moved last. A start writes run, slot and window in one
transaction, so one of many starts at once wins. The transaction that takes over the slot of a
stalled run also ends that run, which makes a late write of its worker fail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from bridge.domain.errors import ConflictError, RunActiveError, WindowTakenError
from bridge.domain.identity import RecordKind
from bridge.domain.run import RUN_LEASE, Run, RunKind
from bridge.domain.window import Window
from bridge.ports import EVERY_RUN, Clock, Page, RunQuery, Stored
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.codec import encode
from bridge.store.cursors import check_limit, read_cursor, write_cursor
from bridge.store.errors import ConditionFailedError
from bridge.store.expiry import epoch_seconds
from bridge.store.expressions import IS_NEW, Condition, version_is
from bridge.store.items import read_record, read_stored, read_time, record_item
from bridge.store.listing import read_chosen
from bridge.store.table import Range, Table, Write

ENDED_RUN_LIFE = timedelta(days=90)
STALLED = "stalled"


class DynamoRunStore:
    """The operations table fulfils :class:`bridge.ports.RunStore`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def start(self, run: Run, window: Window | None = None) -> None:
        try:
            self._start(run, window, [Write(self._slot_item(run), condition=IS_NEW)])
        except _SlotTakenError as error:
            if error.moved_at > self._clock.now() - RUN_LEASE:
                raise RunActiveError(error.run_id) from error
            self._take_over(run, window, error)

    def _take_over(self, run: Run, window: Window | None, taken: _SlotTakenError) -> None:
        """Start a run in the slot of a stalled one, and end the stalled one."""
        overtaken = self.get(run.connection_id, taken.run_id)
        slot = Write(
            self._slot_item(run),
            condition=Condition(
                "#run_id = :taken_by AND #moved_at = :moved_at",
                {"taken_by": taken.run_id, "moved_at": keys.timestamp(taken.moved_at)},
            ),
        )
        ending = []
        if overtaken.value is not None and not overtaken.value.has_ended:
            ended = overtaken.value.failed(STALLED, self._clock.now())
            condition = version_is(overtaken.version)
            ending = [Write(_run_item(ended, overtaken.version + 1), condition=condition)]
        try:
            self._start(run, window, [slot, *ending])
        except _SlotTakenError as error:
            raise RunActiveError(error.run_id) from error

    def _start(self, run: Run, window: Window | None, slot_writes: list[Write]) -> None:
        """Write run, slot and window, or raise the reason against it: the window's comes first."""
        writes = [Write(_run_item(run, 1), condition=IS_NEW), *slot_writes]
        if window:
            writes.append(_window_write(run, window))
        try:
            self._table.transact(writes)
        except ConditionFailedError as error:
            found = error.found
            if window and len(writes) - 1 in found:
                raise WindowTakenError(read_time(found[len(writes) - 1], "free_at")) from error
            slot = found.get(1)
            if slot:
                run_id = str(slot["run_id"])
                raise _SlotTakenError(run_id, read_time(slot, "moved_at")) from error
            raise

    def withdraw(self, run: Run, window: Window | None) -> None:
        is_untouched = Condition("attribute_not_exists(#pk) OR #version = :first", {"first": 1})
        writes = [
            Write(key=keys.run_key(run.connection_id, run.run_id), condition=is_untouched),
            Write(key=keys.slot_key(run.connection_id, run.kind), condition=_is_free_or_of(run)),
        ]
        if window:
            key = keys.window_key(window.connection_id, window.kind)
            writes.append(Write(key=key, condition=_is_free_or_of(run)))
        try:
            self._table.transact(writes)
        except ConditionFailedError:
            # A worker has the run after all, or it is long past: it stays as it is.
            return

    def get(self, connection_id: str, run_id: str) -> Stored[Run]:
        return read_stored(Run, self._table.get(keys.run_key(connection_id, run_id)))

    def save(self, run: Run, *, expected_version: int) -> int:
        version = expected_version + 1
        write = Write(_run_item(run, version), condition=version_is(expected_version))
        try:
            self._table.transact([write, self._slot_write(run), *_latest_writes(run)])
        except ConditionFailedError as error:
            if 0 in error.found or not run.has_ended:
                raise
            # It had ended before, and another run has the slot by now.
            self._table.transact([write])
        return version

    def keep_slot(self, run: Run) -> None:
        # Where another run has the slot, this one was ended by it.
        with suppress(ConditionFailedError):
            self._table.put(self._slot_item(run), _is_of(run))

    def list_of_connection(
        self,
        connection_id: str,
        query: RunQuery = EVERY_RUN,
        *,
        limit: int,
        cursor: str | None = None,
    ) -> Page[Run]:
        check_limit(limit)
        pk = keys.runs_of_connection_pk(connection_id)
        low, high = keys.days_between(query.created_from, query.created_to)

        def choose(items: Sequence[Item]) -> Sequence[Run | None]:
            runs = (read_record(Run, item) for item in items)
            return [run if query.matches(run) else None for run in runs]

        chosen = read_chosen(
            self._table,
            [Range(pk, low, high, keys.PARTNER_INDEX, is_descending=True)],
            after=read_cursor(cursor, pk, query),
            limit=limit,
            key_of=lambda run_id: keys.run_key(connection_id, run_id),
            choose=choose,
            drops_many=query != EVERY_RUN,
        )
        return Page(chosen.values, write_cursor(chosen.last, pk, query), chosen.is_partial)

    def latest_sweeps(self, connection_ids: Sequence[str]) -> Mapping[str, Run]:
        notes = self._table.get_many([keys.latest_sweep_key(each) for each in connection_ids])
        noted = (str(note["run_id"]) for note in notes.values())
        owners = (str(note["connection_id"]) for note in notes.values())
        run_keys = [keys.run_key(*each) for each in zip(owners, noted, strict=True)]
        runs = (read_record(Run, item) for item in self._table.get_many(run_keys).values())
        return {run.connection_id: run for run in runs}

    def get_window(self, connection_id: str, kind: RunKind) -> Window | None:
        item = self._table.get(keys.window_key(connection_id, kind))
        return Window(connection_id, kind, read_time(item, "taken_at")) if item else None

    def list_active(self, connection_id: str) -> tuple[Run, ...]:
        return self._active_runs(self._slots(connection_id))

    def list_stalled(self, connection_id: str, unmoved_since: datetime) -> tuple[Run, ...]:
        slots = self._slots(connection_id)
        return self._active_runs(
            [slot for slot in slots if read_time(slot, "moved_at") <= unmoved_since]
        )

    def _slots(self, connection_id: str) -> list[Item]:
        slot_keys = [keys.slot_key(connection_id, kind) for kind in RunKind]
        slots = self._table.get_many(slot_keys)
        return [slots[key] for key in slot_keys if key in slots]

    def _active_runs(self, slots: Sequence[Item]) -> tuple[Run, ...]:
        run_keys = [keys.run_key(str(slot["connection_id"]), str(slot["run_id"])) for slot in slots]
        found = self._table.get_many(run_keys)
        runs = (read_record(Run, found[key]) for key in run_keys if key in found)
        return tuple(run for run in runs if not run.has_ended)

    def get_watermark(self, connection_id: str, kind: RecordKind) -> datetime | None:
        item = self._table.get(keys.watermark_key(connection_id, kind))
        return read_time(item, "watermark") if item else None

    def set_watermark(
        self,
        connection_id: str,
        kind: RecordKind,
        watermark: datetime,
        *,
        taken_since: datetime | None = None,
    ) -> None:
        at = keys.timestamp(watermark)
        since = keys.timestamp(taken_since) if taken_since else keys.FIRST
        is_forward = Condition(
            "attribute_not_exists(#pk) OR #watermark BETWEEN :since AND :at",
            {"since": since, "at": at},
        )
        self._move_watermark(connection_id, kind, at, is_forward)

    def set_watermark_back(self, connection_id: str, kind: RecordKind, watermark: datetime) -> None:
        at = keys.timestamp(watermark)
        self._move_watermark(connection_id, kind, at, Condition("#watermark > :at", {"at": at}))

    def _move_watermark(
        self, connection_id: str, kind: RecordKind, at: str, condition: Condition
    ) -> None:
        key = keys.watermark_key(connection_id, kind)
        try:
            self._table.put({**key.attributes(), "watermark": at}, condition)
        except ConditionFailedError:
            # The stored one is on the far side already.
            return

    def _slot_item(self, run: Run) -> Item:
        moved_at = self._clock.now()
        return {
            **keys.slot_key(run.connection_id, run.kind).attributes(),
            **keys.slot_index_keys(run, moved_at),
            "connection_id": run.connection_id,
            "run_id": run.run_id,
            "moved_at": keys.timestamp(moved_at),
        }

    def _slot_write(self, run: Run) -> Write:
        if run.has_ended:
            key = keys.slot_key(run.connection_id, run.kind)
            return Write(key=key, condition=_is_free_or_of(run))
        return Write(self._slot_item(run), condition=_is_of(run))


class _SlotTakenError(ConflictError):
    def __init__(self, run_id: str, moved_at: datetime) -> None:
        super().__init__("the slot is taken")
        self.run_id = run_id
        self.moved_at = moved_at


def _run_item(run: Run, version: int) -> Item:
    item = record_item(
        keys.run_key(run.connection_id, run.run_id),
        keys.run_index_keys(run),
        version,
        encode(run),
    )
    if run.has_ended:
        ended_at = run.finished_at or run.created_at
        item["expires_at"] = epoch_seconds(ended_at + ENDED_RUN_LIFE)
    return item


def _latest_writes(run: Run) -> list[Write]:
    """Return the note of a connection's latest comparison, once that has ended."""
    if run.kind is not RunKind.SWEEP or not run.has_ended:
        return []
    note = {"connection_id": run.connection_id, "run_id": run.run_id}
    return [Write({**keys.latest_sweep_key(run.connection_id).attributes(), **note})]


def _window_write(run: Run, window: Window) -> Write:
    item: Item = {
        **keys.window_key(window.connection_id, window.kind).attributes(),
        "run_id": run.run_id,
        "taken_at": keys.timestamp(window.taken_at),
        "free_at": keys.timestamp(window.free_at),
        "expires_at": epoch_seconds(window.free_at),
    }
    is_free = Condition(
        "attribute_not_exists(#pk) OR #free_at <= :taken_at",
        {"taken_at": keys.timestamp(window.taken_at)},
    )
    return Write(item, condition=is_free)


def _is_of(run: Run) -> Condition:
    return Condition("#run_id = :run_id", {"run_id": run.run_id})


def _is_free_or_of(run: Run) -> Condition:
    return Condition(f"attribute_not_exists(#pk) OR {_is_of(run).expression}", _is_of(run).values)
