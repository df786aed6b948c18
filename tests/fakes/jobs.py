"""Jobs as a person starts them, done at once by a worker on ports in memory."""

from __future__ import annotations

import logging

from bridge.domain.job import Job
from bridge.wiring import entrypoints
from tests.fakes.ports import InMemoryPorts

_logger = logging.getLogger(__name__)


def do_job(ports: InMemoryPorts, job: Job) -> None:
    """Start a job on every connection, and do what its messages ask for until none is due."""
    entrypoints.reconciler_jobs(ports).start({"job": job.value})
    work_off_jobs(ports)


def work_off_jobs(ports: InMemoryPorts) -> int:
    """Do what is due of the queue of jobs; return the number of messages that failed."""
    failed = 0
    worker = entrypoints.reconciler_jobs(ports)
    while due := ports.job_queue.take_due():
        for message in due:
            try:
                worker.work(message)
            except Exception:
                _logger.exception("message failed")
                failed += 1
    return failed
