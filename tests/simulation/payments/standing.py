"""Whose each payment of ours is that stands in ConnectWise: owned, shown, or told to a person."""

from __future__ import annotations

from collections import Counter

from bridge.domain.identity import RecordKind
from bridge.domain.problem import Problem, ProblemCode, record_subject
from bridge.domain.write_back import DecisionKind, Reason, WriteBack, WriteBackState
from bridge.payments.write_back_problems import write_back_subject
from connectwise_sandbox.kinds import Kind, Record
from tests.fakes.histories import LedgerEntry
from tests.simulation.payments.provenance import Place
from tests.simulation.payments.world import PaymentWorld
from tests.simulation.world import CONNECTION_ID, PARTNER_ID

LONGEST_HISTORY = 100_000
TOLD_STATES = frozenset(
    {
        WriteBackState.CANCELLED,
        WriteBackState.DONE_BY_HAND,
        WriteBackState.REVERSED_BY_HAND,
        WriteBackState.REVERSED,
    }
)
PAYMENT_PROBLEMS = (ProblemCode.PAYMENT_NOT_WRITTEN, ProblemCode.PAYMENT_SURPLUS)


def history_of(world: PaymentWorld, write_back: WriteBack) -> list[LedgerEntry[WriteBack]]:
    """Return all entries of a history, the oldest first."""
    write_back_id = write_back.write_back_id
    found = world.ledger.write_back_history(CONNECTION_ID, write_back_id, limit=LONGEST_HISTORY)
    return list(reversed(found))


def surplus_subject(invoice_source_id: int) -> str:
    return record_subject(RecordKind.INVOICE, invoice_source_id)


def payment_problems(world: PaymentWorld) -> dict[str, Problem]:
    """Return the open problems of payments by their subjects."""
    every = world.outside.problems.open_of_connection(PARTNER_ID, CONNECTION_ID)
    return {each.subject: each for each in every.values() if each.code in PAYMENT_PROBLEMS}


def was_adopted(world: PaymentWorld, write_back: WriteBack, payment_id: int) -> bool:
    """Tell whether a person said that this payment stands for that of the write-back."""
    decisions = (entry.value.decision for entry in history_of(world, write_back))
    return any(
        each is not None and each.kind is DecisionKind.ADOPT and each.psa_payment_id == payment_id
        for each in decisions
    )


def unaccounted(world: PaymentWorld, invoice_source_id: int) -> list[int]:
    """Return the payments of ours on an invoice that nobody owns and that nobody was told of.

    Each is owned by a write-back, named by the invoice's open surplus, or one that an unproven
    attempt may have made whose write-back is shown. What another tool wrote anew stands for a
    write-back that is shown, or that a person ended.
    """
    provenance, owners = world.provenance, world.owners()
    problems = payment_problems(world)
    surplus = problems.get(surplus_subject(invoice_source_id))
    left: dict[tuple[Place, bool], list[int]] = {}
    for row in _rows_of_ours(world, invoice_source_id):
        is_by_member = row["appliedBy"] == provenance.member
        if row["id"] in owners or (surplus and is_by_member and _names(surplus, row["id"])):
            continue
        left.setdefault((provenance.ours[row["id"]], is_by_member), []).append(row["id"])
    found: list[int] = []
    for (place, is_by_member), ids in left.items():
        explained = _explained(world, place, problems, is_by_member=is_by_member)
        found += sorted(ids)[explained:]
    return found


def _rows_of_ours(world: PaymentWorld, invoice_source_id: int) -> list[Record]:
    store = world.engine.tenant.store[Kind.PAYMENT]
    ids = [
        i
        for i, place in world.provenance.ours.items()
        if place.invoice_source_id == invoice_source_id
    ]
    return store.among(ids)


def _names(problem: Problem, payment_id: int) -> bool:
    named = problem.detail.rpartition(":")[2].strip(" .")
    return str(payment_id) in named.split(", ")


def _explained(
    world: PaymentWorld, place: Place, problems: dict[str, Problem], *, is_by_member: bool
) -> int:
    """Return how many payments at a place people know of by its write-backs."""
    count: Counter[bool] = Counter()
    store = world.engine.tenant.store[Kind.PAYMENT]
    for each in world.write_backs_at(place):
        is_shown = each.reason is not Reason.NONE and write_back_subject(each) in problems
        if is_shown:
            count[True] += len(each.unproven_posts)
        own = store.get(each.psa_payment_id or 0)
        has_its_own = own is not None and own["invoice"]["id"] == place.invoice_source_id
        is_told = each.state in TOLD_STATES and bool(world.decided[each.write_back_id])
        if not has_its_own and (is_shown or is_told):
            count[False] += 1
    if not is_by_member:
        count[False] += world.doubles_allowed(place)
    return count[is_by_member]
