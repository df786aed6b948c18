"""What is known to be left open between connections; each time that it matters is counted."""

from __future__ import annotations

from collections.abc import Collection

from bridge.domain.write_back import Reason, WriteBack
from tests.simulation.companies.world import CompaniesWorld


def has_unmoved_owners(world: CompaniesWorld, write_back: WriteBack) -> bool:
    """Tell whether the other connections of a company cannot see what this one's owns.

    Owners that workers of the release before stored are moved to the company once its connection
    has the company's key, and while it syncs, once. The later one of a pair has no key while it is
    stopped, and what old workers own after the move stays with the connection.
    """
    connection = world.connection_of(write_back.connection_id)
    tale = world.tale_of(write_back.connection_id)
    saved_at = tale.seen_by_old.get(write_back.write_back_id)
    if connection is None or not (tale.is_of_before or saved_at):
        return False
    is_moved = connection.company_key and connection.owners_moved_to == connection.company_key
    is_later = saved_at is not None and tale.moved_at is not None and saved_at > tale.moved_at
    is_unmoved = not is_moved or is_later
    if is_unmoved:
        world.play_out("gap: owners that were not moved")
    return is_unmoved


def was_owned_twice(world: CompaniesWorld, write_back: WriteBack) -> bool:
    """Tell whether old workers let another connection own this one's payment, too. That one may
    take it out again, be the dispute shown or not."""
    is_so = any(
        write_back.psa_payment_id in tale.old_adoptions
        for connection_id, tale in world.tales.items()
        if connection_id != write_back.connection_id
    )
    if is_so:
        world.play_out("gap: a disputed payment was taken out")
    return is_so


def is_unknown_again(world: CompaniesWorld, connection_ids: Collection[str]) -> bool:
    """Tell whether nothing proves that these connections reach one company, so that it has several
    keys: a self-hosted one that is connected with new keys once its registrations are gone."""
    is_unknown = world.lines.may_differ(connection_ids)
    if is_unknown:
        world.play_out("gap: a company that has several keys")
    return is_unknown


def was_taken_over(world: CompaniesWorld, connection_id: str) -> bool:
    """Tell whether a connection of the release before has taken the claim of a later one over,
    which writes on until its own next check."""
    connection = world.connection_of(connection_id)
    company = world.tale_of(connection_id).company
    if connection is None or company is None:
        return False
    every = world.connections_to(company)
    claim = world.outside.companies.get(connection.company_key).value
    is_lost = claim is not None and claim.connection_id != connection_id
    is_over = is_lost and any(world.tale_of(each.connection_id).is_of_before for each in every)
    if is_over:
        world.play_out("gap: a claim that was taken over")
    return is_over


def is_left_unshown(world: CompaniesWorld, write_back: WriteBack) -> bool:
    """Tell whether nobody is told of a write-back, since whoever stored the reason had no time to,
    and the jobs that mend that pass over connections that are down."""
    connection = world.connection_of(write_back.connection_id)
    is_down = connection is None or not connection.is_syncing
    is_left = is_down and write_back.reason is Reason.DISCONNECTED
    if is_left:
        world.play_out("gap: unshown while disconnected")
    return is_left


def is_stuck_in_a_dispute(
    world: CompaniesWorld, write_back: WriteBack, made: Collection[int]
) -> bool:
    """Tell whether a write-back cannot be confirmed, since one of the payments that were made for
    it is another one's by now: the ledger refuses to give that up."""
    connection = world.connection_of(write_back.connection_id)
    owners = world.ledger.owners(connection.books, list(made)) if connection else {}
    is_stuck = any(each != write_back.write_back_id for each in owners.values())
    if is_stuck:
        world.play_out("gap: stuck in a dispute")
    return is_stuck
