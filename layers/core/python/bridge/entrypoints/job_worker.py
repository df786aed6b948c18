"""A worker does one connection's job in bounded steps, each of which goes on where one stopped."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bridge.connections.job_chains import ChainLink, JobChains
from bridge.connections.job_step import JobStep, StepEnd
from bridge.connections.site_turns import SiteTurns, Turn, put_off_seconds
from bridge.domain.connection import Connection
from bridge.domain.errors import LeftAloneError, NotItsTurnError
from bridge.domain.identity import problem_id
from bridge.domain.job import Job
from bridge.domain.problem import ProblemCode
from bridge.domain.work_messages import JobMessage
from bridge.entrypoints.connection_jobs import ConnectionJobs
from bridge.log_fields import log_fields
from bridge.ports import Clock, ConnectionStore, JobQueue, ProblemStore

LONG_STEP_SECONDS = 30.0
"""A step ends with the request that it is at by then."""
SHORT_STEP_SECONDS = 5.0
"""A step outside the partner's places is over so soon; further steps hold a place."""

_HOLDING_A_PLACE = frozenset({Job.CALLBACKS, Job.PAYMENTS, Job.RESTING_PAYMENTS})
_ASKING = frozenset({Job.CALLBACKS, Job.PAYMENTS})
_LOOKING_ANYWAY = frozenset({Job.PAYMENTS})
"""Such a job looks at the mirror while the server is left alone."""

_logger = logging.getLogger(__name__)


class JobWorker:
    """The worker does the step that a message asks for, within its partner's places."""

    def __init__(
        self,
        *,
        jobs: ConnectionJobs,
        connections: ConnectionStore,
        site_turns: SiteTurns,
        chains: JobChains,
        queue: JobQueue,
        problems: ProblemStore,
        clock: Clock,
    ) -> None:
        self._jobs = jobs
        self._connections = connections
        self._site_turns = site_turns
        self._chains = chains
        self._queue = queue
        self._problems = problems
        self._clock = clock

    def work(self, message: JobMessage) -> None:
        """Do the step, or put it off until it is its turn.

        A job that was still to begin when its period ended is left to the next one's message: so a
        slow server piles up one message at most. One at which a worker failed goes on all the
        same: it ends as a success or as a dead letter.
        """
        with log_fields(job=message.job.value):
            self._work(message)

    def _work(self, message: JobMessage) -> None:
        if self._is_over(message) and not message.is_repeated:
            _logger.info("the job is left to its next period")
            return
        connection = self._connections.get(message.connection_id).value
        if connection is None or not connection.is_syncing:
            return
        try:
            with ExitStack() as stack:
                turn, may_ask = self._take_turn(stack, message, connection)
                turn.visit = self._step(message, connection, may_ask=may_ask).visit
        except NotItsTurnError as error:
            self._put_off(message, error)

    def _is_over(self, message: JobMessage) -> bool:
        return not message.turn and self._clock.now() >= message.expires_at

    def _take_turn(
        self, stack: ExitStack, message: JobMessage, connection: Connection
    ) -> tuple[Turn, bool]:
        """Return the turn that is held until the stack ends, and whether ConnectWise may be asked.

        Raises NotItsTurnError with the wait.
        """
        if not _holds_place(message):
            return Turn(), False
        turn = partial(self._site_turns.turn, connection.partner_id, connection.connection_id)
        if message.job not in _ASKING:
            return stack.enter_context(turn(asks_server=False)), False
        try:
            return stack.enter_context(turn()), True
        except LeftAloneError:
            if message.job not in _LOOKING_ANYWAY:
                raise
            return stack.enter_context(turn(asks_server=False)), False

    def _step(self, message: JobMessage, connection: Connection, *, may_ask: bool) -> StepEnd:
        link = self._chains.begin(message)
        if link is None:
            _logger.info("somebody else is at the job, or went on with it")
            return StepEnd()
        seconds = LONG_STEP_SECONDS if _holds_place(message) else SHORT_STEP_SECONDS
        until = self._clock.now() + timedelta(seconds=seconds)
        step = JobStep(connection, until, link.cursor, link.hours, may_ask)
        end = self._jobs.do(message.job, step)
        self._go_on(message, link, end)
        return end

    def _go_on(self, message: JobMessage, link: ChainLink, end: StepEnd) -> None:
        """Send for the next step if there is one."""
        if end.cursor is None:
            self._chains.end(link)
            self._resolve_failure(message)
            _logger.info("job done", extra={"done": end.done})
            return
        token = self._chains.go_on(link, end.cursor)
        if token is not None:
            self._queue.send([(replace(message, turn=token, times_put_off=0), 0)])

    def _resolve_failure(self, message: JobMessage) -> None:
        """Resolve the problem of a job that failed for good at another time."""
        failure = (message.connection_id, ProblemCode.JOB_FAILED.value, message.job.subject)
        self._problems.resolve(message.partner_id, problem_id(*failure), self._clock.now())

    def _put_off(self, message: JobMessage, error: NotItsTurnError) -> None:
        """Send the message again a little later, unless the next one of its job comes before."""
        seconds = put_off_seconds(error, message.times_put_off)
        again = self._clock.now() + timedelta(seconds=seconds)
        if not message.turn and again >= message.expires_at:
            _logger.info("the job had no turn in its period")
            return
        self._queue.send([(replace(message, times_put_off=message.times_put_off + 1), seconds)])


def _holds_place(message: JobMessage) -> bool:
    """Tell whether the step may take long. The others take a moment in our own tables."""
    return message.job in _HOLDING_A_PLACE or bool(message.turn)
