"""Messages that keep failing become problems here, so that a person sees them."""

from __future__ import annotations

from dataclasses import replace

from bridge.domain.hint import Hint
from bridge.domain.identity import RecordKind, parse_mirrored_id
from bridge.domain.job import Job
from bridge.domain.problem import PDFS_SUBJECT, ProblemCode, record_subject
from bridge.domain.run import RunState
from bridge.domain.work_messages import JobMessage, PdfRequest, RunMessage
from bridge.ports import Clock, ConnectionStore, ProblemStore, RunStore

MAX_PDF_PROBLEMS = 10
"""So many PDFs of a connection have a problem each; for the others one problem stands."""

_JOB_NAMES: dict[Job, str] = {
    Job.INVOICE_DELTA: "The search for changed invoices",
    Job.CUSTOMERS: "The hourly search for changed customers",
    Job.SWEEP: "The nightly comparison of records",
    Job.CALLBACKS: "The hourly check of the callbacks",
    Job.HEAL_WRITE_BACKS: "The check of payments that wait",
    Job.PAYMENTS: "The hourly comparison of payments",
    Job.RESTING_PAYMENTS: "The monthly comparison of older payments",
}


class FailedMessages:
    """A message's last failure opens its problem here."""

    def __init__(
        self, connections: ConnectionStore, runs: RunStore, problems: ProblemStore, clock: Clock
    ) -> None:
        self._connections = connections
        self._runs = runs
        self._problems = problems
        self._clock = clock

    def park_hint(self, hint: Hint) -> None:
        self._report(
            hint.connection_id,
            ProblemCode.RECORD_PARKED,
            record_subject(hint.record_kind, hint.source_id),
            "This record could not be brought up to date after many tries.",
        )

    def park_unreadable(self, connection_id: str, queue: str) -> None:
        """Report an unreadable message that at least names its connection."""
        self._report(
            connection_id,
            ProblemCode.MESSAGE_UNREADABLE,
            f"message/{queue}",
            "A message could not be read; an operator has it. The next comparison catches up.",
        )

    def park_pdf(self, request: PdfRequest) -> None:
        """Report the PDF, or one problem for all further ones of a connection: that is an outage.

        A PDF that is kept resolves the one problem.
        """
        mirrored = parse_mirrored_id(request.invoice_id)
        connection = self._connections.get(request.connection_id).value
        if mirrored is None or connection is None:
            return
        subject = record_subject(RecordKind.INVOICE, mirrored.source_id)
        report = connection.report(
            ProblemCode.PDF_UNAVAILABLE, subject, "The PDF could not be fetched after many tries."
        )
        scope = connection.partner_id, connection.connection_id
        known = self._problems.open_of_connection(*scope)
        count = sum(each.code is ProblemCode.PDF_UNAVAILABLE for each in known.values())
        if report.problem_id not in known and count >= MAX_PDF_PROBLEMS:
            detail = (
                "PDFs of many invoices could not be fetched after many tries. Once ConnectWise "
                "prints again, each is fetched when somebody opens it."
            )
            report = connection.report(ProblemCode.CONNECTWISE_UNREACHABLE, PDFS_SUBJECT, detail)
        self._problems.report(report, self._clock.now())

    def park_job(self, message: JobMessage) -> None:
        """Report the job; the next time it gets through resolves that."""
        self._report(
            message.connection_id,
            ProblemCode.JOB_FAILED,
            message.job.subject,
            f"{_JOB_NAMES[message.job]} failed many times in a row. It starts again by itself, and "
            "an operator looks into it.",
        )

    def park_run(self, message: RunMessage) -> None:
        """Fail the run, so that its place is free for the next one.

        A message of a page that was done meanwhile is ignored: the run has gone on.
        """
        stored = self._runs.get(message.connection_id, message.run_id)
        run = stored.value
        if run is None or run.has_ended or message.page_count < run.page_count:
            return
        self._report(
            run.connection_id,
            ProblemCode.RUN_FAILED,
            f"run/{run.kind.value}",
            f"The {run.kind.value} run could not go on after many tries.",
        )
        failed = replace(
            run, state=RunState.FAILED, failure="message_parked", finished_at=self._clock.now()
        )
        self._runs.save(failed, expected_version=stored.version)

    def _report(self, connection_id: str, code: ProblemCode, subject: str, detail: str) -> None:
        connection = self._connections.get(connection_id).value
        if connection is None:
            return
        self._problems.report(
            connection.report(code, subject, detail),
            self._clock.now(),
        )
