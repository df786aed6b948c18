"""The machinery: queues deliver, callbacks arrive, schedules tick, time passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import chain
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from bridge.connectwise.callback_intake import Callback
from bridge.domain.job import Job
from connectwise_sandbox.deliveries import Delivery
from tests.simulation.functions import QueueFunction
from tests.simulation.parts import Actor
from tests.simulation.queues import QueuedMessage
from tests.simulation.wiring import Wiring
from tests.simulation.world import World

RECEIVER_TIMEOUT_SECONDS = 10.0
JOB_TIMEOUT_SECONDS = 300.0
SERVER_ERROR = 500
LONGEST_PAUSE_SECONDS = 900.0
LONGEST_TICK_SECONDS = 60.0
"""Time that passes beyond the next tick of a schedule holds everybody up."""
LONGEST_REST = timedelta(minutes=10)
"""What is looked at each minute is looked at so often where nothing is due."""
_VISIBLE_AT = attrgetter("visible_at")


class Messages(Actor):
    """Hands a batch of one queue's messages to its function."""

    def __init__(self, function: QueueFunction) -> None:
        self.name = function.queue
        self._function = function

    def weight(self, world: World) -> float:
        queue = world.queues[self.name]
        return 4.0 if queue.messages and queue.has_visible() else 0.0

    def act(self, world: World) -> str:
        queue = world.queues[self.name]
        wanted = world.random.randint(1, self._function.batch_size)
        batch = queue.receive(wanted, world.random)
        if not batch:
            return "moved to the dead letters"
        event = {"Records": [_record(message, self.name) for message in batch]}
        invocation = world.invoke(
            self.name,
            self._function.timeout_seconds,
            lambda wiring: self._function.handle(wiring, event),
        )
        if invocation.value is None:
            return f"{len(batch)} failed together"
        failed = {item["itemIdentifier"] for item in invocation.value["batchItemFailures"]}
        for message in batch:
            if message.message_id in failed:
                continue
            if not any(fault.repeats(world, "message") for fault in world.faults):
                queue.delete(message)
        return f"{len(batch)} done, {len(failed)} to be repeated"


class Callbacks(Actor):
    """Carries ConnectWise's deliveries to the receiver, in any order."""

    name = "callback"

    def __init__(self) -> None:
        self._under_way: list[Delivery] = []

    def weight(self, world: World) -> float:
        self._under_way += world.engine.take_due_deliveries()
        return 3.0 if self._under_way else 0.0

    def act(self, world: World) -> str:
        place = world.random.randrange(len(self._under_way))
        delivery = self._under_way.pop(place)
        status = deliver(world, delivery)
        world.engine.record_delivery_result(delivery.id, status)
        return f"{delivery.type} {delivery.record_id} {delivery.action}: {status}"


class Replays(Actor):
    """Sends old callbacks again, as a faulty network or somebody who overheard them would."""

    name = "replay"

    def weight(self, world: World) -> float:
        return 0.0 if world.is_calm or not world.engine.tenant.deliveries.delivered else 0.05

    def act(self, world: World) -> str:
        delivery = world.random.choice(world.engine.tenant.deliveries.delivered)
        answer = deliver(world, delivery)
        return f"{delivery.type} {delivery.record_id} {delivery.action}: {answer}"


class Timetable(Actor):
    """Starts a function every ``period``; a tick may come twice, or be lost in a crash."""

    def __init__(
        self,
        name: str,
        *,
        period: timedelta,
        next_at: datetime,
        work: Callable[[Wiring], object],
    ) -> None:
        self.name = name
        self.period = period
        self.next_at = next_at
        self._work = work

    def weight(self, world: World) -> float:
        return 4.0 if self.next_at <= world.clock.now() else 0.0

    def act(self, world: World) -> str:
        if not any(fault.repeats(world, "tick") for fault in world.faults):
            while self.next_at <= world.clock.now():
                self.next_at += self.period
        invocation = world.invoke(self.name, JOB_TIMEOUT_SECONDS, self._work)
        return f"{invocation.value}"


class PatientTimetable(Timetable):
    """Leaves ticks out that would find nothing to do, but for one every ``LONGEST_REST``."""

    def __init__(self, *arguments: Any, is_idle: Callable[[World], bool], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._is_idle = is_idle
        self._acted_at: datetime | None = None

    def weight(self, world: World) -> float:
        now = world.clock.now()
        if self.next_at > now:
            return 0.0
        has_rested = self._acted_at is not None and now - self._acted_at < LONGEST_REST
        if has_rested and self._is_idle(world):
            self.next_at = now + self.period
            return 0.0
        return super().weight(world)

    def act(self, world: World) -> str:
        self._acted_at = world.clock.now()
        return super().act(world)


class Time(Actor):
    """Lets time pass: to where something is due, or just a while."""

    name = "time"

    def weight(self, world: World) -> float:
        if world.depth:
            return 0.05
        if not world.is_calm:
            return 1.0
        return 0.0 if any(self._weights_of_others(world)) else 1.0

    def act(self, world: World) -> str:
        seconds = world.random.uniform(0, 120) if world.depth > 1 else self._seconds(world)
        world.clock.advance(seconds=seconds)
        if seconds > LONGEST_TICK_SECONDS:
            world.note_trouble()
        return f"{seconds:.0f} seconds pass"

    def _seconds(self, world: World) -> float:
        until_due = self._until_due(world)
        if world.is_calm or world.random.random() < 0.5:
            return min(until_due, LONGEST_PAUSE_SECONDS)
        return world.random.uniform(0, min(until_due, 120.0))

    def _until_due(self, world: World) -> float:
        now = world.clock.now()
        due = [at for at in self._due(world) if at > now]
        return (min(due) - now).total_seconds() if due else LONGEST_PAUSE_SECONDS

    def _due(self, world: World) -> list[datetime]:
        skew = timedelta(seconds=world.books.clock_skew_seconds)
        engine_due = world.engine.next_due()
        queues = [
            min(map(_VISIBLE_AT, queue.messages))
            for queue in world.queues.values()
            if queue.messages
        ]
        ticks = (actor.next_at for actor in world.actors if isinstance(actor, Timetable))
        moments = [engine_due - skew if engine_due else None, *queues, *ticks]
        return [moment for moment in moments if moment]

    def _weights_of_others(self, world: World) -> Iterable[float]:
        """Return how likely the others act; those who were just asked are not asked again."""
        weighed = len(world.weighed)
        later = world.actors[weighed:]
        asked_again = (actor.weight(world) for actor in later if actor is not self)
        return chain(world.weighed, asked_again)


class PromptTime(Time):
    """Lets time pass only while nobody has anything due."""

    def weight(self, world: World) -> float:
        return 0.0 if sum(self._weights_of_others(world)) >= 1.0 else 1.0

    def _seconds(self, world: World) -> float:
        return min(super()._seconds(world), self._until_due(world))


def starting(name: str) -> Callable[[Wiring], object]:
    """Return what the reconciler does when an event names a job."""
    return lambda wiring: dict(wiring.reconciler_jobs.start({"job": name}))


def timetables(
    starts_at: datetime, sweeps_at: datetime, sweeps_every: timedelta
) -> list[Timetable]:
    """Return the schedules of the sync, each with its first tick."""
    return [
        Timetable(
            "customers",
            period=timedelta(hours=1),
            next_at=starts_at + timedelta(minutes=40),
            work=starting(Job.CUSTOMERS),
        ),
        Timetable(
            "invoice-delta",
            period=timedelta(minutes=15),
            next_at=starts_at + timedelta(minutes=5),
            work=starting(Job.INVOICE_DELTA),
        ),
        Timetable("sweep", period=sweeps_every, next_at=sweeps_at, work=starting(Job.SWEEP)),
        Timetable(
            "callbacks", period=timedelta(hours=1), next_at=starts_at, work=starting(Job.CALLBACKS)
        ),
    ]


def deliver(world: World, delivery: Delivery) -> int:
    """Carry a delivery to the receiver and return the status of its answer."""
    connection_id, secret = urlsplit(delivery.url).path.split("/")[-2:]
    callback = Callback(
        connection_id=connection_id,
        secret=secret,
        body=delivery.body,
        signature=delivery.headers["x-content-signature"],
    )
    invocation = world.invoke(
        "webhook_receiver",
        RECEIVER_TIMEOUT_SECONDS,
        lambda wiring: wiring.callback_intake.take(callback),
    )
    return invocation.value.value if invocation.value else SERVER_ERROR


def _record(message: QueuedMessage, queue: str) -> dict[str, object]:
    return {
        "messageId": message.message_id,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(message.sent_at.timestamp() * 1000)),
        },
        "eventSourceARN": f"arn:aws:sqs:eu-central-1:000000000000:{queue}",
    }
