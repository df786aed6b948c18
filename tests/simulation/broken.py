"""Bridges that are broken on purpose. A simulation that does not find them proves nothing.

Each takes one shortcut that looks harmless; the test beside it says which invariant it breaks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from bridge.connectwise.callback_intake import Callback, CallbackIntake, Verdict
from bridge.domain.connection import Connection
from bridge.domain.customer import ArchiveReason, Customer
from bridge.domain.errors import ConflictError
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.run import Counters, Run, RunKind, RunStep
from bridge.ports import Psa, RecordStore
from bridge.sync.refreshing import Refresher
from bridge.sync.run_work import RunWorker
from bridge.sync.selection import Choice
from tests.simulation.wiring import Wiring


class _Delegate:
    """Is like its target but for what a subclass changes."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


# --- writes without looking -----------------------------------------------------------------------


class _ForcingStore(_Delegate):
    """Takes a conflict for a nuisance and writes over whatever is there."""

    def save_invoice(self, invoice: Invoice, *, expected_version: int, marks: str = "") -> int:
        try:
            return self._saved(invoice, expected_version, marks)
        except ConflictError:
            stored = self._target.get_invoice(invoice.partner_id, invoice.invoice_id)
            return self._saved(invoice, stored.version, marks)

    def _saved(self, invoice: Invoice, version: int, marks: str) -> int:
        saved: int = self._target.save_invoice(invoice, expected_version=version, marks=marks)
        return saved


class OverwritesWithoutVersionCheck(Wiring):
    """What was fetched earlier goes over what somebody else fetched later."""

    @cached_property
    def refresher(self) -> Refresher:
        records: RecordStore = _ForcingStore(self.outside.records)
        return Refresher(records, self.outside.problems, self.clock)


# --- believes what it is told ---------------------------------------------------------------------


class _TrustingIntake(_Delegate):
    """Archives at once what a callback says was deleted."""

    def __init__(self, intake: CallbackIntake, wiring: Wiring) -> None:
        super().__init__(intake)
        self._wiring = wiring

    def take(self, callback: Callback) -> Verdict:
        verdict: Verdict = self._target.take(callback)
        message = json.loads(callback.body)
        if verdict is Verdict.ACCEPTED and message["Action"] == "deleted":
            self._archive(callback.connection_id, message["Type"], message["ID"])
        return verdict

    def _archive(self, connection_id: str, type_name: str, source_id: int) -> None:
        connection = self._wiring.outside.connections.get(connection_id).value
        if connection is None or type_name != "company":
            return
        records = self._wiring.outside.records
        scope = (connection.partner_id, connection_id, [source_id])
        stored = records.get_customers(*scope)[source_id]
        if isinstance(stored.value, Customer):
            gone = stored.value.archived(
                ArchiveReason.DELETED_IN_CONNECTWISE, self._wiring.clock.now()
            )
            records.save_customer(gone, expected_version=stored.version)


class BelievesDeletedCallbacks(Wiring):
    """A callback may be old by the time it comes, or come again after the company is back."""

    @cached_property
    def callback_intake(self) -> CallbackIntake:
        return _TrustingIntake(super().callback_intake, self)  # type: ignore[return-value]


# --- runs -----------------------------------------------------------------------------------------


class _EagerWorker(RunWorker):
    def _save_and_go_on(self, outcome: tuple[Run, int], version: int) -> None:
        run, _ = outcome
        if run.server_time:
            for kind in (RecordKind.CUSTOMER, RecordKind.INVOICE):
                self._runs.set_watermark(run.connection_id, kind, run.server_time)
        super()._save_and_go_on(outcome, version)


class MovesWatermarksAtTheStart(Wiring):
    """What the run has not stored yet when it dies is never asked for again."""

    run_worker_class = _EagerWorker


class _HastyWorker(RunWorker):
    def _save_and_go_on(self, outcome: tuple[Run, int], version: int) -> None:
        run, delay_seconds = outcome
        if not run.has_ended:
            self._queue.send(run, delay_seconds=delay_seconds)
        if run.has_ended:
            super()._save_and_go_on(outcome, version)
        else:
            self._save(run, version)


class AsksForTheNextPageBeforeSaving(Wiring):
    """The next worker may be faster than the save: it finds the old page and drops the message."""

    run_worker_class = _HastyWorker


class _BrakelessWorker(RunWorker):
    def _check_mass_archive(self, connection: Connection, run: Run) -> None:
        return


class ArchivesWithoutABrake(Wiring):
    """A part of the organisation that is hidden for a while empties the mirror."""

    run_worker_class = _BrakelessWorker


class _SweepingWorker(RunWorker):
    def _finish(self, run: Run) -> None:
        super()._finish(run)
        if run.kind is RunKind.SWEEP and run.server_time:
            self._runs.set_watermark(run.connection_id, RecordKind.CUSTOMER, run.server_time)


class SweepsPassContactsBy(Wiring):
    """A sweep cannot see that a contact has another address, but says everything is stored."""

    run_worker_class = _SweepingWorker


class _ForgetfulWorker(RunWorker):
    """Remembers where a page ended but not what it found vanished."""

    def _save_and_go_on(self, outcome: tuple[Run, int], version: int) -> None:
        run, delay_seconds = outcome
        forgetful = replace(run, vanished_invoices=(), vanished_customers=())
        super()._save_and_go_on((forgetful, delay_seconds), version)


class ForgetsWhatVanished(Wiring):
    """Records whose callback got lost stay in the mirror for ever."""

    run_worker_class = _ForgetfulWorker


class _PromisingWorker(RunWorker):
    """Saves that a page is done, and then does it."""

    def _refresh(
        self, connection: Connection, psa: Psa, step: RunStep, choice: Choice
    ) -> tuple[Counters, int | None]:
        self._promised = (connection, psa, step, choice)
        return Counters(created=len(choice.source_ids)), None

    def _save_and_go_on(self, outcome: tuple[Run, int], version: int) -> None:
        super()._save_and_go_on(outcome, version)
        super()._refresh(*self._promised)


class SavesRunsBeforeTheirRecords(Wiring):
    """A worker that dies in between leaves records out that nobody asks for again."""

    run_worker_class = _PromisingWorker


class _CarelessWorker(RunWorker):
    def _defer(self, connection: Connection, kind: RecordKind, source_ids: Sequence[int]) -> None:
        return


class LeavesConflictsToNobody(Wiring):
    """A conflict is taken for a sign that somebody else has stored the same."""

    run_worker_class = _CarelessWorker
