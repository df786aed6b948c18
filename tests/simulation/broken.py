"""Bridges that are broken on purpose. A simulation that does not find them proves nothing.

Each takes one shortcut that looks harmless; the test beside it says which invariant it breaks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bridge.connectwise.callback_intake import Callback, CallbackIntake, Verdict
from bridge.domain.connection import Connection
from bridge.domain.customer import ArchiveReason, Customer
from bridge.domain.errors import ConflictError
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES, MirroredRecord
from bridge.domain.run import Counters, Run, RunKind
from bridge.mirror.page_refresh import PageRefresh
from bridge.mirror.refreshed import Refreshed
from bridge.mirror.run_worker import RunWorker
from bridge.mirror.selection import Choice
from bridge.ports import Psa
from bridge.wiring import use_cases
from tests.simulation.variants import Delegate, as_variant
from tests.simulation.wiring import Wiring

# --- writes without looking -----------------------------------------------------------------------


class _ForcingStore(Delegate):
    """Takes a conflict for a nuisance and writes over whatever is there."""

    def save(self, record: MirroredRecord, *, expected_version: int, **more: Any) -> int:
        try:
            version: int = self._target.save(record, expected_version=expected_version, **more)
        except ConflictError:
            if not isinstance(record, Invoice):
                raise
            stored = self._target.get(INVOICES, record.partner_id, record.invoice_id)
            version = self._target.save(record, expected_version=stored.version, **more)
        return version


class OverwritesWithoutVersionCheck(Wiring):
    """What was fetched earlier goes over what somebody else fetched later."""

    def spoil(self) -> None:
        self.records = _ForcingStore(self.records)


# --- believes what it is told ---------------------------------------------------------------------


class _TrustingIntake(CallbackIntake):
    """Archives at once what a callback says was deleted."""

    wiring: Wiring

    def take(self, callback: Callback) -> Verdict:
        verdict = super().take(callback)
        message = json.loads(callback.body)
        if verdict is Verdict.ACCEPTED and message["Action"] == "deleted":
            self._archive(callback.connection_id, message["Type"], message["ID"])
        return verdict

    def _archive(self, connection_id: str, type_name: str, source_id: int) -> None:
        connection = self.wiring.connections.get(connection_id).value
        if connection is None or type_name != "company":
            return
        records = self.wiring.records
        scope = (connection.partner_id, connection_id, [source_id])
        stored = records.get_mirrored(CUSTOMERS, *scope)[source_id]
        if isinstance(stored.value, Customer):
            now = self.wiring.clock.now()
            gone = stored.value.archived(ArchiveReason.DELETED_IN_CONNECTWISE, now)
            records.save(gone, expected_version=stored.version)


class BelievesDeletedCallbacks(Wiring):
    """A callback may be old by the time it comes, or come again after the company is back."""

    def spoil(self) -> None:
        self.callback_intake = as_variant(self.callback_intake, _TrustingIntake, wiring=self)


# --- runs -----------------------------------------------------------------------------------------


class _EagerWorker(RunWorker):
    def _save_and_go_on(
        self, connection: Connection, outcome: tuple[Run, int], version: int
    ) -> None:
        run, _ = outcome
        if run.server_time:
            for kind in (RecordKind.CUSTOMER, RecordKind.INVOICE):
                self._runs.set_watermark(run.connection_id, kind, run.server_time)
        super()._save_and_go_on(connection, outcome, version)


class MovesWatermarksAtTheStart(Wiring):
    """What the run has not stored yet when it dies is never asked for again."""

    def spoil(self) -> None:
        self.run_worker = as_variant(self.run_worker, _EagerWorker)


class _HastyWorker(RunWorker):
    def _save_and_go_on(
        self, connection: Connection, outcome: tuple[Run, int], version: int
    ) -> None:
        run, delay_seconds = outcome
        if not run.has_ended:
            self._queue.send(run, delay_seconds=delay_seconds)
        if run.has_ended:
            super()._save_and_go_on(connection, outcome, version)
        else:
            self._save(run, version)


class AsksForTheNextPageBeforeSaving(Wiring):
    """The next worker may be faster than the save: it finds the old page and drops the message."""

    def spoil(self) -> None:
        self.run_worker = as_variant(self.run_worker, _HastyWorker)


class _BrakelessWorker(RunWorker):
    def _check_mass_archive(self, connection: Connection, run: Run) -> None:
        return


class ArchivesWithoutABrake(Wiring):
    """A part of the organisation that is hidden for a while empties the mirror."""

    def spoil(self) -> None:
        self.run_worker = as_variant(self.run_worker, _BrakelessWorker)


class _SweepingWorker(RunWorker):
    def _finish(self, connection: Connection, run: Run) -> None:
        super()._finish(connection, run)
        if run.kind is RunKind.SWEEP and run.server_time:
            self._runs.set_watermark(run.connection_id, RecordKind.CUSTOMER, run.server_time)


class SweepsPassContactsBy(Wiring):
    """A sweep cannot see that a contact has another address, but says everything is stored."""

    def spoil(self) -> None:
        self.run_worker = as_variant(self.run_worker, _SweepingWorker)


class _ForgetfulWorker(RunWorker):
    """Remembers where a page ended but not what it found vanished."""

    def _save_and_go_on(
        self, connection: Connection, outcome: tuple[Run, int], version: int
    ) -> None:
        run, delay_seconds = outcome
        forgetful = replace(run, vanished_invoices=(), vanished_customers=())
        super()._save_and_go_on(connection, (forgetful, delay_seconds), version)


class ForgetsWhatVanished(Wiring):
    """Records whose callback got lost stay in the mirror for ever."""

    def spoil(self) -> None:
        self.run_worker = as_variant(self.run_worker, _ForgetfulWorker)


class _PromisedRefresh(PageRefresh):
    """Says that a page is done, and does it when it is told to."""

    def refresh(
        self, connection: Connection, psa: Psa, run: Run, choice: Choice
    ) -> tuple[Choice, Refreshed]:
        self._promised = (connection, psa, run, choice)
        return choice, Refreshed(Counters(created=len(choice.source_ids)))

    def keep_promise(self) -> None:
        super().refresh(*self._promised)


class _PromisingWorker(RunWorker):
    """Saves that a page is done, and then does it."""

    promised_refresh: _PromisedRefresh

    def _save_and_go_on(
        self, connection: Connection, outcome: tuple[Run, int], version: int
    ) -> None:
        super()._save_and_go_on(connection, outcome, version)
        self.promised_refresh.keep_promise()


class SavesRunsBeforeTheirRecords(Wiring):
    """A worker that dies in between leaves records out that nobody asks for again."""

    def spoil(self) -> None:
        promised = as_variant(use_cases.page_refresh(self), _PromisedRefresh)
        parts = {"_page_refresh": promised, "promised_refresh": promised}
        self.run_worker = as_variant(self.run_worker, _PromisingWorker, **parts)


class _CarelessRefresh(PageRefresh):
    def _defer(self, connection: Connection, kind: RecordKind, source_ids: Sequence[int]) -> None:
        return


class LeavesConflictsToNobody(Wiring):
    """A conflict is taken for a sign that somebody else has stored the same."""

    def spoil(self) -> None:
        careless = as_variant(use_cases.page_refresh(self), _CarelessRefresh)
        self.run_worker = as_variant(self.run_worker, RunWorker, _page_refresh=careless)
