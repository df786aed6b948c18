"""The part of the one wiring that makes use cases of runs and connections; see ``use_cases``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from bridge.connections.callback_endpoints import CallbackEndpoints
    from bridge.connections.callback_keeper import CallbackKeeper
    from bridge.connections.callbacks import CallbackRegistrations
    from bridge.connections.company_check import CompanyCheck
    from bridge.connections.company_claims import CompanyClaims
    from bridge.connections.company_proofs import CompanyProofs
    from bridge.connections.connect import Connector
    from bridge.connections.disconnect import Disconnector
    from bridge.connections.filter_check import FilterCheck
    from bridge.connections.filter_choices import FilterChoices
    from bridge.connections.filters import FilterPreferences
    from bridge.connections.health import ConnectionHealth
    from bridge.connections.job_chains import JobChains
    from bridge.connections.minute_shares import MinuteShares
    from bridge.connections.move import ConnectionMove
    from bridge.connections.owned_connections import OwnedConnections
    from bridge.connections.payment_stops import PaymentStops
    from bridge.connections.preferences import PaymentPreferences
    from bridge.connections.same_records import SameRecords
    from bridge.connections.signing_key_fetch import SigningKeyFetch
    from bridge.connections.silent_servers import SilentServers
    from bridge.connections.site_turns import SiteTurns
    from bridge.connections.verify import Verifier
    from bridge.payments.reconnected_write_backs import ReconnectedWriteBacks
    from bridge.ports import Activity
    from bridge.runs.control import RunControl
    from bridge.runs.quiet_look import QuietLook
    from bridge.runs.schedule import ScheduledRuns, StalledRuns
    from bridge.runs.start import ManualFetch, RunStarter
    from bridge.runs.watermarks import Watermarks
    from bridge.wiring.ports import Ports

# --- runs ------------------------------------------------------------------------------------


def run_starter(ports: Ports) -> RunStarter:
    from bridge.runs.start import RunStarter

    return RunStarter(ports.runs, ports.run_queue, ports.clock)


def run_control(ports: Ports) -> RunControl:
    from bridge.runs.control import RunControl

    return RunControl(ports.runs, run_starter(ports), ports.clock)


def watermarks(ports: Ports) -> Watermarks:
    from bridge.runs.watermarks import Watermarks

    return Watermarks(ports.runs)


def manual_fetch(ports: Ports) -> ManualFetch:
    from bridge.runs.start import ManualFetch

    return ManualFetch(run_starter(ports), ports.clock)


def scheduled_runs(ports: Ports) -> ScheduledRuns:
    from bridge.runs.schedule import ScheduledRuns

    return ScheduledRuns(run_starter(ports), quiet_look(ports))


def quiet_look(ports: Ports) -> QuietLook:
    from bridge.runs.quiet_look import QuietLook

    return QuietLook(
        runs=ports.runs,
        records=ports.records,
        gateway=ports.gateway,
        silences=ports.silences,
        problems=ports.problems,
        clock=ports.clock,
    )


def stalled_runs(ports: Ports) -> StalledRuns:
    from bridge.runs.schedule import StalledRuns

    return StalledRuns(ports.runs, ports.run_queue, ports.clock)


# --- connections -----------------------------------------------------------------------------


def owned_connections(ports: Ports) -> OwnedConnections:
    from bridge.connections.owned_connections import OwnedConnections

    return OwnedConnections(ports.connections)


def silent_servers(ports: Ports, *, probe_life: timedelta) -> SilentServers:
    from bridge.connections.silent_servers import SilentServers

    return SilentServers(ports.silences, ports.clock, probe_life=probe_life)


def site_turns(ports: Ports, activity: Activity, *, step: timedelta) -> SiteTurns:
    from bridge.connections.site_turns import SiteTurns

    return SiteTurns(
        places=ports.partner_places,
        servers=silent_servers(ports, probe_life=step),
        clock=ports.clock,
        activity=activity,
        step=step,
    )


def connection_health(ports: Ports) -> ConnectionHealth:
    from bridge.connections.health import ConnectionHealth

    return ConnectionHealth(ports.connections, ports.problems, ports.clock)


def company_proofs(ports: Ports) -> CompanyProofs:
    from bridge.connections.company_proofs import CompanyProofs

    return CompanyProofs(ports.companies, ports.connections, ports.clock, ports.webhook_base_url)


def company_claims(ports: Ports) -> CompanyClaims:
    from bridge.connections.company_claims import CompanyClaims

    return CompanyClaims(
        ports.companies,
        company_proofs(ports),
        ports.clock,
        quarantine=ports.timings.quarantine,
    )


def payment_stops(ports: Ports) -> PaymentStops:
    from bridge.connections.payment_stops import PaymentStops

    return PaymentStops(
        owned_connections(ports), ports.problems, ports.payment_control, ports.clock
    )


def company_check(ports: Ports) -> CompanyCheck:
    from bridge.connections.company_check import CompanyCheck

    return CompanyCheck(
        owned=owned_connections(ports),
        companies=ports.companies,
        proofs=company_proofs(ports),
        claims=company_claims(ports),
        stops=payment_stops(ports),
    )


def callback_registrations(ports: Ports) -> CallbackRegistrations:
    from bridge.connections.callbacks import CallbackRegistrations

    return CallbackRegistrations(
        owned=owned_connections(ports),
        claims=company_claims(ports),
        vault=ports.vault,
        problems=ports.problems,
        clock=ports.clock,
        webhook_base_url=ports.webhook_base_url,
    )


def minute_shares(ports: Ports) -> MinuteShares:
    from bridge.connections.minute_shares import MinuteShares

    return MinuteShares(ports.partner_places, ports.clock)


def callback_endpoints(ports: Ports) -> CallbackEndpoints:
    from bridge.connections.callback_endpoints import CallbackEndpoints

    return CallbackEndpoints(ports.connections, ports.callback_endpoints)


def signing_key_fetch(ports: Ports) -> SigningKeyFetch:
    from bridge.connections.signing_key_fetch import SigningKeyFetch

    return SigningKeyFetch(ports.connections, ports.signing_keys, ports.member_key_source)


def job_chains(ports: Ports) -> JobChains:
    from bridge.connections.job_chains import JobChains

    return JobChains(ports.job_turns, ports.clock)


def callback_keeper(ports: Ports) -> CallbackKeeper:
    from bridge.connections.callback_keeper import CallbackKeeper

    return CallbackKeeper(
        gateway=ports.gateway,
        vault=ports.vault,
        problems=ports.problems,
        health=connection_health(ports),
        company_check=company_check(ports),
        endpoints=callback_endpoints(ports),
        clock=ports.clock,
        webhook_base_url=ports.webhook_base_url,
    )


def connector(ports: Ports) -> Connector:
    from bridge.connections.connect import Connector

    return Connector(
        connections=ports.connections,
        owned=owned_connections(ports),
        gateway=ports.gateway,
        vault=ports.vault,
        problems=ports.problems,
        clock=ports.clock,
        callbacks=callback_registrations(ports),
        claims=company_claims(ports),
        company_check=company_check(ports),
        stops=payment_stops(ports),
        filter_check=filter_check(ports),
        run_control=run_control(ports),
        wake_payments=reconnected_write_backs(ports).wake,
    )


def reconnected_write_backs(ports: Ports) -> ReconnectedWriteBacks:
    from bridge.payments.reconnected_write_backs import ReconnectedWriteBacks

    return ReconnectedWriteBacks(ports.ledger, ports.problems, ports.write_back_queue, ports.clock)


def disconnector(ports: Ports) -> Disconnector:
    from bridge.connections.disconnect import Disconnector

    return Disconnector(
        owned=owned_connections(ports),
        gateway=ports.gateway,
        vault=ports.vault,
        claims=company_claims(ports),
        run_control=run_control(ports),
        webhook_base_url=ports.webhook_base_url,
    )


def verifier(ports: Ports) -> Verifier:
    from bridge.connections.verify import Verifier

    return Verifier(
        owned=owned_connections(ports),
        gateway=ports.gateway,
        vault=ports.vault,
        problems=ports.problems,
        health=connection_health(ports),
        clock=ports.clock,
        callbacks=callback_registrations(ports),
        claims=company_claims(ports),
        company_check=company_check(ports),
        run_control=run_control(ports),
    )


def same_records(ports: Ports) -> SameRecords:
    from bridge.connections.same_records import SameRecords

    return SameRecords(ports.records)


def connection_move(ports: Ports) -> ConnectionMove:
    from bridge.connections.move import ConnectionMove

    return ConnectionMove(
        owned=owned_connections(ports),
        gateway=ports.gateway,
        vault=ports.vault,
        ledger=ports.ledger,
        clock=ports.clock,
        claims=company_claims(ports),
        same_records=same_records(ports),
        stops=payment_stops(ports),
        callbacks=callback_registrations(ports),
        verifier=verifier(ports),
    )


def filter_preferences(ports: Ports) -> FilterPreferences:
    from bridge.connections.filters import FilterPreferences

    return FilterPreferences(
        owned_connections(ports), ports.gateway, filter_check(ports), run_control(ports)
    )


def filter_choices(ports: Ports) -> FilterChoices:
    from bridge.connections.filter_choices import FilterChoices

    return FilterChoices(owned_connections(ports), ports.gateway, ports.clock)


def filter_check(ports: Ports) -> FilterCheck:
    from bridge.connections.filter_check import FilterCheck

    return FilterCheck(filter_choices(ports), ports.clock)


def payment_preferences(ports: Ports) -> PaymentPreferences:
    from bridge.connections.preferences import PaymentPreferences

    return PaymentPreferences(owned_connections(ports), ports.gateway)
