"""A run's next page is done here.

A message only says "this run, this page". The run's own record holds its position, so a message
that comes twice, late or after a crash is harmless: pages are idempotent, and of two workers on
the same page the record's version lets one move the run on.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.connections.health import CONNECTION_ERRORS, ConnectionHealth
from bridge.connections.site_turns import STEP_SECONDS, SiteTurns, Turn, put_off_seconds
from bridge.connections.visit import Visit, visit_that_ended_with
from bridge.domain.connection import Connection
from bridge.domain.errors import (
    BridgeError,
    ConflictError,
    MassArchiveStoppedError,
    NotFoundError,
    NotItsTurnError,
    OutcomeUnknownError,
    OutOfTimeError,
    PermanentError,
    RefusedError,
    RetryableError,
    RunActiveError,
    TooHeavyError,
    TooManyRecordsError,
    UntrueListError,
)
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import MIRRORED_KINDS
from bridge.domain.problem import RECORD_PROBLEMS, record_of_subject
from bridge.domain.run import (
    DELTA_RUNS,
    MAX_ATTEMPTS_OF_UNTRUE_LIST,
    MAX_ATTEMPTS_PER_PAGE,
    SCHEDULED_RUNS,
    CancelReason,
    Run,
    RunKind,
    RunState,
    Selection,
    kinds_completed_by,
)
from bridge.domain.watermark import (
    EARLIEST,
    clock_ahead,
    earlier_clock,
    fallen_back,
    is_to_come,
    start_of_changes,
)
from bridge.domain.work_messages import RunMessage
from bridge.log_fields import add_log_fields
from bridge.mirror.list_check import ListCheck
from bridge.mirror.page_refresh import REFRESH_BATCH, WHOLE_LISTS, PageRefresh
from bridge.mirror.refreshed import Refreshed
from bridge.mirror.run_problems import RunProblems
from bridge.mirror.selection import Choice, Selector
from bridge.ports import (
    Clock,
    ConnectionStore,
    HintQueue,
    Measure,
    Metrics,
    ProblemStore,
    Psa,
    PsaGateway,
    RunQueue,
    RunStore,
)
from bridge.runs.start import RunStarter

MAX_RETRY_DELAY_SECONDS = 900
PAYMENTS_ARE_DUE = timedelta(days=3)
"""An import's settled invoices have their payments by then."""

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
        page_refresh: PageRefresh,
        turns: SiteTurns,
        hints: HintQueue,
        queue: RunQueue,
        problems: ProblemStore,
        run_problems: RunProblems,
        list_check: ListCheck,
        health: ConnectionHealth,
        metrics: Metrics,
        clock: Clock,
        starter: RunStarter,
        max_records: int,
    ) -> None:
        self._connections = connections
        self._runs = runs
        self._gateway = gateway
        self._selector = selector
        self._page_refresh = page_refresh
        self._turns = turns
        self._hints = hints
        self._queue = queue
        self._problems = problems
        self._health = health
        self._metrics = metrics
        self._clock = clock
        self._starter = starter
        self._max_records = max_records
        self._run_problems = run_problems
        self._list_check = list_check

    def work(self, message: RunMessage) -> None:
        """Do the page that the message names when it is the partner's turn, and queue the next."""
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
            cancelled = run.cancelled(CancelReason.NOT_SYNCING, self._clock.now())
            self._save(cancelled, stored.version)
            return
        add_log_fields(partner_id=run.partner_id, run_kind=run.kind.value)
        try:
            with self._turns.turn(run.partner_id, run.connection_id) as turn:
                outcome = self._attempt(connection, run, turn)
                self._save_and_go_on(connection, outcome, stored.version)
        except NotItsTurnError as error:
            self._put_off(run, message.times_put_off, error)

    def _put_off(self, run: Run, times: int, error: NotItsTurnError) -> None:
        """Ask for the page again later. A wait for a turn leaves the run's attempts as they are."""
        self._runs.keep_slot(run)
        delay_seconds = put_off_seconds(error, times)
        self._queue.send(run, delay_seconds=delay_seconds, times_put_off=times + 1)

    def _attempt(self, connection: Connection, run: Run, turn: Turn) -> tuple[Run, int]:
        """Return the run after this page and the seconds to wait before the next."""
        try:
            return self._visit(connection, self._with_start_of_changes(connection, run), turn), 0
        except CONNECTION_ERRORS as error:
            self._health.report_failure(connection, error)
            return self._fail(run, error), 0
        except MassArchiveStoppedError as error:
            self._run_problems.mass_archive_stopped(run, error)
            return run.failed("mass_archive_stopped", self._clock.now()), 0
        except PermanentError as error:
            return self._fail(run, error), 0
        except (RetryableError, OutcomeUnknownError, ConflictError) as error:
            return self._wait(connection, run, error)

    def _wait(self, connection: Connection, run: Run, error: BridgeError) -> tuple[Run, int]:
        """Return the run for another try of its page, a smaller one where this one was too large,
        or failed after the last try.

        Scheduled runs start again by themselves, so that an outage is one problem for all of them.
        """
        is_untrue = isinstance(error, UntrueListError)
        tries = MAX_ATTEMPTS_OF_UNTRUE_LIST if is_untrue else MAX_ATTEMPTS_PER_PAGE
        if run.attempts + 1 >= tries:
            if run.kind in SCHEDULED_RUNS and self._health.confirm_outage(
                connection, self._gateway.open(connection)
            ):
                return run.failed(type(error).__name__, self._clock.now()), 0
            return self._fail(run, error), 0
        asked_seconds = error.retry_after_seconds or 0
        delay = max(int(asked_seconds), min(MAX_RETRY_DELAY_SECONDS, 2 * 2 ** min(run.attempts, 9)))
        if isinstance(error, OutOfTimeError):
            run = replace(run, page_size=min(run.page_size, REFRESH_BATCH))
        if isinstance(error, TooHeavyError | OutOfTimeError):
            run = run.with_smaller_pages()
        waiting = replace(run, attempts=run.attempts + 1, state=RunState.RUNNING)
        return waiting, min(delay, MAX_RETRY_DELAY_SECONDS)

    def _with_start_of_changes(self, connection: Connection, run: Run) -> Run:
        """Return the run; on a delta run's first page, with the time its changes start from."""
        if run.page_count or run.since or run.kind not in DELTA_RUNS:
            return run
        watermark = self._runs.get_watermark(connection.connection_id, run.step.record_kind)
        return replace(run, since=start_of_changes(watermark, self._clock.now()))

    def _visit(self, connection: Connection, run: Run, turn: Turn) -> Run:
        """Do a page, and note in the turn how ConnectWise behaved."""
        try:
            done, has_rows = self._do_page(connection, run)
        except BridgeError as error:
            turn.visit = visit_that_ended_with(error)
            raise
        turn.visit = Visit.ANSWERED if has_rows else Visit.UNANSWERED
        return done

    def _do_page(self, connection: Connection, run: Run) -> tuple[Run, bool]:
        """Return the run after this page, and whether ConnectWise gave more than failures."""
        psa = self._gateway.open(connection)
        if run.kind is RunKind.IMPORT and not run.page_count:
            run = self._with_expected_counts(connection, psa, run)
        if run.kind is RunKind.PAYMENTS:
            run = self._with_lacking_payments(connection, run)
        if run.step.selection is Selection.VANISHED:
            self._check_mass_archive(connection, run)
        self._check_length(run)
        started_at = self._clock.now()
        choice = self._selector.choose(connection, psa, run)
        run = self._with_clock(connection, run, choice, started_at)
        choice, refreshed = self._page_refresh.refresh(connection, psa, run, choice)
        for source_id in choice.broken_ids:
            self._run_problems.record_undelivered(run, source_id)
        if choice.unreadable_rows:
            self._run_problems.rows_unreadable(run, choice.unreadable_rows)
        has_time_for_more = self._clock.remaining_seconds() > STEP_SECONDS / 2
        run = _with_page(run, choice, refreshed, may_grow=has_time_for_more)
        if choice.is_last and run.step.selection in WHOLE_LISTS:
            run = self._list_check.compare(connection, psa, run)
        moved = run.advanced(
            last_id=choice.last_id, is_last_page=choice.is_last, now=self._clock.now()
        )
        return moved, choice.has_rows

    def _check_length(self, run: Run) -> None:
        if run.comparison(run.step.record_kind).listed > self._max_records:
            raise TooManyRecordsError(self._max_records)

    def _with_clock(
        self, connection: Connection, run: Run, choice: Choice, started_at: datetime
    ) -> Run:
        """Return the run, after its first answered page with what becomes the watermark.

        That is the time when the run began. ConnectWise may have told its time long after, where
        it failed on the first rows or was away.
        """
        was_answered = bool(choice.listed_ids) or choice.is_last
        if run.server_time or choice.server_time is None or not was_answered:
            return run
        ahead = clock_ahead(choice.server_time, started_at, self._clock.now())
        known_ahead = timedelta(seconds=connection.clock_seconds_ahead)
        self._follow_back(run, fallen_back(known_ahead, ahead))
        self._health.remember_clock(connection, ahead)
        server_time = max(choice.server_time, EARLIEST) - (started_at - run.created_at)
        watermark = earlier_clock(server_time, run.created_at, known_ahead)
        return replace(run, server_time=watermark)

    def _follow_back(self, run: Run, fall: timedelta) -> None:
        """Set the watermarks back by as much as ConnectWise's clock fell; the next runs ask from
        there."""
        if not fall:
            return
        for kind in MIRRORED_KINDS:
            watermark = self._runs.get_watermark(run.connection_id, kind.record_kind)
            if watermark:
                earlier = max(watermark - fall, EARLIEST)
                self._runs.set_watermark_back(run.connection_id, kind.record_kind, earlier)

    def _with_expected_counts(self, connection: Connection, psa: Psa, run: Run) -> Run:
        """Return the run with ConnectWise's counts, which only show its progress: it goes on
        without them where ConnectWise does not manage to count."""
        kinds = [kind.record_kind for kind in MIRRORED_KINDS]
        filters = connection.filters
        try:
            return run.measured({kind: psa.count(kind, filters=filters) for kind in kinds})
        except (TooHeavyError, NotFoundError, RefusedError):
            return run

    def _with_lacking_payments(self, connection: Connection, run: Run) -> Run:
        """Return the run with the number of invoices that it takes, for its progress. One that
        takes too long is a problem: until its end the comparison finds these invoices differing."""
        if not run.page_count:
            lacking = self._selector.count_lacking_payments(connection)
            run = run.measured({RecordKind.INVOICE: lacking})
        if self._clock.now() - run.created_at > PAYMENTS_ARE_DUE:
            left = max(1, (run.expected_invoices or 0) - run.invoices.seen)
            self._run_problems.payments_unread(run, left)
        return run

    def _check_mass_archive(self, connection: Connection, run: Run) -> None:
        kind = run.step.record_kind
        candidates = len(run.vanished(kind))
        if run.archive_is_approved or not candidates or run.cursor_id:
            return
        mirrored = self._selector.count_mirrored(connection, kind)
        if candidates > max(10, mirrored // 20):
            raise MassArchiveStoppedError(candidates, mirrored)

    def _fail(self, run: Run, error: BridgeError) -> Run:
        self._run_problems.run_failed(run, error)
        return run.failed(type(error).__name__, self._clock.now())

    def _save_and_go_on(
        self, connection: Connection, outcome: tuple[Run, int], version: int
    ) -> None:
        run, delay_seconds = outcome
        if run.state is RunState.SUCCEEDED:
            self._finish(connection, run)
        if self._save(run, version) and not run.has_ended:
            self._queue.send(run, delay_seconds=delay_seconds)

    def _finish(self, connection: Connection, run: Run) -> None:
        """Move the watermarks and close the problems of failed runs, when all pages are stored.

        This happens before the run is saved as ended, so that a crash repeats it.
        """
        for kind in kinds_completed_by(run.kind):
            if run.server_time:
                self._set_watermark(run, kind.record_kind, run.server_time)
        if run.kind is RunKind.IMPORT:
            self._health.import_finished(run.connection_id)
        if run.kind is RunKind.SWEEP:
            self._refetch_records_with_problems(run)
        if self._leaves_payments_unread(connection, run):
            with suppress(RunActiveError):
                self._starter.start(connection, RunKind.PAYMENTS)
        self._run_problems.run_succeeded(run)

    def _leaves_payments_unread(self, connection: Connection, run: Run) -> bool:
        """Tell whether payments are to be read now: a sweep has counted their invoices."""
        if run.kind is RunKind.IMPORT:
            return self._selector.lack_payments(connection)
        return run.comparison(RecordKind.INVOICE).differing.payments_unread > 0

    def _set_watermark(self, run: Run, kind: RecordKind, watermark: datetime) -> None:
        """Move the watermark forward, or back from a time that is yet to come."""
        stored = self._runs.get_watermark(run.connection_id, kind)
        if stored and is_to_come(stored, self._clock.now()):
            self._runs.set_watermark_back(run.connection_id, kind, watermark)
        else:
            self._runs.set_watermark(run.connection_id, kind, watermark, taken_since=run.since)

    def _refetch_records_with_problems(self, run: Run) -> None:
        """Queue a hint for every record with an open problem.

        A record may become readable with its change fingerprint as before; comparisons then pass
        it over.
        """
        problems = self._problems.open_of_connection(run.partner_id, run.connection_id)
        subjects = {p.subject for p in problems.values() if p.code in RECORD_PROBLEMS}
        records = filter(None, map(record_of_subject, sorted(subjects)))
        self._hints.send(
            [
                Hint(run.connection_id, kind, i, HintReason.RETRY, partner_id=run.partner_id)
                for kind, i in records
            ]
        )

    def _save(self, run: Run, version: int) -> bool:
        try:
            self._runs.save(run, expected_version=version)
        except ConflictError:
            _logger.info("another worker moved the run", extra={"run_id": run.run_id})
            return False
        if run.has_ended:
            self._metrics.note(
                _MEASURES[run.state],
                partner_id=run.partner_id,
                connection_id=run.connection_id,
                run_id=run.run_id,
                kind=run.kind.value,
            )
        return True


_MEASURES = {
    RunState.SUCCEEDED: Measure.RUN_SUCCEEDED,
    RunState.FAILED: Measure.RUN_FAILED,
    RunState.CANCELLED: Measure.RUN_CANCELLED,
}


def _with_page(run: Run, choice: Choice, refreshed: Refreshed, *, may_grow: bool) -> Run:
    """Return the run with the outcomes of one page. The next one grows only where there was time
    for more."""
    kind = run.step.record_kind
    comparison = choice.added_to(run.comparison(kind), left_out=refreshed.left_out)
    counted = run.counted(kind, refreshed.counters + choice.counters)
    compared = counted.with_comparison(kind, comparison)
    sized = compared.with_managed_size(choice.managed_size, may_grow=may_grow)
    return sized.with_vanished(kind, choice.vanished_ids)
