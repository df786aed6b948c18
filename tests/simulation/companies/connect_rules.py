"""What must hold of every attempt to connect: who may, and what those who may not are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.connections.connect import ConnectionRequest
from bridge.domain.connection import Connection
from bridge.domain.errors import NotPossibleError
from bridge.domain.write_back import Timings
from tests.simulation.companies.servers import CLOUD_HOSTS, Company
from tests.simulation.companies.world import CompaniesWorld
from tests.simulation.world import Invocation

ONE_CONNECTION = "one connection a company"
CLAIMS_WAIT = "claims wait for others"
TELL_NOTHING = "refusals tell nothing"
WAIT = 2 * Timings().quarantine


@dataclass
class ConnectAttempt:
    """An attempt, with what was so when it began."""

    company: Company
    partner_id: str
    host: str
    public_key: str
    at: datetime
    is_provable: bool
    live: dict[str, int]
    """The stored versions of the company's connections that synced then."""
    is_new_company: bool


class ConnectRules:
    """Judges attempts by the truth about the company."""

    def __init__(self) -> None:
        self._refusal = ""

    def begins(
        self, world: CompaniesWorld, company: Company, request: ConnectionRequest, host: str
    ) -> ConnectAttempt:
        public_key = request.credentials.public_key
        every = world.connections_to(company)
        live = {each.connection_id: each for each in every if each.is_syncing}
        is_provable = (
            public_key in company.keys_used
            or (host in CLOUD_HOSTS and company.was_in_cloud)
            or any(each in url for each in live for url in company.registered_urls)
        )
        return ConnectAttempt(
            company,
            request.partner_id,
            host,
            public_key,
            world.clock.now(),
            is_provable,
            {each: world.syncing_since(each) for each in live},
            is_new_company=not every,
        )

    def ends(
        self, world: CompaniesWorld, attempt: ConnectAttempt, invocation: Invocation[Connection]
    ) -> None:
        if invocation.value is not None:
            self._judge_success(world, attempt, invocation.value)
        elif isinstance(invocation.error, NotPossibleError):
            self._judge_refusal(world, attempt, invocation.error)
        else:
            outcome = "crashed" if invocation.has_crashed else type(invocation.error).__name__
            world.play_out(f"connect: {outcome}")

    def _judge_success(
        self, world: CompaniesWorld, attempt: ConnectAttempt, connection: Connection
    ) -> None:
        own_id, company = connection.connection_id, attempt.company
        tale = world.tale_of(own_id)
        others = [
            each
            for each in attempt.live
            if each != own_id and attempt.live[each] == world.syncing_since(each)
        ]
        since = "first" if attempt.is_new_company else "again" if attempt.is_provable else "unknown"
        world.play_out(f"connected: {since}")
        if others and attempt.is_provable:
            what = f"{own_id[:6]} at {attempt.host} beside {others[0][:6]}"
            world.violate(ONE_CONNECTION, what)
        tale.is_stranger = not attempt.is_provable and not attempt.is_new_company
        if attempt.is_provable:
            self._judge_wait(world, attempt)
        company.keys_used.add(attempt.public_key)
        company.was_in_cloud |= attempt.host in CLOUD_HOSTS

    def _judge_wait(self, world: CompaniesWorld, attempt: ConnectAttempt) -> None:
        """Nobody else gets a company before whatever was sent is over and visible."""
        now = world.clock.now()
        for other in world.connections_to(attempt.company):
            gave_up_at = world.tale_of(other.connection_id).gave_up_at
            if other.partner_id == attempt.partner_id or gave_up_at is None:
                continue
            world.play_out("handed over to another partner")
            is_stranger = world.tale_of(other.connection_id).is_stranger
            if now < gave_up_at + WAIT and not is_stranger:
                world.violate(CLAIMS_WAIT, f"{other.connection_id[:6]} gave up at {gave_up_at}")

    def _judge_refusal(
        self, world: CompaniesWorld, attempt: ConnectAttempt, error: NotPossibleError
    ) -> None:
        """The text is the same for all, and only a partner's own connection is named."""
        world.play_out(f"connect: {error.reason}")
        if error.subject_id is not None:
            named = world.connection_of(error.subject_id)
            if named is None or named.partner_id != attempt.partner_id:
                world.violate(TELL_NOTHING, f"{error.reason} names {error.subject_id}")
        if error.reason != "company_connected":
            return
        self._refusal = self._refusal or str(error)
        if str(error) != self._refusal:
            world.violate(TELL_NOTHING, f"{error} and {self._refusal}")
        names = [each.connection_id for each in world.every_connection()]
        if any(each in str(error) for each in [*names, "partner-"]):
            world.violate(TELL_NOTHING, str(error))


