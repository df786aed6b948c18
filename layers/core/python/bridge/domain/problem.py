"""A problem shows a person a failure and, mostly, actions against it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.domain.identity import RecordKind, mirrored_id, parse_write_back_id, problem_id
from bridge.domain.mirrored_kinds import MIRRORED_KINDS
from bridge.domain.run import RunKind


class ProblemCode(StrEnum):
    RECORD_MALFORMED = "record_malformed"
    RECORD_PARKED = "record_parked"
    RECORD_INCOMPLETE = "record_incomplete"
    PAYER_UNREADABLE = "payer_unreadable"
    CONNECTWISE_UNREACHABLE = "connectwise_unreachable"
    RIGHT_MISSING = "right_missing"
    CREDENTIALS_REJECTED = "credentials_rejected"
    MASS_ARCHIVE_STOPPED = "mass_archive_stopped"
    RUN_FAILED = "run_failed"
    CALLBACKS_BROKEN = "callbacks_broken"
    PDF_UNAVAILABLE = "pdf_unavailable"
    PAYMENT_NOT_WRITTEN = "payment_not_written"
    PAYMENT_SURPLUS = "payment_surplus"
    PAYMENT_UNAPPLIED = "payment_unapplied"
    MESSAGE_UNREADABLE = "message_unreadable"
    COMPANY_CONNECTED_TWICE = "company_connected_twice"
    ANOTHER_BRIDGE = "another_bridge"
    UNUSUALLY_MANY_PAYMENTS = "unusually_many_payments"
    MEMBER_SHARED = "member_shared"
    PAYMENT_DISPUTED = "payment_disputed"
    BOOKS_PARTLY_HIDDEN = "books_partly_hidden"
    COUNT_DIFFERS = "count_differs"
    ROWS_UNREADABLE = "rows_unreadable"
    PAYMENTS_UNREAD = "payments_unread"
    JOB_FAILED = "job_failed"


# Such a problem says that a record stayed unread or outdated; a good reading resolves it.
RECORD_PROBLEMS = (ProblemCode.RECORD_MALFORMED, ProblemCode.RECORD_PARKED)

CONNECTION_SUBJECT = "connection"
"""The connection itself."""
PDFS_SUBJECT = "pdfs"
"""All PDFs of a connection together."""

MAX_OPEN_PROBLEMS = 1_000
"""Of a connection's open problems the newest so many are read at once."""

SAME_TROUBLE_WITHIN = timedelta(days=1)
"""A problem that comes back so soon after it was resolved keeps its age."""


class ProblemState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


class Action(StrEnum):
    """An action that a person may take on a problem through the API."""

    RETRY = "retry"
    DISMISS = "dismiss"
    APPROVE = "approve"
    VERIFY = "verify"
    MARK_DONE = "mark_done"
    CANCEL = "cancel"
    LOOK = "look"
    ADOPT = "adopt"
    POST = "post"
    REVERSE_IN_BOOKS = "reverse_in_books"


ACTIONS: dict[ProblemCode, tuple[Action, ...]] = {
    ProblemCode.RECORD_MALFORMED: (Action.RETRY, Action.DISMISS),
    ProblemCode.RECORD_PARKED: (Action.RETRY, Action.DISMISS),
    ProblemCode.RECORD_INCOMPLETE: (Action.RETRY, Action.DISMISS),
    ProblemCode.PAYER_UNREADABLE: (Action.RETRY, Action.DISMISS),
    ProblemCode.CONNECTWISE_UNREACHABLE: (Action.VERIFY, Action.DISMISS),
    ProblemCode.RIGHT_MISSING: (Action.VERIFY,),
    ProblemCode.CREDENTIALS_REJECTED: (Action.VERIFY,),
    ProblemCode.MASS_ARCHIVE_STOPPED: (Action.APPROVE, Action.DISMISS),
    ProblemCode.RUN_FAILED: (Action.RETRY, Action.DISMISS),
    ProblemCode.CALLBACKS_BROKEN: (Action.VERIFY,),
    ProblemCode.PDF_UNAVAILABLE: (Action.RETRY, Action.DISMISS),
    ProblemCode.PAYMENT_SURPLUS: (Action.DISMISS,),
    ProblemCode.PAYMENT_UNAPPLIED: (Action.DISMISS,),
    ProblemCode.MESSAGE_UNREADABLE: (Action.DISMISS,),
    ProblemCode.COMPANY_CONNECTED_TWICE: (Action.VERIFY,),
    ProblemCode.ANOTHER_BRIDGE: (Action.APPROVE,),
    ProblemCode.UNUSUALLY_MANY_PAYMENTS: (Action.APPROVE,),
    ProblemCode.MEMBER_SHARED: (Action.DISMISS,),
    ProblemCode.PAYMENT_DISPUTED: (Action.DISMISS,),
    ProblemCode.BOOKS_PARTLY_HIDDEN: (Action.VERIFY, Action.DISMISS),
    ProblemCode.COUNT_DIFFERS: (Action.DISMISS,),
    ProblemCode.PAYMENTS_UNREAD: (Action.DISMISS,),
    ProblemCode.ROWS_UNREADABLE: (Action.DISMISS,),
    ProblemCode.JOB_FAILED: (Action.DISMISS,),
    ProblemCode.PAYMENT_NOT_WRITTEN: (
        Action.RETRY,
        Action.LOOK,
        Action.ADOPT,
        Action.POST,
        Action.MARK_DONE,
        Action.REVERSE_IN_BOOKS,
        Action.CANCEL,
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a connection is one failure, with its repeats."""

    problem_id: str
    partner_id: str
    connection_id: str
    code: ProblemCode
    subject: str
    """The place of the failure: ``invoice/123``, ``run/<id>`` or ``connection``."""
    detail: str
    """A text of ours with ids, invoice numbers and names of fields; it may not hold personal data
    or quote an answer."""
    opened_at: datetime
    last_seen_at: datetime
    state: ProblemState = ProblemState.OPEN
    times_seen: int = 1
    """Counts repeats of the same trouble."""
    resolved_at: datetime | None = None

    @property
    def record_id(self) -> str | None:
        """Return the id of the customer or invoice that it is about, if any."""
        if record := record_of_subject(self.subject):
            return mirrored_id(self.connection_id, record[1])
        kind, _, name = self.subject.partition("/")
        parsed = parse_write_back_id(name) if kind == "write_back" else None
        return mirrored_id(self.connection_id, parsed[1]) if parsed else None

    @property
    def payment_id(self) -> str | None:
        """Return the id of the platform's payment that it is about, if any."""
        kind, _, name = self.subject.partition("/")
        if kind == "write_back" and (parsed := parse_write_back_id(name)):
            return parsed[0]
        return name if kind == "platform_payment" else None

    @property
    def actions(self) -> tuple[Action, ...]:
        return ACTIONS[self.code] if self.state is ProblemState.OPEN else ()

    def seen_again(self, detail: str, now: datetime) -> Problem:
        """Return the problem after a repeat; a resolved one reopens.

        Trouble that is back within SAME_TROUBLE_WITHIN is the same trouble: a problem keeps its
        age over a retry in vain.
        """
        if self.resolved_at and now - self.resolved_at > SAME_TROUBLE_WITHIN:
            return replace(
                self,
                state=ProblemState.OPEN,
                detail=detail,
                opened_at=now,
                last_seen_at=now,
                resolved_at=None,
                times_seen=1,
            )
        return replace(
            self,
            state=ProblemState.OPEN,
            detail=detail,
            last_seen_at=now,
            resolved_at=None,
            times_seen=self.times_seen + 1,
        )

    def resolved(self, now: datetime) -> Problem:
        return replace(self, state=ProblemState.RESOLVED, resolved_at=now)


def run_subject(kind: RunKind) -> str:
    """Return the subject of the problem that a connection has while runs of a kind fail."""
    return f"run/{kind.value}"


def record_subject(kind: RecordKind, source_id: int) -> str:
    """Return the subject of a problem with one ConnectWise record, e.g. ``invoice/1234``."""
    return f"{kind.value}/{source_id}"


def name_of_subject(subject: str) -> str:
    """Return the part of a subject after its kind, e.g. the id in ``write_back/pay-1.7``."""
    return subject.partition("/")[2]


_MIRRORED = frozenset(kind.record_kind for kind in MIRRORED_KINDS)


def record_of_subject(subject: str) -> tuple[RecordKind, int] | None:
    """Return the ConnectWise record that a subject names, None for any other subject."""
    kind, _, source_id = subject.partition("/")
    if kind not in _MIRRORED or not source_id.isdecimal():
        return None
    return RecordKind(kind), int(source_id)


@dataclass(frozen=True, slots=True)
class ProblemReport:
    """A use case reports a failure; the store opens a problem, or counts it on an open one."""

    partner_id: str
    connection_id: str
    code: ProblemCode
    subject: str
    detail: str = field(default="")

    @property
    def problem_id(self) -> str:
        return problem_id(self.connection_id, self.code.value, self.subject)

    def as_problem(self, now: datetime) -> Problem:
        return Problem(
            problem_id=self.problem_id,
            partner_id=self.partner_id,
            connection_id=self.connection_id,
            code=self.code,
            subject=self.subject,
            detail=self.detail,
            opened_at=now,
            last_seen_at=now,
        )
