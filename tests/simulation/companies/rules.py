"""What must hold at every moment: of each post, deletion and payment, by who made it."""

from __future__ import annotations

from datetime import timedelta

from bridge.domain.connection import PaymentsStop
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import WriteBack, WriteBackState
from tests.simulation.companies import gaps
from tests.simulation.companies.admins import WAITED
from tests.simulation.companies.provenance import Attempt, Place, Row, place_of
from tests.simulation.companies.world import CompaniesWorld, companies_world
from tests.simulation.parts import Invariant
from tests.simulation.watching import PortCall
from tests.simulation.world import World

ONCE = "once a company"
ONE_AT_A_TIME = "one at a time on an invoice"
WRITERS_ONLY = "only who may write writes"
OTHERS_STAY = "payments of others stay"
STOPPED_IN_TIME = "an existing pair is stopped"
WOKEN = "a reconnect wakes what waited"
EACH_MINUTE = "ledger.list_due"
LOOKED_AT_WITHIN = timedelta(seconds=90)


class Judge:
    """Judges what provenance sees, as it happens."""

    def __init__(self, world: CompaniesWorld) -> None:
        self._world = world
        provenance = world.provenance
        provenance.on_statement = self._statement
        provenance.on_sent = self._sent
        provenance.on_row = self._row
        provenance.on_deletion = self._deletion

    def _statement(self, attempt: Attempt, rivals: list[Attempt]) -> None:
        """While one of our posts may still come, nothing else is posted on its invoice."""
        if not attempt.is_post:
            return
        for rival in rivals:
            if rival.is_post and not self._is_excused(attempt, rival):
                what = f"{_name(attempt)} beside {_name(rival)}, stated at {rival.at}"
                self._world.violate(ONE_AT_A_TIME, what)

    def _is_excused(self, one: Attempt, other: Attempt) -> bool:
        """Two connections of which nothing proves that they reach one company share no lease, nor
        do old workers of one share any with another."""
        if one.connection_id == other.connection_id:
            return False
        if one.is_old or other.is_old:
            return True
        is_unchecked = any(
            self._world.tale_of(each.connection_id).is_of_before and not self._key(each)
            for each in (one, other)
        )
        ids = [each.connection_id for each in (one, other)]
        return is_unchecked or self._world.lines.may_differ(ids)

    def _key(self, attempt: Attempt) -> str:
        connection = self._world.connection_of(attempt.connection_id)
        return connection.company_key if connection else ""

    def _sent(self, attempt: Attempt) -> None:
        """A worker that began after a connection was stopped sends nothing for it."""
        stopped_at = self._world.tale_of(attempt.connection_id).stopped_at
        if attempt.is_old or stopped_at is None or attempt.worker._started_at <= stopped_at:
            return
        self._world.violate(WRITERS_ONLY, f"{_name(attempt)}, stopped at {stopped_at}")

    def _row(self, row: Row) -> None:
        """No more payments stand than were asked for, whatever connection they came by."""
        standing = len(self._world.provenance.standing(row.place))
        asked_for = len(asked_for_at(self._world, row.place))
        if standing > asked_for:
            maker = row.maker.write_back.write_back_id if row.maker else ""
            self._world.violate(ONCE, f"{standing} stand for {asked_for}, the last for {maker}")

    def _deletion(self, attempt: Attempt, row: Row) -> None:
        """What people, or another partner's connection, made is not for us to delete."""
        maker = row.maker.write_back if row.maker else None
        tale = self._world.tale_of(attempt.connection_id)
        if row.row_id in tale.old_adoptions:
            if maker is None or maker.partner_id != attempt.write_back.partner_id:
                self._world.play_out("gap: another partner's payment that was adopted before")
            return
        if maker is not None:
            is_own = maker.partner_id == attempt.write_back.partner_id
            if is_own or gaps.has_unmoved_owners(self._world, maker):
                return
            ids = (maker.connection_id, attempt.connection_id)
            if gaps.is_unknown_again(self._world, ids):
                return
        self._world.violate(OTHERS_STAY, f"{_name(attempt)} deletes {row.row_id}")


def asked_for_at(world: CompaniesWorld, place: Place) -> list[WriteBack]:
    """Return the write-backs of every connection that a payment at this place may be for."""
    return [
        each
        for each in world.ledger.every()
        if each.invoice_source_id == place.invoice_source_id
        if world.tale_of(each.connection_id).company is place.company
        if place_of(place.company, each) == place
        if each.posts > 0 or each.psa_payment_id is not None
        if each.state is not WriteBackState.REVERSED
    ]


def judge_tick(world: CompaniesWorld) -> None:
    """Look at each company after an hourly check that nothing disturbed: two in a row leave no two
    connections that may write."""
    for company in world.servers.companies:
        writers = world.writers_of(company)
        if len(writers) < 2:
            world.ticks_of_pairs[company] = 0
            continue
        world.ticks_of_pairs[company] += 1
        if world.ticks_of_pairs[company] >= 2:
            names = ", ".join(each.connection_id[:6] for each in writers)
            world.violate(STOPPED_IN_TIME, f"{names} may write to {company.company_id}")


class ReconnectsWake(Invariant):
    """What waited for a connection is looked at within a minute after it is connected again."""

    name = WOKEN

    def after_call(self, world: World, call: PortCall, result: object) -> None:
        if call.name != EACH_MINUTE:
            return
        companies, now = companies_world(world), world.clock.now()
        for each in list(companies.reconnects):
            age = now - each.at
            is_disturbed = companies.undisturbed_for < age or not companies.is_calm
            connection = companies.connection_of(each.connection_id)
            left = [
                waiting
                for waiting in companies.ledger.every()
                if waiting.write_back_id in each.waiting
                and waiting.connection_id == each.connection_id
                and waiting.reason in WAITED
            ]
            if is_disturbed or not left or not connection or not connection.is_syncing:
                if age > LOOKED_AT_WITHIN or not left:
                    companies.reconnects.remove(each)
            elif age > LOOKED_AT_WITHIN:
                world.violate(self.name, f"{left[0]} waits since {each.at}")


class StopsAreAlike(Invariant):
    """The problem of a second connection says the same to everybody."""

    name = "problems tell nothing"

    def at_end(self, world: World) -> None:
        texts = {
            problem.detail
            for connection in companies_world(world).every_connection()
            for problem in world.outside.problems.open_of_connection(
                connection.partner_id, connection.connection_id
            ).values()
            if problem.code is ProblemCode.COMPANY_CONNECTED_TWICE
        }
        if len(texts) > 1:
            world.violate(self.name, str(texts))


class StopsAreShown(Invariant):
    """A connection that is stopped for another one has an open problem that says so."""

    name = "stops are shown"

    def at_end(self, world: World) -> None:
        for connection in companies_world(world).every_connection():
            if PaymentsStop.COMPANY_CONNECTED_TWICE not in connection.payments_stopped:
                continue
            scope = (connection.partner_id, connection.connection_id)
            problems = world.outside.problems.open_of_connection(*scope)
            codes = {problem.code for problem in problems.values()}
            is_shown = ProblemCode.COMPANY_CONNECTED_TWICE in codes
            if connection.is_syncing and not is_shown:
                world.violate(self.name, connection.connection_id[:6])


def _name(attempt: Attempt) -> str:
    kind = "an old worker" if attempt.is_old else "a worker"
    return f"{kind} for {attempt.write_back.write_back_id} of {attempt.connection_id[:6]}"
