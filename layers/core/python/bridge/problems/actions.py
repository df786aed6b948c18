"""A person's actions on a problem are carried out here."""

from __future__ import annotations

from bridge.connections.owned_connections import OwnedConnections
from bridge.connections.payment_stops import PaymentStops
from bridge.connections.verify import Verifier
from bridge.domain.connection import Connection, PaymentsStop
from bridge.domain.errors import InvalidInputError, NotFoundError, NotPossibleError
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import is_platform_id, mirrored_id
from bridge.domain.problem import Action, Problem, ProblemCode, name_of_subject, record_of_subject
from bridge.domain.run import RunKind
from bridge.domain.work_messages import PdfRequest
from bridge.payments.unowned_payments import UnownedPayments
from bridge.payments.write_back_actions import WriteBackActions
from bridge.ports import Clock, HintQueue, PdfQueue, ProblemStore, RunStore
from bridge.runs.start import RunStarter

MAX_RUNS_SEARCHED = 50
_STOPS = {
    ProblemCode.ANOTHER_BRIDGE: PaymentsStop.ANOTHER_BRIDGE,
    ProblemCode.UNUSUALLY_MANY_PAYMENTS: PaymentsStop.UNUSUALLY_MANY,
}


class ProblemActions:
    """The actions that an open problem offers are carried out here."""

    def __init__(
        self,
        *,
        owned: OwnedConnections,
        stops: PaymentStops,
        problems: ProblemStore,
        runs: RunStore,
        starter: RunStarter,
        hints: HintQueue,
        pdfs: PdfQueue,
        verifier: Verifier,
        write_backs: WriteBackActions,
        unowned_payments: UnownedPayments,
        clock: Clock,
    ) -> None:
        self._owned = owned
        self._stops = stops
        self._problems = problems
        self._runs = runs
        self._starter = starter
        self._hints = hints
        self._pdfs = pdfs
        self._verifier = verifier
        self._write_backs = write_backs
        self._unowned_payments = unowned_payments
        self._clock = clock

    def get(self, partner_id: str, problem_id: str) -> Problem:
        """Return the partner's problem. Raises NotFoundError when it is missing."""
        known = is_platform_id(problem_id)
        problem = self._problems.get(partner_id, problem_id) if known else None
        if problem is None:
            raise NotFoundError("no such problem")
        return problem

    def act(
        self,
        partner_id: str,
        problem_id: str,
        action: Action,
        *,
        psa_payment_id: int | None = None,
        reference: str = "",
    ) -> Problem:
        """Carry out the action and return the problem as it is afterwards.

        ``psa_payment_id`` names the payment that is adopted or dismissed, ``reference`` the entry
        that reversed one in the books.

        Dismissing, approving, and starting a failed run again resolve the problem at once (a new
        failure opens a new one). A retried record, PDF or payment resolves it when it succeeds.
        Actions that need ConnectWise require a syncing connection; the others always work.

        Raises NotFoundError, NotPossibleError when the problem lacks the action or its state
        forbids it, RunActiveError, and the errors of verifying.
        """
        problem = self.get(partner_id, problem_id)
        if action not in problem.actions:
            raise NotPossibleError(
                "action_not_offered", "The problem does not offer this action in its state."
            )
        if action is Action.DISMISS:
            self._dismiss(problem, psa_payment_id)
        elif problem.code is ProblemCode.PAYMENT_NOT_WRITTEN:
            self._decide_write_back(problem, action, psa_payment_id, reference)
        else:
            self._act_on_connection(
                problem, self._owned.get_syncing(partner_id, problem.connection_id)
            )
        return self.get(partner_id, problem_id)

    def _act_on_connection(self, problem: Problem, connection: Connection) -> None:
        """Carry out the one action that each code offers beside dismissing."""
        if Action.VERIFY in problem.actions:
            self._verifier.verify(connection)
        elif problem.code is ProblemCode.MASS_ARCHIVE_STOPPED:
            self._starter.start(connection, RunKind.SWEEP, archive_is_approved=True)
            self._resolve(problem)
        elif problem.code in _STOPS:
            self._stops.allow(connection, _STOPS[problem.code])
        elif problem.code is ProblemCode.RUN_FAILED:
            self._restart_run(problem, connection)
            self._resolve(problem)
        else:
            self._retry_record(problem, connection)

    def _dismiss(self, problem: Problem, psa_payment_id: int | None) -> None:
        if problem.code is ProblemCode.PAYMENT_SURPLUS:
            self._dismiss_surplus(problem, psa_payment_id)
        else:
            self._resolve(problem)

    def _dismiss_surplus(self, problem: Problem, psa_payment_id: int | None) -> None:
        """Take one payment for somebody else's; the problem stays while others are left."""
        record = record_of_subject(problem.subject)
        if record is None or psa_payment_id is None:
            raise InvalidInputError(
                "name the one payment that is not the bridge's", field="connectwise_payment_id"
            )
        place = (problem.partner_id, problem.connection_id, record[1])
        self._unowned_payments.disclaim(*place, psa_payment_id)
        if not self._unowned_payments.surplus(*place):
            self._resolve(problem)

    def _resolve(self, problem: Problem) -> None:
        self._problems.resolve(problem.partner_id, problem.problem_id, self._clock.now())

    def _decide_write_back(
        self, problem: Problem, action: Action, psa_payment_id: int | None, reference: str
    ) -> None:
        """A decision is stored whatever the connection's state; what it asks for waits for it."""
        if action is Action.RETRY:
            self._owned.get_syncing(problem.partner_id, problem.connection_id)
        self._write_backs.act(
            problem.partner_id,
            problem.connection_id,
            name_of_subject(problem.subject),
            action,
            psa_payment_id=psa_payment_id,
            reference=reference,
        )

    def _restart_run(self, problem: Problem, connection: Connection) -> None:
        """Start a run of the failed one's kind, for changes since the same time."""
        name = name_of_subject(problem.subject)
        kind = next((kind for kind in RunKind if kind.value == name), None)
        if kind is None:
            raise NotPossibleError("nothing_to_retry", "The problem names no kind of run.")
        newest = self._runs.list_of_connection(connection.connection_id, limit=MAX_RUNS_SEARCHED)
        since = next((run.since for run in newest.items if run.kind is kind), None)
        self._starter.start(connection, kind, since=since)

    def _retry_record(self, problem: Problem, connection: Connection) -> None:
        record = record_of_subject(problem.subject)
        if record is None:
            raise NotPossibleError("nothing_to_retry", "The problem names no single record.")
        kind, source_id = record
        if problem.code is ProblemCode.PDF_UNAVAILABLE:
            invoice_id = mirrored_id(connection.connection_id, source_id)
            request = PdfRequest(connection.connection_id, invoice_id)
            self._pdfs.send([request], partner_id=connection.partner_id)
        else:
            hint = Hint(
                connection.connection_id,
                kind,
                source_id,
                HintReason.RETRY,
                partner_id=connection.partner_id,
            )
            self._hints.send([hint])
