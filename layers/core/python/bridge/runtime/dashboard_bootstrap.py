"""Wires the dashboard API, which works with nearly everything that there is."""

from __future__ import annotations

from functools import cached_property

from bridge.payments.collecting import CollectedPayments
from bridge.payments.deciding import WriteBackDecisions
from bridge.payments.disclaiming import SurplusDecisions
from bridge.payments.recording import PaymentRecorder
from bridge.runtime.bootstrap import Adapters, clock
from bridge.runtime.dashboard_services import DashboardServices
from bridge.runtime.settings import EgressAddresses, Settings, WebhookBase
from bridge.sync.connecting import Connecting
from bridge.sync.filter_changes import FilterChanges
from bridge.sync.filter_preview import FilterPreview
from bridge.sync.owned_connections import OwnedConnections
from bridge.sync.payment_preferences import PaymentPreferences
from bridge.sync.pdf_links import PdfLinks
from bridge.sync.platform_records import PlatformRecords
from bridge.sync.problem_actions import ProblemActions
from bridge.sync.run_control import RunControl
from bridge.sync.verifying import Callbacks, Verifier


class DashboardAdapters(Adapters):
    """The use cases of people and of the platform's services, with their adapters."""

    @cached_property
    def run_control(self) -> RunControl:
        return RunControl(self.runs, self.run_starter, clock)

    @cached_property
    def callbacks(self) -> Callbacks:
        return Callbacks(
            owned=OwnedConnections(self.connections),
            vault=self.vault,
            problems=self.problems,
            clock=clock,
            webhook_base_url=self.need(WebhookBase).webhook_base_url,
        )

    @cached_property
    def connecting(self) -> Connecting:
        return Connecting(
            connections=self.connections,
            gateway=self.gateway,
            vault=self.vault,
            problems=self.problems,
            clock=clock,
            callbacks=self.callbacks,
            run_control=self.run_control,
            webhook_base_url=self.need(WebhookBase).webhook_base_url,
        )

    @cached_property
    def verifier(self) -> Verifier:
        return Verifier(
            connections=self.connections,
            gateway=self.gateway,
            vault=self.vault,
            problems=self.problems,
            health=self.health,
            clock=clock,
            callbacks=self.callbacks,
            run_control=self.run_control,
        )

    @cached_property
    def pdf_links(self) -> PdfLinks:
        return PdfLinks(
            connections=self.connections,
            records=self.records,
            problems=self.problems,
            documents=self.documents,
            pdfs=self.pdf_queue,
            clock=clock,
        )

    @cached_property
    def problem_actions(self) -> ProblemActions:
        return ProblemActions(
            connections=self.connections,
            problems=self.problems,
            runs=self.runs,
            starter=self.run_starter,
            hints=self.hints,
            pdfs=self.pdf_queue,
            verifier=self.verifier,
            decisions=WriteBackDecisions(self.ledger, self.write_back_queue, self.troubles, clock),
            surplus=SurplusDecisions(self.ledger, self.records, self.connections),
            clock=clock,
        )

    @cached_property
    def collected_payments(self) -> CollectedPayments:
        recorder = PaymentRecorder(
            ledger=self.ledger,
            records=self.records,
            connections=self.connections,
            queue=self.write_back_queue,
            clock=clock,
        )
        return CollectedPayments(
            recorder=recorder,
            ledger=self.ledger,
            records=self.records,
            connections=self.connections,
            clock=clock,
        )


def build_dashboard(settings: Settings) -> DashboardServices:
    adapters = DashboardAdapters(settings, part="dashboard_api")
    addresses = adapters.need(EgressAddresses).egress_addresses.split(",")
    return DashboardServices(
        connections=adapters.connections,
        records=adapters.records,
        runs=adapters.runs,
        problems=adapters.problems,
        ledger=adapters.ledger,
        clock=clock,
        connecting=adapters.connecting,
        verifier=adapters.verifier,
        run_control=adapters.run_control,
        filter_preview=FilterPreview(adapters.records, adapters.gateway, clock),
        filter_changes=FilterChanges(
            connections=adapters.connections,
            records=adapters.records,
            run_control=adapters.run_control,
            clock=clock,
        ),
        platform_records=PlatformRecords(adapters.records, clock),
        pdf_links=adapters.pdf_links,
        problem_actions=adapters.problem_actions,
        collected_payments=adapters.collected_payments,
        payment_preferences=PaymentPreferences(adapters.connections, adapters.gateway),
        egress_addresses=tuple(filter(None, addresses)),
    )
