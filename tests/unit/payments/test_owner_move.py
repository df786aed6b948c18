"""Owners that the release before kept by the connection move to the company that was proven."""

from __future__ import annotations

import pytest

from bridge.domain.errors import ThrottledError
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import Books, WriteBackState
from tests.unit.payments.mirrored_bench import MirroredBench

COMPANY = "d" * 32


def test_owners_are_found_by_the_company_once_they_were_moved(bench: MirroredBench) -> None:
    write_back = bench.drive(bench.collect(5000))
    assert write_back.psa_payment_id is not None
    by_company = Books(COMPANY)
    assert bench.ledger.owners(by_company, [write_back.psa_payment_id]) == {}
    bench.save_connection(company_key=COMPANY)
    bench.compare()
    owners = bench.ledger.owners(by_company, [write_back.psa_payment_id])
    assert owners == {write_back.psa_payment_id: write_back.write_back_id}
    stored = bench.connections.get(bench.connection.connection_id).value
    assert stored is not None
    assert stored.owners_moved_to == COMPANY


def test_a_payment_with_two_owners_is_a_problem(bench: MirroredBench) -> None:
    """Given a company that was connected twice, and one payment that both connections own."""
    write_back = bench.drive(bench.collect(5000))
    assert write_back.psa_payment_id is not None
    bench.ledger.move_owners(Books(COMPANY), {write_back.psa_payment_id: "pay-of-another.1"})
    bench.save_connection(company_key=COMPANY)
    bench.compare()
    assert ProblemCode.PAYMENT_DISPUTED in {problem.code for problem in bench.open_problems()}
    assert bench.stored(write_back).state is WriteBackState.CONFIRMED


def test_a_move_that_fails_keeps_the_others_going_and_comes_again(
    bench: MirroredBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_back = bench.drive(bench.collect(5000))
    assert write_back.psa_payment_id is not None
    bench.save_connection(company_key=COMPANY)
    move_owners = bench.ledger.move_owners

    def throttled(*_: object) -> tuple[int, ...]:
        monkeypatch.setattr(bench.ledger, "move_owners", move_owners)
        raise ThrottledError("the table is busy")

    monkeypatch.setattr(bench.ledger, "move_owners", throttled)
    bench.compare()
    assert bench.ledger.owners(Books(COMPANY), [write_back.psa_payment_id]) == {}

    bench.compare()

    assert write_back.psa_payment_id in bench.ledger.owners(
        Books(COMPANY), [write_back.psa_payment_id]
    )
