"""Use cases of the mirror are made from ports: refresh, hints, the work on runs, PDFs, search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.wiring.connection_use_cases import (
    connection_health,
    minute_shares,
    owned_connections,
    run_starter,
    site_turns,
)

if TYPE_CHECKING:
    from bridge.mirror.hint_processor import HintProcessor
    from bridge.mirror.page_refresh import PageRefresh
    from bridge.mirror.pdf_keeper import PdfKeeper
    from bridge.mirror.pdf_links import PdfLinks
    from bridge.mirror.record_fetch import RecordFetch
    from bridge.mirror.record_search import RecordSearch
    from bridge.mirror.refresh import Refresher
    from bridge.mirror.run_worker import RunWorker
    from bridge.wiring.ports import Ports


def refresher(ports: Ports) -> Refresher:
    from bridge.mirror.payers import PayerReader
    from bridge.mirror.refresh import Refresher

    payers = PayerReader(ports.records, ports.problems)
    return Refresher(
        ports.records, ports.problems, payers, ports.clock, store_lanes=ports.store_lanes
    )


def record_fetch(ports: Ports) -> RecordFetch:
    from bridge.mirror.record_fetch import RecordFetch

    owned = owned_connections(ports)
    return RecordFetch(owned, ports.hints, minute_shares(ports), ports.clock)


def record_search(ports: Ports) -> RecordSearch:
    from bridge.mirror.record_search import RecordSearch

    return RecordSearch(
        records=ports.records,
        problems=ports.problems,
        gateway=ports.gateway,
        hints=ports.hints,
        shares=minute_shares(ports),
    )


def hint_processor(ports: Ports) -> HintProcessor:
    from bridge.mirror.connection_hints import HINT_STEP, ConnectionHints
    from bridge.mirror.hint_processor import HintProcessor
    from bridge.mirror.record_reads import RecordReads
    from bridge.ports import Activity

    connection_hints = ConnectionHints(
        connections=ports.connections,
        gateway=ports.gateway,
        refresher=refresher(ports),
        reads=RecordReads(ports.read_marks, ports.clock, step=HINT_STEP),
        turns=site_turns(ports, Activity.HINTS, step=HINT_STEP),
        hints=ports.hints,
        pdfs=ports.pdf_queue,
        health=connection_health(ports),
        metrics=ports.metrics,
        clock=ports.clock,
    )
    return HintProcessor(connection_hints)


def page_refresh(ports: Ports) -> PageRefresh:
    from bridge.connections.call_lanes import CallLanes
    from bridge.connections.site_turns import STEP_LIFE
    from bridge.mirror.page_refresh import PageRefresh

    lanes = CallLanes(ports.partner_places, ports.clock, step=STEP_LIFE)
    return PageRefresh(refresher(ports), ports.hints, lanes, ports.clock)


def run_worker(ports: Ports, *, max_records: int | None = None) -> RunWorker:
    from bridge.connections.site_turns import STEP_LIFE
    from bridge.domain.run import MAX_RECORDS
    from bridge.mirror.list_check import ListCheck
    from bridge.mirror.run_problems import RunProblems
    from bridge.mirror.run_worker import RunWorker
    from bridge.mirror.selection import Selector
    from bridge.ports import Activity

    run_problems = RunProblems(ports.problems, ports.clock)
    return RunWorker(
        connections=ports.connections,
        runs=ports.runs,
        gateway=ports.gateway,
        selector=Selector(ports.records, ports.clock),
        page_refresh=page_refresh(ports),
        turns=site_turns(ports, Activity.RUN_STEP, step=STEP_LIFE),
        hints=ports.hints,
        queue=ports.run_queue,
        problems=ports.problems,
        run_problems=run_problems,
        list_check=ListCheck(run_problems),
        health=connection_health(ports),
        metrics=ports.metrics,
        clock=ports.clock,
        starter=run_starter(ports),
        max_records=max_records or MAX_RECORDS,
    )


def pdf_keeper(ports: Ports) -> PdfKeeper:
    from bridge.connections.site_turns import STEP_LIFE
    from bridge.mirror.pdf_keeper import PdfKeeper
    from bridge.ports import Activity

    return PdfKeeper(
        connections=ports.connections,
        records=ports.records,
        documents=ports.documents,
        gateway=ports.gateway,
        turns=site_turns(ports, Activity.PDF, step=STEP_LIFE),
        hints=ports.hints,
        pdfs=ports.pdf_queue,
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
