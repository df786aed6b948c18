"""Objects of ``bridge.entrypoints`` that work with several use cases are made from ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.wiring import use_cases

if TYPE_CHECKING:
    from bridge.entrypoints.dashboard_services import DashboardServices
    from bridge.entrypoints.dead_letters import DeadLetters
    from bridge.entrypoints.hint_batches import HintBatches
    from bridge.entrypoints.job_ticks import JobTicks
    from bridge.entrypoints.job_worker import JobWorker
    from bridge.entrypoints.reconciler_jobs import ReconcilerJobs
    from bridge.entrypoints.stream_relay import StreamRelay
    from bridge.wiring.ports import Ports


def reconciler_jobs(ports: Ports) -> ReconcilerJobs:
    from bridge.entrypoints.reconciler_jobs import ReconcilerJobs

    return ReconcilerJobs(
        ticks=job_ticks(ports), worker=job_worker(ports), due=use_cases.due_write_backs(ports)
    )


def job_ticks(ports: Ports) -> JobTicks:
    from bridge.entrypoints.job_ticks import JobTicks

    return JobTicks(ports.connections, ports.job_queue, ports.metrics, ports.clock)


def job_worker(ports: Ports) -> JobWorker:
    from bridge.connections.site_turns import STEP_LIFE
    from bridge.entrypoints.connection_jobs import ConnectionJobs
    from bridge.entrypoints.job_worker import JobWorker
    from bridge.ports import Activity

    jobs = ConnectionJobs(
        scheduled_runs=use_cases.scheduled_runs(ports),
        stalled_runs=use_cases.stalled_runs(ports),
        callbacks=use_cases.callback_keeper(ports),
        payment_check=use_cases.payment_check(ports),
    )
    return JobWorker(
        jobs=jobs,
        connections=ports.connections,
        site_turns=use_cases.site_turns(ports, Activity.JOB, step=STEP_LIFE),
        chains=use_cases.job_chains(ports),
        queue=ports.job_queue,
        problems=ports.problems,
        clock=ports.clock,
    )


def hint_batches(ports: Ports) -> HintBatches:
    from bridge.entrypoints.hint_batches import HintBatches

    return HintBatches(
        use_cases.hint_processor(ports), ports.hints_alone, use_cases.failed_messages(ports)
    )


def dead_letters(ports: Ports) -> DeadLetters:
    from bridge.entrypoints.dead_letters import DeadLetters

    return DeadLetters(
        use_cases.failed_messages(ports), use_cases.failed_write_backs(ports), ports.parked_queue
    )


def stream_relay(ports: Ports) -> StreamRelay:
    from bridge.entrypoints.stream_relay import StreamRelay
    from bridge.store.changes import read_events

    return StreamRelay(ports.event_bus, read_events)


def dashboard_services(ports: Ports, egress_addresses: tuple[str, ...]) -> DashboardServices:
    from bridge.entrypoints.dashboard_services import DashboardServices

    return DashboardServices(
        connections=ports.connections,
        records=ports.records,
        runs=ports.runs,
        problems=ports.problems,
        ledger=ports.ledger,
        metrics=ports.metrics,
        clock=ports.clock,
        shares=use_cases.minute_shares(ports),
        overview=use_cases.overview(ports),
        month_end=use_cases.month_end(ports),
        owned_connections=use_cases.owned_connections(ports),
        connector=use_cases.connector(ports),
        disconnector=use_cases.disconnector(ports),
        connection_move=use_cases.connection_move(ports),
        verifier=use_cases.verifier(ports),
        run_control=use_cases.run_control(ports),
        watermarks=use_cases.watermarks(ports),
        filter_choices=use_cases.filter_choices(ports),
        filter_preferences=use_cases.filter_preferences(ports),
        filter_preview=use_cases.filter_preview(ports),
        filter_archive=use_cases.filter_archive(ports),
        platform_records=use_cases.platform_records(ports),
        filter_marks=use_cases.filter_marks(ports),
        record_search=use_cases.record_search(ports),
        record_fetch=use_cases.record_fetch(ports),
        invoice_standings=use_cases.invoice_standings(ports),
        pdf_links=use_cases.pdf_links(ports),
        problem_actions=use_cases.problem_actions(ports),
        unowned_payments=use_cases.unowned_payments(ports),
        platform_payments=use_cases.platform_payments(ports),
        payment_preferences=use_cases.payment_preferences(ports),
        payment_stops=use_cases.payment_stops(ports),
        egress_addresses=egress_addresses,
    )
