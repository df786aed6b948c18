"""What must hold of payments when all is calm again."""

from __future__ import annotations

from collections import defaultdict

from bridge.domain.identity import RecordKind
from bridge.domain.platform_payment import Target
from bridge.domain.problem import ProblemCode, record_subject
from bridge.domain.write_back import Reason, WriteBack, WriteBackState
from bridge.payments.write_back_problems import write_back_subject
from tests.simulation.companies import gaps
from tests.simulation.companies.provenance import Row, place_of
from tests.simulation.companies.servers import Company
from tests.simulation.companies.world import CompaniesWorld, companies_world
from tests.simulation.parts import Invariant
from tests.simulation.world import World

_S = WriteBackState
OVER = (_S.REVERSED, _S.CANCELLED, _S.DONE_BY_HAND, _S.REVERSED_BY_HAND)
ONE_OWNER = "a payment has one owner"
NOTHING_WAITS = "nothing waits unseen"
CONFIRMED_STANDS = "what is confirmed stands"
FOUND = "what stands is found"


class CompaniesEnding(Invariant):
    """Looks at a world of companies at its end."""

    def at_end(self, world: World) -> None:
        self.judge(companies_world(world))

    def judge(self, world: CompaniesWorld) -> None:
        raise NotImplementedError


class OneOwner(CompaniesEnding):
    """A payment is one write-back's over all connections of a company, or people are told."""

    name = ONE_OWNER

    def judge(self, world: CompaniesWorld) -> None:
        for (company, row_id), owners in owners_of(world).items():
            if len(owners) < 2 or any(_is_told(world, each) for each in owners):
                continue
            if not gaps.is_unknown_again(world, [each.connection_id for each in owners]):
                names = ", ".join(f"{e.write_back_id} of {e.connection_id[:6]}" for e in owners)
                world.violate(self.name, f"{row_id} of {company.company_id}: {names}")


class NothingWaitsUnseen(CompaniesEnding):
    """Every write-back has ended, or an open problem says why it has not."""

    name = NOTHING_WAITS

    def judge(self, world: CompaniesWorld) -> None:
        for each in world.ledger.every():
            is_over = each.target is Target.NONE or (each.has_ended and each.reason is Reason.NONE)
            if is_over or ProblemCode.PAYMENT_NOT_WRITTEN in problems_of(world, each):
                continue
            made = [
                row.row_id
                for row in world.provenance.rows.values()
                if row.maker and _maker(world, row) == each
            ]
            is_stuck = gaps.is_stuck_in_a_dispute(world, each, made)
            if not is_stuck and not gaps.is_left_unshown(world, each):
                world.violate(self.name, f"{each.state.value} {each.reason.value}: {each}")


class ConfirmedStands(CompaniesEnding):
    """A confirmed payment stands in ConnectWise, of its amount and day."""

    name = CONFIRMED_STANDS

    def judge(self, world: CompaniesWorld) -> None:
        for each in world.ledger.every():
            if each.state is not _S.CONFIRMED or each.target is not Target.POSTED:
                continue
            company = world.tale_of(each.connection_id).company
            row = (
                world.provenance.rows.get((company, each.psa_payment_id or 0)) if company else None
            )
            if company is None:
                continue
            is_there = row is not None and not row.is_gone and row.place == place_of(company, each)
            is_told = ProblemCode.PAYMENT_NOT_WRITTEN in problems_of(world, each)
            is_excused = is_there or is_told or gaps.has_unmoved_owners(world, each)
            is_excused = is_excused or gaps.was_owned_twice(world, each)
            if not is_excused and not _has_rival_keys(world, each):
                world.violate(self.name, f"{each.write_back_id} owns {each.psa_payment_id}")


class WhatStandsIsFound(CompaniesEnding):
    """A payment of ours has an owner, while its connection looks for it; others are shown."""

    name = FOUND

    def judge(self, world: CompaniesWorld) -> None:
        owners = owners_of(world)
        for row in world.provenance.standing_of_ours():
            if (row.place.company, row.row_id) not in owners and not self._is_excused(world, row):
                world.violate(self.name, f"{row.row_id} of {_maker(world, row).write_back_id}")

    def _is_excused(self, world: CompaniesWorld, row: Row) -> bool:
        maker = _maker(world, row)
        connection = world.connection_of(maker.connection_id)
        is_looking = connection is not None and connection.is_syncing
        if not is_looking or maker.psa_payment_id is not None:
            return (
                ProblemCode.PAYMENT_NOT_WRITTEN in problems_of(world, maker) or maker.is_at_target
            )
        return maker.write_back_id in world.tale_of(maker.connection_id).seen_by_old


def owners_of(world: CompaniesWorld) -> dict[tuple[Company, int], list[WriteBack]]:
    """Return the write-backs that say of each payment that it is theirs."""
    owners: defaultdict[tuple[Company, int], list[WriteBack]] = defaultdict(list)
    for each in world.ledger.every():
        company = world.tale_of(each.connection_id).company
        if company and each.psa_payment_id is not None and each.state not in OVER:
            owners[company, each.psa_payment_id].append(each)
    return owners


def problems_of(world: CompaniesWorld, write_back: WriteBack) -> set[ProblemCode]:
    """Return the codes of the open problems about a write-back and its invoice."""
    scope = (write_back.partner_id, write_back.connection_id)
    invoice = record_subject(RecordKind.INVOICE, write_back.invoice_source_id)
    subjects = (write_back_subject(write_back), invoice)
    every = world.outside.problems.open_of_connection(*scope).values()
    return {each.code for each in every if each.subject in subjects}


def _is_told(world: CompaniesWorld, owner: WriteBack) -> bool:
    """Tell whether the dispute is an open problem, as far as it can be known."""
    is_shown = ProblemCode.PAYMENT_DISPUTED in problems_of(world, owner)
    return is_shown or gaps.has_unmoved_owners(world, owner)


def _has_rival_keys(world: CompaniesWorld, write_back: WriteBack) -> bool:
    """Tell whether a connection under another key of the company may have taken it out."""
    company = world.tale_of(write_back.connection_id).company
    every = world.connections_to(company) if company else []
    return gaps.is_unknown_again(world, [each.connection_id for each in every])


def _maker(world: CompaniesWorld, row: Row) -> WriteBack:
    """Return the write-back that a payment was made for, as it is stored now."""
    assert row.maker is not None
    stated = row.maker.write_back
    stored = world.ledger.get_write_back(stated.connection_id, stated.write_back_id).value
    assert stored is not None
    return stored
