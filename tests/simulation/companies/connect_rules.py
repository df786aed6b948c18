"""What must hold of every attempt to connect: who may, and what those who may not are told."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.connections.connect import ConnectionRequest
from bridge.domain.connection import Connection
from bridge.domain.errors import NotPossibleError
from bridge.domain.write_back import Timings
from tests.simulation.companies import gaps
from tests.simulation.companies.servers import Company
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
    known: set[int]
    """The lines that its keys and its place in the cloud led to when it began."""
    listed: set[tuple[str, int]]
    """The connections that were registered there when it began."""
    reached: set[int]
    """The lines that it can be proven to belong to."""
    live: dict[str, int]
    """How often each connection of these lines that might write then had begun to sync."""
    taken_over: set[str]
    """The connections whose claim another one had taken."""
    is_new_company: bool


class ConnectRules:
    """Judges attempts by the truth about the company."""

    def __init__(self) -> None:
        self._refusal = ""

    def begins(
        self, world: CompaniesWorld, company: Company, request: ConnectionRequest, host: str
    ) -> ConnectAttempt:
        public_key = request.credentials.public_key
        known = world.lines.known(company, public_key, host)
        listed = world.lines.listed(company)
        reached = known | world.lines.lines_of(listed)
        every = world.connections_to(company)
        return ConnectAttempt(
            company,
            request.partner_id,
            host,
            public_key,
            known,
            listed,
            reached,
            {
                each.connection_id: world.tale_of(each.connection_id).times_begun
                for each in every
                if each.may_write and world.tale_of(each.connection_id).line in reached
            },
            taken_over={
                each.connection_id
                for each in every
                if each.may_write and gaps.was_taken_over(world, each.connection_id)
            },
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
        place = (company, attempt.public_key, attempt.host)
        # What was listed for a part of the time may not have been seen.
        own = {each for each in attempt.listed if each[0] == own_id}
        still = attempt.listed & world.lines.listed(company)
        attempt.reached = attempt.known | world.lines.lines_of(still | own)
        others = [
            each
            for each, times in attempt.live.items()
            if each != own_id and times == world.tale_of(each).times_begun
            if world.tale_of(each).line in attempt.reached and world.may_write(each)
            if each not in attempt.taken_over
        ]
        since = "first" if attempt.is_new_company else "again" if attempt.reached else "unknown"
        world.play_out(f"connected: {since}")
        if others:
            what = f"{own_id[:6]} at {attempt.host} beside {others[0][:6]}"
            world.violate(ONE_CONNECTION, what)
        self._judge_wait(world, attempt)
        world.lines.join(own_id, *place, attempt.reached)

    def _judge_wait(self, world: CompaniesWorld, attempt: ConnectAttempt) -> None:
        """Nobody else gets a company before whatever was sent is over and visible."""
        now = world.clock.now()
        for other in world.connections_to(attempt.company):
            tale = world.tale_of(other.connection_id)
            gave_up_at = tale.gave_up_at
            if other.partner_id == attempt.partner_id or gave_up_at is None:
                continue
            is_unclaimed = tale.is_of_before and not other.company_key
            is_merged = tale.line in world.lines.merged
            if tale.line not in attempt.reached or is_unclaimed or is_merged:
                continue
            world.play_out("handed over to another partner")
            if now < gave_up_at + WAIT:
                world.violate(CLAIMS_WAIT, f"{other.connection_id[:6]} gave up at {gave_up_at}")

    def _judge_refusal(
        self, world: CompaniesWorld, attempt: ConnectAttempt, error: NotPossibleError
    ) -> None:
        """The text is the same for all, and only a partner's own connection is named."""
        world.play_out(f"connect: {error.reason}")
        if error.subject_id is not None:
            named = world.connection_of(error.subject_id)
            # A claim whose set-up broke off names a connection that was never stored.
            if named is not None and named.partner_id != attempt.partner_id:
                world.violate(TELL_NOTHING, f"{error.reason} names {error.subject_id}")
        if error.reason != "company_connected":
            return
        self._refusal = self._refusal or str(error)
        if str(error) != self._refusal:
            world.violate(TELL_NOTHING, f"{error} and {self._refusal}")
        names = [each.connection_id for each in world.every_connection()]
        if any(each in str(error) for each in [*names, "partner-"]):
            world.violate(TELL_NOTHING, str(error))
