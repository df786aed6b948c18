"""The one wiring: each function takes ports and returns a use case.

Lambda functions call these with adapters, tests and simulation with fakes in memory. Imports stand
inside the functions, so that a Lambda function pays at its cold start for its own use case only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.wiring.connection_use_cases import (
    callback_endpoints,
    callback_keeper,
    callback_registrations,
    company_check,
    company_claims,
    company_proofs,
    connection_health,
    connection_move,
    connector,
    disconnector,
    filter_check,
    filter_choices,
    filter_preferences,
    job_chains,
    manual_fetch,
    minute_shares,
    owned_connections,
    payment_preferences,
    payment_stops,
    reconnected_write_backs,
    run_control,
    run_starter,
    same_records,
    scheduled_runs,
    signing_key_fetch,
    silent_servers,
    site_turns,
    stalled_runs,
    verifier,
    watermarks,
)
from bridge.wiring.figure_use_cases import invoice_standings, month_end, overview
from bridge.wiring.filter_use_cases import filter_archive, filter_marks, filter_preview
from bridge.wiring.mirror_use_cases import (
    hint_processor,
    page_refresh,
    pdf_keeper,
    pdf_links,
    record_fetch,
    record_search,
    refresher,
    run_worker,
)

if TYPE_CHECKING:
    from bridge.connectwise.callback_intake import CallbackIntake
    from bridge.payments.due_write_backs import DueWriteBacks
    from bridge.payments.failed_write_backs import FailedWriteBacks
    from bridge.payments.first_contact import FirstContact
    from bridge.payments.owner_move import OwnerMove
    from bridge.payments.payment_check import PaymentCheck
    from bridge.payments.payment_reconciler import PaymentReconciler
    from bridge.payments.platform_payments import PlatformPayments
    from bridge.payments.unapplied_problems import UnappliedProblems
    from bridge.payments.unowned_payments import UnownedPayments
    from bridge.payments.write_back_actions import WriteBackActions
    from bridge.payments.write_back_problems import WriteBackProblems
    from bridge.payments.write_back_turns import WriteBackTurns
    from bridge.payments.write_back_worker import WriteBackWorker
    from bridge.platform_records.records import PlatformRecords
    from bridge.problems.actions import ProblemActions
    from bridge.problems.failed_messages import FailedMessages
    from bridge.wiring.ports import CallbackPorts, Ports

__all__ = [
    "callback_endpoints",
    "callback_keeper",
    "callback_registrations",
    "company_check",
    "company_claims",
    "company_proofs",
    "connection_health",
    "connection_move",
    "connector",
    "disconnector",
    "filter_archive",
    "filter_check",
    "filter_choices",
    "filter_marks",
    "filter_preferences",
    "filter_preview",
    "hint_processor",
    "invoice_standings",
    "job_chains",
    "manual_fetch",
    "minute_shares",
    "month_end",
    "overview",
    "owned_connections",
    "page_refresh",
    "payment_preferences",
    "payment_stops",
    "pdf_keeper",
    "pdf_links",
    "reconnected_write_backs",
    "record_fetch",
    "record_search",
    "refresher",
    "run_control",
    "run_starter",
    "run_worker",
    "same_records",
    "scheduled_runs",
    "signing_key_fetch",
    "silent_servers",
    "site_turns",
    "stalled_runs",
    "verifier",
    "watermarks",
]

# --- callbacks -------------------------------------------------------------------------------


def callback_intake(ports: CallbackPorts) -> CallbackIntake:
    from bridge.connectwise.callback_intake import CallbackIntake
    from bridge.connectwise.signature_check import SignatureCheck

    signatures = SignatureCheck(
        keys=ports.signing_keys,
        source=ports.open_key_source,
        requests=ports.key_requests,
        clock=ports.clock,
    )
    return CallbackIntake(
        endpoints=ports.callback_endpoints,
        signatures=signatures,
        hints=ports.hints,
        clock=ports.clock,
        allow_loopback=ports.allow_loopback,
    )


# --- records of the platform ------------------------------------------------------------------


def platform_records(ports: Ports) -> PlatformRecords:
    from bridge.platform_records.records import PlatformRecords

    return PlatformRecords(ports.records, ports.clock)


# --- payments --------------------------------------------------------------------------------


def platform_payments(ports: Ports) -> PlatformPayments:
    from bridge.payments.platform_payments import PlatformPayments

    return PlatformPayments(
        ledger=ports.ledger,
        records=ports.records,
        connections=ports.connections,
        queue=ports.write_back_queue,
        write_back_problems=write_back_problems(ports),
        unapplied_problems=unapplied_problems(ports),
        clock=ports.clock,
    )


def unapplied_problems(ports: Ports) -> UnappliedProblems:
    from bridge.payments.unapplied_problems import UnappliedProblems

    return UnappliedProblems(ports.problems, ports.clock)


def write_back_problems(ports: Ports) -> WriteBackProblems:
    from bridge.payments.write_back_problems import WriteBackProblems

    return WriteBackProblems(ports.problems, ports.clock)


def write_back_worker(ports: Ports) -> WriteBackWorker:
    from bridge.payments.write_back_worker import WriteBackWorker

    return WriteBackWorker(
        ledger=ports.ledger,
        connections=ports.connections,
        stops=payment_stops(ports),
        gateway=ports.gateway,
        hints=ports.hints,
        queue=ports.write_back_queue,
        reconciler=payment_reconciler(ports),
        first_contact=first_contact(ports),
        control=ports.payment_control,
        write_back_problems=write_back_problems(ports),
        metrics=ports.metrics,
        clock=ports.clock,
        timings=ports.timings,
    )


def first_contact(ports: Ports) -> FirstContact:
    from bridge.payments.first_contact import FirstContact

    return FirstContact(
        ledger=ports.ledger,
        records=ports.records,
        owned=owned_connections(ports),
        problems=ports.problems,
        clock=ports.clock,
    )


def write_back_turns(ports: Ports) -> WriteBackTurns:
    from bridge.payments.write_back_turns import WriteBackTurns
    from bridge.ports import Activity

    return WriteBackTurns(
        driver=write_back_worker(ports),
        ledger=ports.ledger,
        turns=site_turns(ports, Activity.WRITE_BACK, step=ports.timings.attempt),
        queue=ports.write_back_queue,
        clock=ports.clock,
    )


def write_back_actions(ports: Ports) -> WriteBackActions:
    from bridge.payments.write_back_actions import WriteBackActions

    return WriteBackActions(
        ports.ledger,
        ports.write_back_queue,
        write_back_problems(ports),
        unowned_payments(ports),
        ports.clock,
    )


def unowned_payments(ports: Ports) -> UnownedPayments:
    from bridge.payments.unowned_payments import UnownedPayments

    return UnownedPayments(ports.ledger, ports.records, ports.connections)


def due_write_backs(ports: Ports) -> DueWriteBacks:
    from bridge.payments.due_write_backs import DueWriteBacks

    return DueWriteBacks(
        ports.ledger, ports.silences, ports.write_back_queue, ports.metrics, ports.clock
    )


def payment_reconciler(ports: Ports) -> PaymentReconciler:
    from bridge.payments.payment_reconciler import PaymentReconciler

    return PaymentReconciler(
        ledger=ports.ledger,
        gateway=ports.gateway,
        records=ports.records,
        connections=ports.connections,
        problems=ports.problems,
        write_back_problems=write_back_problems(ports),
        queue=ports.write_back_queue,
        hints=ports.hints,
        clock=ports.clock,
        timings=ports.timings,
    )


def payment_check(ports: Ports) -> PaymentCheck:
    from bridge.payments.payment_check import PaymentCheck

    return PaymentCheck(
        ledger=ports.ledger,
        records=ports.records,
        reconciler=payment_reconciler(ports),
        owner_move=owner_move(ports),
        metrics=ports.metrics,
        clock=ports.clock,
    )


def owner_move(ports: Ports) -> OwnerMove:
    from bridge.payments.owner_move import OwnerMove

    return OwnerMove(ports.ledger, owned_connections(ports), ports.problems, ports.clock)


# --- failures --------------------------------------------------------------------------------


def failed_messages(ports: Ports) -> FailedMessages:
    from bridge.problems.failed_messages import FailedMessages

    return FailedMessages(ports.connections, ports.runs, ports.problems, ports.clock)


def failed_write_backs(ports: Ports) -> FailedWriteBacks:
    from bridge.payments.failed_write_backs import FailedWriteBacks

    return FailedWriteBacks(ports.ledger, write_back_problems(ports), ports.clock)


def problem_actions(ports: Ports) -> ProblemActions:
    from bridge.problems.actions import ProblemActions

    return ProblemActions(
        owned=owned_connections(ports),
        stops=payment_stops(ports),
        problems=ports.problems,
        runs=ports.runs,
        starter=run_starter(ports),
        hints=ports.hints,
        pdfs=ports.pdf_queue,
        verifier=verifier(ports),
        write_backs=write_back_actions(ports),
        unowned_payments=unowned_payments(ports),
        clock=ports.clock,
    )
