"""What moves a world of companies: queues of old and new workers, schedules, servers, time."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.domain.job import Job
from bridge.entrypoints.batches import write_back_messages_in
from bridge.entrypoints.reconciler_jobs import DUE_WRITE_BACKS
from tests.simulation.actors import Messages, Time, Timetable, starting
from tests.simulation.companies.old_worker import OldWorker
from tests.simulation.companies.rules import judge_tick
from tests.simulation.companies.world import (
    CALLBACKS_JOB,
    HARMLESS,
    OLD_WORKER,
    CompaniesWorld,
    companies_world,
)
from tests.simulation.functions import (
    JOBS,
    WRITE_BACK_SECONDS,
    WRITE_BACK_WORKER,
    Event,
    QueueFunction,
    Reply,
)
from tests.simulation.parts import Actor
from tests.simulation.wiring import Wiring
from tests.simulation.world import World

FORGOTTEN = ("pdfs",)
"""Queues whose messages are of no matter here."""


def _work_as_before(wiring: Wiring, event: Event) -> Reply:
    worker = OldWorker(wiring)

    def drive(message: object) -> None:
        ids = (message.connection_id, message.write_back_id)  # type: ignore[attr-defined]
        worker.drive(*ids)

    return write_back_messages_in(event).work_each(drive)


class NewMessages(Messages):
    """Hands write-backs to workers of this release, once they are deployed."""

    def weight(self, world: World) -> float:
        return 0.0 if companies_world(world).is_before_deploy else super().weight(world)


class OldMessages(Messages):
    """Hands write-backs to workers of the release before, while there are any."""

    def __init__(self) -> None:
        work = QueueFunction(WRITE_BACK_WORKER.queue, WRITE_BACK_SECONDS, 1, self._work)
        super().__init__(work)
        self._world: CompaniesWorld | None = None

    def weight(self, world: World) -> float:
        self._world = companies_world(world)
        is_there = self._world.is_before_deploy or self._world.has_old_workers
        return super().weight(world) if is_there else 0.0

    def _work(self, wiring: Wiring, event: Event) -> Reply:
        worker = self._world.worker if self._world else None
        assert worker is not None
        worker.function = OLD_WORKER
        return _work_as_before(wiring, event)


class CompanyChecks(Timetable):
    """The hourly job that keeps registrations and claims in order; each tick is judged."""

    def act(self, world: World) -> str:
        companies = companies_world(world)
        before = _disturbances(companies)
        told = super().act(world)
        jobs = world.queues[JOBS.queue]
        while jobs.has_visible():
            world.let(Messages(JOBS))
        if _disturbances(companies) == before and not jobs.messages:
            judge_tick(companies)
            for company in companies.servers.companies:
                companies.lines.listed_together(company)
        return told


def _disturbances(world: CompaniesWorld) -> int:
    return sum(n for name, n in world.injected.items() if not name.startswith(HARMLESS))


class CompanyServers(Actor):
    """The installations carry out what they put off; nobody listens to their callbacks."""

    name = "servers"

    def weight(self, world: World) -> float:
        for company in companies_world(world).servers.companies:
            for delivery in company.engine.take_due_deliveries():
                company.engine.record_delivery_result(delivery.id, 200)
        for name in FORGOTTEN:
            world.queues[name].messages.clear()
        return 0.0


class CompaniesTime(Time):
    """Time that knows of every company's installation."""

    def _due(self, world: World) -> list[datetime]:
        every = companies_world(world).servers.companies
        engines = [each.engine.next_due() for each in every]
        return [*super()._due(world), *(each for each in engines if each)]


def timetables(starts_at: datetime, deploys_at: datetime) -> list[Timetable]:
    """Return the schedules, each with its first tick."""
    minute, quarter, hour = timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1)
    plan: tuple[tuple[type[Timetable], str, timedelta, datetime, str], ...] = (
        (Timetable, "due-write-backs", minute, starts_at, DUE_WRITE_BACKS),
        (Timetable, "heal-write-backs", quarter, deploys_at + quarter, Job.HEAL_WRITE_BACKS),
        (Timetable, "payments", hour, deploys_at + timedelta(minutes=35), Job.PAYMENTS),
        (Timetable, "invoice-delta", hour, deploys_at + timedelta(minutes=20), Job.INVOICE_DELTA),
        (CompanyChecks, CALLBACKS_JOB, hour, deploys_at + timedelta(minutes=25), Job.CALLBACKS),
    )
    return [
        each(name, period=period, next_at=next_at, work=starting(job))
        for each, name, period, next_at, job in plan
    ]
