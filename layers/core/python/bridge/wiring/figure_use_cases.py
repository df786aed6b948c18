"""Use cases about sums and counts are made from ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.wiring.connection_use_cases import minute_shares

if TYPE_CHECKING:
    from bridge.figures.invoice_explanation import InvoiceStandings
    from bridge.figures.month_end import MonthEnd
    from bridge.figures.overview import Overview
    from bridge.figures.receivables import OutstandingSums
    from bridge.wiring.ports import Ports


def outstanding_sums(ports: Ports) -> OutstandingSums:
    from bridge.figures.receivables import OutstandingSums

    return OutstandingSums(ports.records, ports.outstanding, minute_shares(ports), ports.clock)


def overview(ports: Ports) -> Overview:
    from bridge.figures.overview import Overview

    return Overview(
        connections=ports.connections,
        outstanding=outstanding_sums(ports),
        ledger=ports.ledger,
        problems=ports.problems,
        runs=ports.runs,
        clock=ports.clock,
    )


def invoice_standings(ports: Ports) -> InvoiceStandings:
    from bridge.figures.invoice_explanation import InvoiceStandings

    return InvoiceStandings(ports.ledger, ports.problems, ports.clock)


def month_end(ports: Ports) -> MonthEnd:
    from bridge.figures.month_end import MonthEnd

    return MonthEnd(ports.ledger, ports.problems, ports.runs)
