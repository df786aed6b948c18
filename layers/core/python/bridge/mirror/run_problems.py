"""The problems that runs open and close, in words for the partner's people."""

from __future__ import annotations

from bridge.domain.comparison import Comparison
from bridge.domain.errors import (
    BridgeError,
    MassArchiveStoppedError,
    TooHeavyError,
    TooManyRecordsError,
    UntrueListError,
)
from bridge.domain.identity import RecordKind
from bridge.domain.mirrored_kinds import mirrored_kind
from bridge.domain.problem import (
    CONNECTION_SUBJECT,
    ProblemCode,
    ProblemReport,
    record_subject,
    run_subject,
)
from bridge.domain.run import Run, RunKind
from bridge.ports import Clock, ProblemStore

_SWEEP_SUBJECT = "sweep"


class RunProblems:
    """The problems of runs are reported here, and resolved once their cause is gone."""

    def __init__(self, problems: ProblemStore, clock: Clock) -> None:
        self._problems = problems
        self._clock = clock

    def run_failed(self, run: Run, error: BridgeError) -> None:
        self._report(run, ProblemCode.RUN_FAILED, run_subject(run.kind), _sentence(run, error))

    def mass_archive_stopped(self, run: Run, error: MassArchiveStoppedError) -> None:
        detail = (
            f"The comparison would archive {error.candidates} of {error.mirrored} "
            f"{run.step.record_kind.value}s. Approve it if they were deleted on purpose."
        )
        self._report(run, ProblemCode.MASS_ARCHIVE_STOPPED, _SWEEP_SUBJECT, detail)

    def record_undelivered(self, run: Run, source_id: int) -> None:
        subject = record_subject(run.step.record_kind, source_id)
        detail = "ConnectWise cannot deliver this record."
        self._report(run, ProblemCode.RECORD_MALFORMED, subject, detail)

    def rows_unreadable(self, run: Run, count: int) -> None:
        kind = run.step.record_kind
        detail = (
            f"ConnectWise lists {mirrored_kind(kind).plural} whose id cannot be read, {count:,} of "
            "them on one page: they are missing here, and nobody can tell which ones they are. Ask "
            "whoever runs that ConnectWise; the next comparison looks again."
        )
        self._report(run, ProblemCode.ROWS_UNREADABLE, _rows_subject(kind), detail)

    def rows_readable(self, run: Run, kind: RecordKind) -> None:
        self._resolve(run, ProblemCode.ROWS_UNREADABLE, _rows_subject(kind))

    def count_differs(self, run: Run, kind: RecordKind, comparison: Comparison) -> None:
        name = mirrored_kind(kind).plural
        detail = (
            f"ConnectWise counts {comparison.counted:,} {name} for this connection's filters, and "
            f"its list shows {comparison.listed:,} of them. Some {name} may be missing here. Each "
            "night's comparison looks again; if it stays, ask ConnectWise's support why their "
            "list and their count differ."
        )
        self._report(run, ProblemCode.COUNT_DIFFERS, _count_subject(kind), detail)

    def count_agrees(self, run: Run, kind: RecordKind) -> None:
        self._resolve(run, ProblemCode.COUNT_DIFFERS, _count_subject(kind))

    def payments_unread(self, run: Run, count: int) -> None:
        detail = (
            f"Three days after the import the payments of {count:,} paid invoices are still to be "
            "read. Their totals and balances are right, their payments are missing here. They go "
            "on being read, the newest first; if the number stays, ask ConnectWise's support why "
            "their server is so slow."
        )
        self._report(run, ProblemCode.PAYMENTS_UNREAD, CONNECTION_SUBJECT, detail)

    def run_succeeded(self, run: Run) -> None:
        """Close the problem of a failed run of this kind; a sweep closes those of all kinds."""
        if run.kind is RunKind.PAYMENTS:
            self._resolve(run, ProblemCode.PAYMENTS_UNREAD, CONNECTION_SUBJECT)
        self._resolve(run, ProblemCode.CONNECTWISE_UNREACHABLE, CONNECTION_SUBJECT)
        is_sweep = run.kind is RunKind.SWEEP
        for kind in RunKind if is_sweep else (run.kind,):
            self._resolve(run, ProblemCode.RUN_FAILED, run_subject(kind))
        if is_sweep:
            self._resolve(run, ProblemCode.MASS_ARCHIVE_STOPPED, _SWEEP_SUBJECT)

    def _report(self, run: Run, code: ProblemCode, subject: str, detail: str) -> None:
        report = ProblemReport(run.partner_id, run.connection_id, code, subject, detail)
        self._problems.report(report, self._clock.now())

    def _resolve(self, run: Run, code: ProblemCode, subject: str) -> None:
        report = ProblemReport(run.partner_id, run.connection_id, code, subject)
        self._problems.resolve(run.partner_id, report.problem_id, self._clock.now())


def _count_subject(kind: RecordKind) -> str:
    return f"count/{kind.value}"


def _rows_subject(kind: RecordKind) -> str:
    return f"rows/{kind.value}"


def _sentence(run: Run, error: BridgeError) -> str:
    name = mirrored_kind(run.step.record_kind).plural
    start = f"The {run.kind.value} run ended early"
    match error:
        case TooManyRecordsError():
            return (
                f"{start}: ConnectWise lists more than {error.limit:,} {name}, the most that one "
                "connection may bring over. Narrow the connection's filters and start it again."
            )
        case UntrueListError():
            return (
                f"{start}: ConnectWise's list of {name} repeats records, goes backwards or never "
                "ends, so nothing of it was taken from there on. Ask whoever runs that server."
            )
        case TooHeavyError():
            return (
                f"{start}: ConnectWise did not manage to list its {name}, not even one at a time. "
                "Start it again once ConnectWise answers."
            )
    return f"{start}: {type(error).__name__}."
