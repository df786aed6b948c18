"""The dashboard API calls these ports and use cases."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.connections.connect import Connector
from bridge.connections.disconnect import Disconnector
from bridge.connections.filter_choices import FilterChoices
from bridge.connections.filters import FilterPreferences
from bridge.connections.minute_shares import MinuteShares
from bridge.connections.move import ConnectionMove
from bridge.connections.owned_connections import OwnedConnections
from bridge.connections.payment_stops import PaymentStops
from bridge.connections.preferences import PaymentPreferences
from bridge.connections.verify import Verifier
from bridge.figures.invoice_explanation import InvoiceStandings
from bridge.figures.month_end import MonthEnd
from bridge.figures.overview import Overview
from bridge.mirror.filter_archive import FilterArchive
from bridge.mirror.filter_marks import FilterMarks
from bridge.mirror.filter_preview import FilterPreview
from bridge.mirror.pdf_links import PdfLinks
from bridge.mirror.record_fetch import RecordFetch
from bridge.mirror.record_search import RecordSearch
from bridge.payments.platform_payments import PlatformPayments
from bridge.payments.unowned_payments import UnownedPayments
from bridge.platform_records.records import PlatformRecords
from bridge.ports import (
    Clock,
    ConnectionStore,
    LedgerStore,
    Metrics,
    ProblemStore,
    RecordStore,
    RunStore,
)
from bridge.problems.actions import ProblemActions
from bridge.runs.control import RunControl
from bridge.runs.watermarks import Watermarks


@dataclass(frozen=True, slots=True)
class DashboardServices:
    """The API reads through ports, and does everything else through use cases."""

    connections: ConnectionStore
    records: RecordStore
    runs: RunStore
    problems: ProblemStore
    ledger: LedgerStore
    metrics: Metrics
    clock: Clock
    shares: MinuteShares
    overview: Overview
    month_end: MonthEnd
    owned_connections: OwnedConnections
    connector: Connector
    disconnector: Disconnector
    connection_move: ConnectionMove
    verifier: Verifier
    run_control: RunControl
    watermarks: Watermarks
    filter_choices: FilterChoices
    filter_preferences: FilterPreferences
    filter_preview: FilterPreview
    filter_archive: FilterArchive
    platform_records: PlatformRecords
    filter_marks: FilterMarks
    record_search: RecordSearch
    record_fetch: RecordFetch
    invoice_standings: InvoiceStandings
    pdf_links: PdfLinks
    problem_actions: ProblemActions
    unowned_payments: UnownedPayments
    platform_payments: PlatformPayments
    payment_preferences: PaymentPreferences
    payment_stops: PaymentStops
    egress_addresses: tuple[str, ...] = ()
    """The IPv4 addresses that our calls come from, for a partner's firewall."""
