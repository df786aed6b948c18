"""Bridges that read an untidy ConnectWise carelessly are found; the real one is not."""

from __future__ import annotations

from typing import Any

import pytest

from connectwise_sandbox.switches import Switches
from tests.simulation import (
    broken_readers,
    endings,
    faults,
    invariants,
    odd_servers,
    people,
    promises,
    untidy_edits,
)
from tests.simulation.broken_cases import Case, check
from tests.simulation.episode import Weather
from tests.simulation.world import Books


def _books(*, customers: int = 4, invoices: int = 25, **switches: Any) -> Books:
    """Return books of a server with these switches."""
    return Books(customers=customers, invoices=invoices, switches=Switches(**switches))


CASES = (
    Case(
        broken_readers.EndsOnShortPages,
        (endings.InvoicesAgree.name, endings.CustomersAgree.name, invariants.WatermarksFollow.name),
        lambda: Weather(hours=1),
        books=_books(page_row_limit=odd_servers.SHORT_PAGE, link_header=False),
    ),
    Case(
        broken_readers.NeverHalvesPages,
        (endings.InvoicesAgree.name, endings.NoRunIsStuck.name, endings.CustomersAgree.name),
        lambda: Weather(hours=1),
        books=_books(heavy_page_rows=odd_servers.LIGHT_PAGE),
    ),
    Case(
        broken_readers.BelievesTheServersClock,
        invariants.WatermarksFollow.name,
        lambda: Weather(
            hours=4,
            faults=[
                faults.Interleaving(0.3),
                faults.LossyCallbacks(0.9),
                odd_servers.WrongDates(0.6),
            ],
            edits=(people.change_due_date,),
            minutes_between_edits=2,
        ),
    ),
    Case(
        broken_readers.ComparesMoneyAlone,
        endings.InvoicesAgree.name,
        lambda: Weather(
            hours=1,
            edits=(
                untidy_edits.change_payer_silently,
                untidy_edits.rename_status,
                untidy_edits.let_status_close,
            ),
        ),
    ),
    Case(
        broken_readers.PassesUnreadablePayersOver,
        (endings.InvoicesAgree.name, invariants.WatermarksFollow.name),
        lambda: Weather(
            hours=4,
            faults=[faults.LossyCallbacks(0.9)],
            edits=(people.create_invoice, people.create_invoice, untidy_edits.purge_payer),
            minutes_between_edits=2,
        ),
        books=_books(customers=20),
    ),
    Case(
        broken_readers.LooksOnceAtUnsettled,
        promises.LagsAreShort.name,
        lambda: Weather(hours=3, edits=(people.pay,), is_prompt=True),
        books=_books(balance_delay_seconds=20),
        more_invariants=(promises.LagsAreShort,),
    ),
    Case(
        broken_readers.ForgetsUnlistedPayments,
        endings.InvoicesAgree.name,
        lambda: Weather(
            hours=2,
            faults=[faults.CrashesBetweenWrites(0.3)],
            edits=(untidy_edits.type_many_payments,),
            minutes_between_edits=10,
        ),
        books=_books(invoices=15),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.wiring.__name__)
def test_a_careless_bridge_is_found_and_the_real_one_is_not(case: Case) -> None:
    check(case)
