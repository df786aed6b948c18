"""Objects of ``bridge.entrypoints`` that work with several use cases are made from ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.wiring import use_cases

if TYPE_CHECKING:
    from bridge.connections.callback_keeper import CallbackKeeper
    from bridge.entrypoints.dashboard_services import DashboardServices
    from bridge.entrypoints.dead_letters import DeadLetters
    from bridge.entrypoints.reconciler_jobs import ReconcilerJobs
    from bridge.entrypoints.stream_relay import StreamRelay
    from bridge.wiring.ports import Ports


def reconciler_jobs(ports: Ports, callbacks: CallbackKeeper) -> ReconcilerJobs:
    from bridge.entrypoints.reconciler_jobs import ReconcilerJobs

    return ReconcilerJobs(
        scheduled_runs=use_cases.scheduled_runs(ports),
        stalled_runs=use_cases.stalled_runs(ports),
        callbacks=callbacks,
        due=use_cases.due_write_backs(ports),
        payment_check=use_cases.payment_check(ports),
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
        clock=ports.clock,
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
        pdf_links=use_cases.pdf_links(ports),
        problem_actions=use_cases.problem_actions(ports),
        unowned_payments=use_cases.unowned_payments(ports),
        platform_payments=use_cases.platform_payments(ports),
        payment_preferences=use_cases.payment_preferences(ports),
        payment_stops=use_cases.payment_stops(ports),
        egress_addresses=egress_addresses,
    )
