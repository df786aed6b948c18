"""What the dashboard API works with; ``bootstrap`` fills it, tests fill it with twins in memory."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.payment_ports import LedgerStore
from bridge.payments.collecting import CollectedPayments
from bridge.ports import Clock, ConnectionStore, ProblemStore, RecordStore, RunStore
from bridge.sync.connecting import Connecting
from bridge.sync.filter_changes import FilterChanges
from bridge.sync.filter_preview import FilterPreview
from bridge.sync.payment_preferences import PaymentPreferences
from bridge.sync.pdf_links import PdfLinks
from bridge.sync.platform_records import PlatformRecords
from bridge.sync.problem_actions import ProblemActions
from bridge.sync.run_control import RunControl
from bridge.sync.verifying import Verifier


@dataclass(frozen=True, slots=True)
class DashboardServices:
    """Ports for reading, use cases for everything else.

    ``egress_addresses`` are the IPv4 addresses that our calls come from, for a partner's firewall.
    """

    connections: ConnectionStore
    records: RecordStore
    runs: RunStore
    problems: ProblemStore
    ledger: LedgerStore
    clock: Clock
    connecting: Connecting
    verifier: Verifier
    run_control: RunControl
    filter_preview: FilterPreview
    filter_changes: FilterChanges
    platform_records: PlatformRecords
    pdf_links: PdfLinks
    problem_actions: ProblemActions
    collected_payments: CollectedPayments
    payment_preferences: PaymentPreferences
    egress_addresses: tuple[str, ...] = ()
