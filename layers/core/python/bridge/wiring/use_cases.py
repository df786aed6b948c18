"""The one wiring: each function takes ports and returns a use case.

Lambda functions call these with adapters, tests and simulation with fakes in memory. Imports stand
inside the functions, so that a Lambda function pays at its cold start for its own use case only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.connections.callback_keeper import CallbackKeeper
    from bridge.connections.callbacks import CallbackRegistrations
    from bridge.connections.connect import Connector
    from bridge.connections.disconnect import Disconnector
    from bridge.connections.filters import FilterPreferences
    from bridge.connections.health import ConnectionHealth
    from bridge.connections.owned_connections import OwnedConnections
    from bridge.connections.preferences import PaymentPreferences
    from bridge.connections.verify import Verifier
    from bridge.connectwise.callback_intake import CallbackIntake
    from bridge.mirror.filter_archive import FilterArchive
    from bridge.mirror.filter_preview import FilterPreview
    from bridge.mirror.hint_processor import HintProcessor
    from bridge.mirror.pdf_keeper import PdfKeeper
    from bridge.mirror.pdf_links import PdfLinks
    from bridge.mirror.refresh import Refresher
    from bridge.mirror.run_worker import RunWorker
    from bridge.payments.failed_write_backs import FailedWriteBacks
    from bridge.payments.payment_check import DueWriteBacks, PaymentCheck
    from bridge.payments.payment_reconciler import PaymentReconciler
    from bridge.payments.platform_payments import PlatformPayments
    from bridge.payments.unowned_payments import UnownedPayments
    from bridge.payments.write_back_actions import WriteBackActions
    from bridge.payments.write_back_problems import WriteBackProblems
    from bridge.payments.write_back_worker import WriteBackWorker
    from bridge.platform_records.records import PlatformRecords
    from bridge.problems.actions import ProblemActions
    from bridge.problems.failed_messages import FailedMessages
    from bridge.runs.control import RunControl
    from bridge.runs.schedule import ScheduledRuns, StalledRuns
    from bridge.runs.start import ManualFetch, RunStarter
    from bridge.wiring.ports import CallbackPorts, Ports

# --- callbacks -------------------------------------------------------------------------------


def callback_intake(ports: CallbackPorts) -> CallbackIntake:
    from bridge.connectwise.callback_intake import CallbackIntake

    return CallbackIntake(
        endpoints=ports.callback_endpoints,
        keys=ports.signing_keys,
        key_source=ports.open_key_source,
        hints=ports.hints,
        clock=ports.clock,
        allow_loopback=ports.allow_loopback,
    )


# --- runs ------------------------------------------------------------------------------------


def run_starter(ports: Ports) -> RunStarter:
    from bridge.runs.start import RunStarter

    return RunStarter(ports.runs, ports.run_queue, ports.clock)


def run_control(ports: Ports) -> RunControl:
    from bridge.runs.control import RunControl

    return RunControl(ports.runs, run_starter(ports), ports.clock)


def manual_fetch(ports: Ports) -> ManualFetch:
    from bridge.runs.start import ManualFetch

    return ManualFetch(run_starter(ports), ports.clock)


def scheduled_runs(ports: Ports) -> ScheduledRuns:
    from bridge.runs.schedule import ScheduledRuns

    return ScheduledRuns(ports.connections, run_starter(ports))


def stalled_runs(ports: Ports) -> StalledRuns:
    from bridge.runs.schedule import StalledRuns

    return StalledRuns(ports.runs, ports.run_queue, ports.clock)


# --- connections -----------------------------------------------------------------------------


def owned_connections(ports: Ports) -> OwnedConnections:
    from bridge.connections.owned_connections import OwnedConnections

    return OwnedConnections(ports.connections)


def connection_health(ports: Ports) -> ConnectionHealth:
    from bridge.connections.health import ConnectionHealth

    return ConnectionHealth(ports.connections, ports.problems, ports.clock)


def callback_registrations(ports: Ports) -> CallbackRegistrations:
    from bridge.connections.callbacks import CallbackRegistrations

    return CallbackRegistrations(
        owned=owned_connections(ports),
        vault=ports.vault,
        problems=ports.problems,
        clock=ports.clock,
        webhook_base_url=ports.webhook_base_url,
    )


def callback_keeper(ports: Ports) -> CallbackKeeper:
    from bridge.connections.callback_keeper import CallbackKeeper

    return CallbackKeeper(
        connections=ports.connections,
        gateway=ports.gateway,
        vault=ports.vault,
        problems=ports.problems,
        health=connection_health(ports),
        clock=ports.clock,
        webhook_base_url=ports.webhook_base_url,
    )


def connector(ports: Ports) -> Connector:
    from bridge.connections.connect import Connector

    return Connector(
        connections=ports.connections,
        gateway=ports.gateway,
        vault=ports.vault,
        problems=ports.problems,
        clock=ports.clock,
        callbacks=callback_registrations(ports),
        run_control=run_control(ports),
    )


def disconnector(ports: Ports) -> Disconnector:
    from bridge.connections.disconnect import Disconnector

    return Disconnector(
        connections=ports.connections,
        gateway=ports.gateway,
        vault=ports.vault,
        run_control=run_control(ports),
        webhook_base_url=ports.webhook_base_url,
    )


def verifier(ports: Ports) -> Verifier:
    from bridge.connections.verify import Verifier

    return Verifier(
        connections=ports.connections,
        gateway=ports.gateway,
        vault=ports.vault,
        problems=ports.problems,
        health=connection_health(ports),
        clock=ports.clock,
        callbacks=callback_registrations(ports),
        run_control=run_control(ports),
    )


def filter_preferences(ports: Ports) -> FilterPreferences:
    from bridge.connections.filters import FilterPreferences

    return FilterPreferences(ports.connections, run_control(ports))


def payment_preferences(ports: Ports) -> PaymentPreferences:
    from bridge.connections.preferences import PaymentPreferences

    return PaymentPreferences(ports.connections, ports.gateway)


# --- the mirror ------------------------------------------------------------------------------


def refresher(ports: Ports) -> Refresher:
    from bridge.mirror.refresh import Refresher

    return Refresher(ports.records, ports.problems, ports.clock)


def hint_processor(ports: Ports) -> HintProcessor:
    from bridge.mirror.hint_processor import HintProcessor

    return HintProcessor(
        connections=ports.connections,
        gateway=ports.gateway,
        refresher=refresher(ports),
        hints=ports.hints,
        pdfs=ports.pdf_queue,
        health=connection_health(ports),
    )


def run_worker(ports: Ports) -> RunWorker:
    from bridge.mirror.run_worker import RunWorker
    from bridge.mirror.selection import Selector

    return RunWorker(
        connections=ports.connections,
        runs=ports.runs,
        gateway=ports.gateway,
        selector=Selector(ports.records),
        refresher=refresher(ports),
        hints=ports.hints,
        queue=ports.run_queue,
        problems=ports.problems,
        health=connection_health(ports),
        clock=ports.clock,
    )


def pdf_keeper(ports: Ports) -> PdfKeeper:
    from bridge.mirror.pdf_keeper import PdfKeeper

    return PdfKeeper(
        connections=ports.connections,
        records=ports.records,
        documents=ports.documents,
        gateway=ports.gateway,
        hints=ports.hints,
        problems=ports.problems,
        health=connection_health(ports),
        clock=ports.clock,
    )


def pdf_links(ports: Ports) -> PdfLinks:
    from bridge.mirror.pdf_links import PdfLinks

    return PdfLinks(
        owned=owned_connections(ports),
        records=ports.records,
        problems=ports.problems,
        documents=ports.documents,
        pdfs=ports.pdf_queue,
        clock=ports.clock,
    )


def filter_preview(ports: Ports) -> FilterPreview:
    from bridge.mirror.filter_preview import FilterPreview

    return FilterPreview(ports.records, ports.gateway, ports.clock)


def filter_archive(ports: Ports) -> FilterArchive:
    from bridge.mirror.filter_archive import FilterArchive

    return FilterArchive(ports.records, ports.clock)


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
        clock=ports.clock,
    )


def write_back_problems(ports: Ports) -> WriteBackProblems:
    from bridge.payments.write_back_problems import WriteBackProblems

    return WriteBackProblems(ports.problems, ports.clock)


def write_back_worker(ports: Ports) -> WriteBackWorker:
    from bridge.payments.write_back_worker import WriteBackWorker

    return WriteBackWorker(
        ledger=ports.ledger,
        connections=ports.connections,
        gateway=ports.gateway,
        hints=ports.hints,
        write_back_problems=write_back_problems(ports),
        clock=ports.clock,
        timings=ports.timings,
    )


def write_back_actions(ports: Ports) -> WriteBackActions:
    from bridge.payments.write_back_actions import WriteBackActions

    return WriteBackActions(
        ports.ledger, ports.write_back_queue, write_back_problems(ports), ports.clock
    )


def unowned_payments(ports: Ports) -> UnownedPayments:
    from bridge.payments.unowned_payments import UnownedPayments

    return UnownedPayments(ports.ledger, ports.records, ports.connections)


def due_write_backs(ports: Ports) -> DueWriteBacks:
    from bridge.payments.payment_check import DueWriteBacks

    return DueWriteBacks(ports.ledger, ports.write_back_queue, ports.clock)


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
        connections=ports.connections,
        reconciler=payment_reconciler(ports),
        clock=ports.clock,
    )


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
