"""Each schedule's job reaches the use case that it is for."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bridge.payments.sweeping import DueWriteBacks, PaymentSweep
from bridge.runtime.reconciler_jobs import PaymentJob, ReconcilerJobs
from bridge.sync.reconciling import Job, Reconciler
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import InMemoryLedgerStore
from tests.fakes.queues import InMemoryWriteBackQueue


class Mirror(Reconciler):
    """Says which job of the mirror was asked for."""

    def __init__(self) -> None:
        self.done: list[Job] = []

    def do(self, job: Job) -> Mapping[str, int]:
        self.done.append(job)
        return {"asked": 1}


class Sweep(PaymentSweep):
    """Counts two write-backs tried again and three invoices compared."""

    def __init__(self) -> None:
        """Needs nothing of what a real sweep needs."""

    def heal_all(self) -> int:
        return 2

    def compare_all(self) -> int:
        return 3


def jobs(mirror: Mirror | None = None) -> tuple[ReconcilerJobs, InMemoryWriteBackQueue]:
    clock = FakeClock()
    ledger, queue = InMemoryLedgerStore(clock), InMemoryWriteBackQueue(clock)
    payment = a_platform_payment()
    ledger.record(payment, write_backs_for(payment))
    due = DueWriteBacks(ledger, queue, clock)
    return ReconcilerJobs(mirror or Mirror(), due, Sweep()), queue


def test_what_is_due_is_sent_to_a_worker() -> None:
    reconciler, queue = jobs()
    assert reconciler.do("due_write_backs") == {"woken": 1}
    assert [message.write_back_id for message in queue.take_due()] == ["pay-1.1001"]


def test_the_sweeps_say_what_they_found() -> None:
    reconciler, _ = jobs()
    assert reconciler.do("heal_write_backs") == {"tried_again": 2}
    assert reconciler.do("payments") == {"compared": 3}


@pytest.mark.parametrize("job", Job)
def test_jobs_of_the_mirror_stay_with_the_mirror(job: Job) -> None:
    mirror = Mirror()
    reconciler, queue = jobs(mirror)
    assert reconciler.do(job.value) == {"asked": 1}
    assert mirror.done == [job]
    assert queue.take_due() == []


def test_no_name_means_two_jobs() -> None:
    assert {job.value for job in Job}.isdisjoint(job.value for job in PaymentJob)


def test_a_name_that_is_no_jobs_is_a_mistake() -> None:
    reconciler, _ = jobs()
    with pytest.raises(ValueError, match="tidy_up"):
        reconciler.do("tidy_up")
