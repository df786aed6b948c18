"""A run's next page is done here.

A message only says "this run, this page". The run's own record holds its position, so a message
that comes twice, late or after a crash is harmless: pages are idempotent, and of two workers on
the same page the record's version lets one move the run on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bridge.connections.health import CONNECTION_ERRORS, ConnectionHealth
from bridge.domain.connection import Connection
from bridge.domain.errors import (
    ConflictError,
    MassArchiveStoppedError,
    OutcomeUnknownError,
    OutOfTimeError,
    PermanentError,
    RetryableError,
)
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import MIRRORED_KINDS
from bridge.domain.problem import (
    RECORD_PROBLEMS,
    ProblemCode,
    ProblemReport,
    record_of_subject,
    record_subject,
)
from bridge.domain.run import (
    DELTA_RUNS,
    MAX_ATTEMPTS_PER_PAGE,
    Counters,
    Run,
    RunKind,
    RunState,
    RunStep,
    Selection,
    kinds_completed_by,
)
from bridge.domain.work_messages import RunMessage
from bridge.mirror.refresh import Refresher
from bridge.mirror.selection import Choice, Selector
from bridge.ports import (
    Clock,
    ConnectionStore,
    HintQueue,
    ProblemStore,
    Psa,
    PsaGateway,
    RunQueue,
    RunStore,
)

REFRESH_BATCH = 200
MIN_SECONDS_FOR_BATCH = 30.0
MAX_RETRY_DELAY_SECONDS = 900
WATERMARK_OVERLAP = timedelta(minutes=10)

_logger = logging.getLogger(__name__)


class RunWorker:
    """A run worker works on runs, one page at a time."""

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        runs: RunStore,
        gateway: PsaGateway,
        selector: Selector,
        refresher: Refresher,
        hints: HintQueue,
        queue: RunQueue,
        problems: ProblemStore,
        health: ConnectionHealth,
        clock: Clock,
    ) -> None:
        self._connections = connections
        self._runs = runs
        self._gateway = gateway
        self._selector = selector
        self._refresher = refresher
        self._hints = hints
        self._queue = queue
        self._problems = problems
        self._health = health
        self._clock = clock

    def work(self, message: RunMessage) -> None:
        """Do the page that the message names, and queue the next one."""
        stored = self._runs.get(message.connection_id, message.run_id)
        run = stored.value
        if run is None or run.has_ended or message.page_count > run.page_count:
            return
        if message.page_count < run.page_count:
            # This page is stored, but its worker may have died before it queued the next one.
            if message.page_count == run.page_count - 1:
                self._queue.send(run)
            return
        connection = self._connections.get(run.connection_id).value
        if connection is None or not connection.is_syncing:
            cancelled = replace(run, state=RunState.CANCELLED, finished_at=self._clock.now())
            self._save(cancelled, stored.version)
            return
        self._save_and_go_on(self._attempt(connection, run), stored.version)

    def _attempt(self, connection: Connection, run: Run) -> tuple[Run, int]:
        """Return the run after this page and the seconds to wait before the next."""
        try:
            return self._do_page(connection, self._with_start_of_changes(connection, run)), 0
        except CONNECTION_ERRORS as error:
            self._health.report_failure(connection, error)
            return self._fail(run, type(error).__name__), 0
        except MassArchiveStoppedError as error:
            self._stop_mass_archive(run, error)
            return run.failed("mass_archive_stopped", self._clock.now()), 0
        except PermanentError as error:
            return self._fail(run, type(error).__name__), 0
        except (RetryableError, OutcomeUnknownError, ConflictError) as error:
            if run.attempts + 1 >= MAX_ATTEMPTS_PER_PAGE:
                return self._fail(run, type(error).__name__), 0
            asked_seconds = error.retry_after_seconds or 0
            delay = max(
                int(asked_seconds), min(MAX_RETRY_DELAY_SECONDS, 2 * 2 ** min(run.attempts, 9))
            )
            waiting = replace(run, attempts=run.attempts + 1, state=RunState.RUNNING)
            return waiting, min(delay, MAX_RETRY_DELAY_SECONDS)

    def _with_start_of_changes(self, connection: Connection, run: Run) -> Run:
        """Return the run; on a delta run's first page, with the time its changes start from."""
        if run.page_count or run.since or run.kind not in DELTA_RUNS:
            return run
        watermark = self._runs.get_watermark(connection.connection_id, run.step.record_kind)
        return replace(run, since=watermark - WATERMARK_OVERLAP) if watermark else run

    def _do_page(self, connection: Connection, run: Run) -> Run:
        psa = self._gateway.open(connection)
        if run.kind is RunKind.IMPORT and not run.is_measured:
            run = self._with_expected_counts(connection, psa, run)
        if run.step.selection is Selection.VANISHED:
            self._check_mass_archive(connection, run)
        kind = run.step.record_kind
        choice = self._selector.choose(connection, psa, run)
        run = replace(run, server_time=run.server_time or choice.server_time)
        counters, stopped_at = self._refresh(connection, psa, run.step, choice)
        if stopped_at is not None:
            choice = choice.through(stopped_at)
        for source_id in choice.broken_ids:
            self._report_broken(connection, kind, source_id)
        counters += Counters(seen=len(choice.listed_ids), failed=len(choice.broken_ids))
        run = run.counted(kind, counters).with_vanished(kind, choice.vanished_ids)
        return run.advanced(
            last_id=choice.last_id, is_last_page=choice.is_last, now=self._clock.now()
        )

    def _refresh(
        self, connection: Connection, psa: Psa, step: RunStep, choice: Choice
    ) -> tuple[Counters, int | None]:
        """Refresh the chosen records; return counters and, if time runs short, the last id done.

        Only vanished records that a sweep found, and that passed the mass-archive check, may be
        archived here: a list that wrongly comes back empty must not empty the mirror.
        """
        counters = Counters()
        last_done_id: int | None = None
        may_archive = step.selection is Selection.VANISHED
        for start in range(0, len(choice.source_ids), REFRESH_BATCH):
            if last_done_id is not None and self._clock.remaining_seconds() < MIN_SECONDS_FOR_BATCH:
                return counters, last_done_id
            batch = choice.source_ids[start : start + REFRESH_BATCH]
            try:
                refreshed = self._refresher.refresh(
                    connection, psa, step.record_kind, batch, may_archive=may_archive
                )
            except OutOfTimeError:
                if last_done_id is None:
                    raise
                return counters, last_done_id
            counters += refreshed.counters
            counters += Counters(deferred=len(refreshed.contested))
            self._defer(connection, step.record_kind, refreshed.contested)
            last_done_id = batch[-1]
        return counters, None

    def _defer(self, connection: Connection, kind: RecordKind, source_ids: Sequence[int]) -> None:
        """Queue hints for records that another worker wrote meanwhile, to fetch them again."""
        self._hints.send(
            [Hint(connection.connection_id, kind, i, HintReason.CONFLICT) for i in source_ids]
        )

    def _with_expected_counts(self, connection: Connection, psa: Psa, run: Run) -> Run:
        kinds = [kind.record_kind for kind in MIRRORED_KINDS]
        return run.measured({kind: psa.count(kind, filters=connection.filters) for kind in kinds})

    def _check_mass_archive(self, connection: Connection, run: Run) -> None:
        kind = run.step.record_kind
        candidates = len(run.vanished(kind))
        if run.archive_is_approved or not candidates or run.cursor_id:
            return
        mirrored = self._selector.count_mirrored(connection, kind)
        if candidates > max(10, mirrored // 20):
            raise MassArchiveStoppedError(candidates, mirrored)

    def _stop_mass_archive(self, run: Run, error: MassArchiveStoppedError) -> None:
        detail = (
            f"The comparison would archive {error.candidates} of {error.mirrored} "
            f"{run.step.record_kind.value}s. Approve it if they were deleted on purpose."
        )
        self._report(run, ProblemCode.MASS_ARCHIVE_STOPPED, "sweep", detail)

    def _fail(self, run: Run, reason: str) -> Run:
        detail = f"The {run.kind.value} run ended early: {reason}."
        self._report(run, ProblemCode.RUN_FAILED, f"run/{run.kind.value}", detail)
        return run.failed(reason, self._clock.now())

    def _report_broken(self, connection: Connection, kind: RecordKind, source_id: int) -> None:
        report = connection.report(
            ProblemCode.RECORD_MALFORMED,
            record_subject(kind, source_id),
            "ConnectWise cannot deliver this record.",
        )
        self._problems.report(report, self._clock.now())

    def _report(self, run: Run, code: ProblemCode, subject: str, detail: str) -> None:
        report = self._problem_report(run, code, subject, detail)
        self._problems.report(report, self._clock.now())

    @staticmethod
    def _problem_report(
        run: Run, code: ProblemCode, subject: str, detail: str = ""
    ) -> ProblemReport:
        return ProblemReport(run.partner_id, run.connection_id, code, subject, detail)

    def _save_and_go_on(self, outcome: tuple[Run, int], version: int) -> None:
        run, delay_seconds = outcome
        if run.state is RunState.SUCCEEDED:
            self._finish(run)
        if self._save(run, version) and not run.has_ended:
            self._queue.send(run, delay_seconds=delay_seconds)

    def _finish(self, run: Run) -> None:
        """Move the watermarks and close the problems of failed runs, when all pages are stored.

        This happens before the run is saved as ended, so that a crash repeats it.
        """
        for kind in kinds_completed_by(run.kind):
            if run.server_time:
                self._runs.set_watermark(run.connection_id, kind.record_kind, run.server_time)
        if run.kind is RunKind.IMPORT:
            self._health.import_finished(run.connection_id)
        if run.kind is RunKind.SWEEP:
            self._refetch_records_with_problems(run)
        self._close_problems(run)

    def _refetch_records_with_problems(self, run: Run) -> None:
        """Queue a hint for every record with an open problem.

        A record may become readable with its change fingerprint as before; comparisons then pass
        it over.
        """
        problems = self._problems.open_of_connection(run.partner_id, run.connection_id)
        subjects = {p.subject for p in problems.values() if p.code in RECORD_PROBLEMS}
        records = filter(None, map(record_of_subject, sorted(subjects)))
        self._hints.send(
            [Hint(run.connection_id, kind, i, HintReason.RETRY) for kind, i in records]
        )

    def _close_problems(self, run: Run) -> None:
        """Close the problem of a failed run of this kind; a sweep closes those of all kinds."""
        is_sweep = run.kind is RunKind.SWEEP
        closed = [
            (ProblemCode.RUN_FAILED, f"run/{kind.value}")
            for kind in (RunKind if is_sweep else (run.kind,))
        ]
        if is_sweep:
            closed.append((ProblemCode.MASS_ARCHIVE_STOPPED, "sweep"))
        for code, subject in closed:
            report = self._problem_report(run, code, subject)
            self._problems.resolve(run.partner_id, report.problem_id, self._clock.now())

    def _save(self, run: Run, version: int) -> bool:
        try:
            self._runs.save(run, expected_version=version)
        except ConflictError:
            _logger.info("another worker moved the run", extra={"run_id": run.run_id})
            return False
        return True
