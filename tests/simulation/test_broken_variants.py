"""Bridges that are broken on purpose are found; the real one, in the same weather, is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.domain.errors import ConflictError
from bridge.domain.invoice import Invoice
from tests.simulation import broken, faults, invariants, people, troubles
from tests.simulation.broken_cases import Case, check
from tests.simulation.episode import Weather
from tests.simulation.parts import Fault
from tests.simulation.watching import PortCall
from tests.simulation.world import Books, World


class _ConflictsWithLostHints(Fault):
    """The first write of an invoice meets a conflict, and every hint that is sent is lost.

    The real bridge says that somebody has to look again, and cannot know that nobody will.
    """

    name = "conflict with lost hints"

    def __init__(self) -> None:
        self._has_struck = False

    def before_call(self, world: World, call: PortCall) -> None:
        is_invoice = call.name == "records.save" and isinstance(call.arguments[0], Invoice)
        if is_invoice and not self._has_struck:
            self._has_struck = True
            raise ConflictError("simulated conflict")

    def on_message(self, world: World, queue: str) -> timedelta | None:
        return None if queue == "hints" else timedelta(0)


CASES = (
    Case(
        broken.OverwritesWithoutVersionCheck,
        invariants.NothingOlder.name,
        lambda: Weather(
            hours=4,
            faults=[faults.Interleaving(0.2)],
            edits=(people.change_due_date, people.pay),
            minutes_between_edits=2,
        ),
        books=Books(customers=2, invoices=4),
    ),
    Case(
        broken.BelievesDeletedCallbacks,
        invariants.ArchivedOnProof.name,
        lambda: Weather(
            hours=5,
            faults=[faults.LossyCallbacks(0.3)],
            edits=(people.delete_company, people.restore_company),
            minutes_between_edits=5,
        ),
        books=Books(customers=12, invoices=25),
    ),
    Case(
        broken.MovesWatermarksAtTheStart,
        invariants.WatermarksFollow.name,
        lambda: Weather(hours=2, faults=[faults.Crashes(0.02)]),
    ),
    Case(
        broken.AsksForTheNextPageBeforeSaving,
        invariants.NobodyMendsRuns.name,
        lambda: Weather(
            hours=3, faults=[faults.Interleaving(0.2)], sweeps_every=timedelta(minutes=30)
        ),
        more_invariants=(invariants.NobodyMendsRuns,),
    ),
    Case(
        broken.ArchivesWithoutABrake,
        invariants.Brake.name,
        lambda: Weather(
            hours=6,
            troubles=[troubles.HiddenLocation(hours_between=1, longest_hours=4)],
            sweeps_every=timedelta(hours=1),
        ),
        books=Books(customers=4, invoices=60),
    ),
    Case(
        broken.SweepsPassContactsBy,
        invariants.WatermarksFollow.name,
        lambda: Weather(
            hours=6,
            edits=(people.change_contact_email,),
            minutes_between_edits=5,
            sweeps_every=timedelta(hours=1),
        ),
    ),
    Case(
        broken.LeavesConflictsToNobody,
        invariants.WatermarksFollow.name,
        lambda: Weather(
            hours=1, faults=[_ConflictsWithLostHints()], edits=(people.change_due_date,)
        ),
    ),
    Case(
        broken.ForgetsWhatVanished,
        "invoices agree",
        lambda: Weather(
            hours=3,
            faults=[faults.LossyCallbacks(0.8)],
            edits=(people.create_invoice, people.delete_invoice),
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.wiring.__name__)
def test_a_broken_bridge_is_found_and_the_real_one_is_not(case: Case) -> None:
    check(case)
