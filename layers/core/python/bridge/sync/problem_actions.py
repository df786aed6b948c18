"""What a person can do about a problem."""

from __future__ import annotations

from bridge.domain.connection import Connection
from bridge.domain.errors import NotFoundError, NotPossibleError
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind, is_platform_id, mirrored_id
from bridge.domain.problem import Action, Problem, ProblemCode
from bridge.domain.run import RunKind
from bridge.domain.work_messages import PdfRequest
from bridge.ports import Clock, ConnectionStore, HintQueue, PdfQueue, ProblemStore, RunStore
from bridge.sync.connecting import IMPORT_SUBJECT
from bridge.sync.owned_connections import OwnedConnections
from bridge.sync.runs import RunStarter
from bridge.sync.verifying import Verifier


class ProblemActions:
    """Carries out the actions that an open problem offers."""

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        problems: ProblemStore,
        runs: RunStore,
        starter: RunStarter,
        hints: HintQueue,
        pdfs: PdfQueue,
        verifier: Verifier,
        clock: Clock,
    ) -> None:
        self._owned = OwnedConnections(connections)
        self._problems = problems
        self._runs = runs
        self._starter = starter
        self._hints = hints
        self._pdfs = pdfs
        self._verifier = verifier
        self._clock = clock

    def get(self, partner_id: str, problem_id: str) -> Problem:
        """Return the partner's problem; NotFoundError when there is none."""
        known = is_platform_id(problem_id)
        problem = self._problems.get(partner_id, problem_id) if known else None
        if problem is None:
            raise NotFoundError("no such problem")
        return problem

    def act(self, partner_id: str, problem_id: str, action: Action) -> Problem:
        """Do it and return the problem as it stands then.

        Dismissing, approving, and starting a failed run again resolve the problem at once (new
        trouble opens a new one). A retried record or PDF resolves it when it succeeds.

        Raises NotFoundError, NotPossibleError when the problem does not offer the action or its
        connection is not syncing, RunActiveError, and what verifying raises.
        """
        problem = self.get(partner_id, problem_id)
        if action not in problem.actions:
            raise NotPossibleError(
                "action_not_offered", "The problem does not offer this action in its state."
            )
        if action is not Action.DISMISS:
            connection = self._owned.get_syncing(partner_id, problem.connection_id)
            self._work_on(problem, connection, action)
        if action is Action.DISMISS or action is Action.APPROVE:
            self._problems.resolve(partner_id, problem_id, self._clock.now())
        return self.get(partner_id, problem_id)

    def _work_on(self, problem: Problem, connection: Connection, action: Action) -> None:
        if action is Action.VERIFY:
            self._verifier.verify(connection)
        elif action is Action.APPROVE:
            self._starter.start(connection, RunKind.SWEEP, archive_is_approved=True)
        elif action is not Action.RETRY:
            raise NotPossibleError("nothing_to_do", "This action has no effect on this problem.")
        elif problem.code is ProblemCode.RUN_FAILED:
            self._start_again(problem, connection)
        else:
            self._retry_record(problem, connection)

    def _start_again(self, problem: Problem, connection: Connection) -> None:
        """Start a run like the one that failed."""
        if problem.subject == IMPORT_SUBJECT:
            self._starter.start(connection, RunKind.IMPORT)
        else:
            run_id = problem.subject.partition("/")[2]
            run = self._runs.get(connection.connection_id, run_id).value
            if run is None:
                raise NotPossibleError("run_forgotten", "The run that failed is not kept any more.")
            self._starter.start(connection, run.kind, since=run.since)
        self._problems.resolve(problem.partner_id, problem.problem_id, self._clock.now())

    def _retry_record(self, problem: Problem, connection: Connection) -> None:
        kind, _, source_id = problem.subject.partition("/")
        if kind not in (RecordKind.INVOICE, RecordKind.CUSTOMER) or not source_id.isdecimal():
            raise NotPossibleError("nothing_to_retry", "The problem names no single record.")
        if problem.code is ProblemCode.PDF_UNAVAILABLE:
            invoice_id = mirrored_id(connection.connection_id, int(source_id))
            self._pdfs.send([PdfRequest(connection.connection_id, invoice_id)])
        else:
            hint = Hint(
                connection.connection_id, RecordKind(kind), int(source_id), HintReason.RETRY
            )
            self._hints.send([hint])
