"""A queue that a function works off: dead letters, redrive, alarms and mapping in one place."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.acknowledgement import acknowledge
from infra.constructs.alarms import OnCall
from infra.constructs.capability import consume
from infra.constructs.python_function import PythonFunction
from infra.constructs.queues import LONGEST_RETENTION_DAYS, protected_queue

# AWS advises six, so that the retries of a throttled batch end before its messages show again.
VISIBILITY_PER_TIMEOUT = 6
DEAD_LETTERS_TIMEOUT_SECONDS = 30
_RETENTION_DAYS = 4
# A message that kills its worker may not do so for long. AWS advises five, against throttles: the
# mapping's own limit throttles nothing, and waiting for a turn takes no receive.
_RECEIVES_BEFORE_DEAD = 3
OLDEST_MESSAGE_MINUTES = 60


class VisibilityTooShortError(Exception):
    """A function may run longer than its queue hides the messages it works on."""


class QueueWorker(Construct):
    """A work queue with its dead-letter queue and, once driven, the function that works it off.

    The queue is made before its function, since a function may also send to its own queue:
    `timeout_seconds` is what the function will be given. A message older than `oldest_minutes`
    raises an alarm.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        stage: StageConfig,
        timeout_seconds: int,
        on_call: OnCall,
        oldest_minutes: int = OLDEST_MESSAGE_MINUTES,
    ) -> None:
        super().__init__(scope, id_)
        self._name = name
        self._timeout_seconds = timeout_seconds
        self.dead_letters = protected_queue(
            self,
            "DeadLetters",
            stage=stage,
            name=f"{name}-dead",
            retention_days=LONGEST_RETENTION_DAYS,
            visibility_seconds=VISIBILITY_PER_TIMEOUT * DEAD_LETTERS_TIMEOUT_SECONDS,
        )
        acknowledge(
            self.dead_letters,
            {"Serverless-SQSRedrivePolicy": "It is where another queue's messages end."},
        )
        self.queue = protected_queue(
            self,
            "Queue",
            stage=stage,
            name=name,
            retention_days=_RETENTION_DAYS,
            visibility_seconds=VISIBILITY_PER_TIMEOUT * timeout_seconds,
            dead_letters=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=_RECEIVES_BEFORE_DEAD
            ),
        )
        self._alarm(on_call, oldest_minutes)

    def drive(self, function: PythonFunction, *, batch_size: int, concurrency: int) -> None:
        """Let the function work off the queue, at most `concurrency` batches at a time.

        Calls to ConnectWise are limited here and not by reserved concurrency, which the mapping
        does not know of: throttled messages would use up their receives.

        Raises `VisibilityTooShortError` when the function may outlive the queue's timing.
        """
        _require_time(function, self._timeout_seconds)
        # A worker puts work back into queues that lead to it again (the next page of a run, a
        # hint to look once more). Without this Lambda cuts such a chain after 16 rounds.
        function.allow_recursion()
        self._map("Mapping", self.queue, function, batch_size, concurrency)

    def hand_dead_letters_to(self, function: PythonFunction) -> None:
        """Let the function take what failed for good.

        Raises `VisibilityTooShortError` when the function may run longer than
        `DEAD_LETTERS_TIMEOUT_SECONDS`.
        """
        _require_time(function, DEAD_LETTERS_TIMEOUT_SECONDS)
        self._map("DeadLetterMapping", self.dead_letters, function, batch_size=10, concurrency=2)

    def _map(
        self,
        id_: str,
        queue: sqs.IQueue,
        function: PythonFunction,
        batch_size: int,
        concurrency: int,
    ) -> None:
        function.allow(consume(queue))
        mapping = lambda_.EventSourceMapping(
            self,
            id_,
            target=function.function,
            event_source_arn=queue.queue_arn,
            batch_size=batch_size,
            max_concurrency=concurrency,
            report_batch_item_failures=True,
        )
        acknowledge(
            mapping,
            {
                "Serverless-LambdaEventSourceMappingDestination": (
                    "A queue's failed messages go to its dead-letter queue; a mapping of a queue "
                    "takes no destination."
                )
            },
        )

    def _alarm(self, on_call: OnCall, oldest_minutes: int) -> None:
        on_call.watch_depth(
            f"{self._name}-dead-depth",
            self.dead_letters,
            description=f"Messages of {self._name} failed for good: see the runbook.",
        )
        on_call.watch_age(
            f"{self._name}-age",
            self.queue,
            oldest_minutes=oldest_minutes,
            description=f"Work in {self._name} is not keeping up: see the runbook.",
        )


def _require_time(function: PythonFunction, seconds: int) -> None:
    if function.timeout_seconds > seconds:
        raise VisibilityTooShortError(
            f"{function.name} may run {function.timeout_seconds} s, its queue allows {seconds} s"
        )
