"""Leases: one holder of an invoice at any time, and what may be saved under its lease."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bridge.domain.errors import ConflictError, LeaseTakenError
from bridge.domain.platform_payment import PlatformPaymentState, Target
from bridge.domain.write_back import Books, Lease, Timings, WriteBack
from bridge.domain.write_back.changes import confirm, retarget
from bridge.ports import LedgerStore, Stored
from tests.builders.payments import a_platform_payment, write_backs_for
from tests.builders.records import OTHER_CONNECTION
from tests.contract.ledger import (
    BOOKS,
    MINUTE,
    PSA_PAYMENT,
    WORKERS,
    at_once,
    lease_of,
    own,
    posting,
    recorded,
    stored,
)
from tests.fakes.clock import START

A, B = "pay-a.1001", "pay-b.1001"
OTHER_BOOKS = Books(OTHER_CONNECTION)


# --- leases ------------------------------------------------------------------------------------


def test_a_taken_invoice_says_until_when(ledger: LedgerStore) -> None:
    lease = lease_of(ledger, A)
    assert lease.until == START + MINUTE
    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, B, now=START + 0.99 * MINUTE)
    assert refused.value.until == lease.until


def test_a_lease_that_is_over_is_free(ledger: LedgerStore) -> None:
    lease_of(ledger, A)
    assert lease_of(ledger, B, now=START + MINUTE).holder_id == B


def test_each_invoice_of_each_connection_has_a_lease_of_its_own(ledger: LedgerStore) -> None:
    lease_of(ledger, A)
    lease_of(ledger, B, invoice=1002)
    lease_of(ledger, B, books=OTHER_BOOKS)


def test_a_released_lease_is_free(ledger: LedgerStore) -> None:
    ledger.release_lease(lease_of(ledger, A))
    lease_of(ledger, B)


def test_giving_up_a_lease_that_somebody_else_has_by_now_changes_nothing(
    ledger: LedgerStore,
) -> None:
    old = lease_of(ledger, A)
    lease_of(ledger, B, now=START + MINUTE)
    ledger.release_lease(old)
    ledger.release_lease(old)
    with pytest.raises(LeaseTakenError):
        lease_of(ledger, A, now=START + MINUTE)


def test_the_holder_may_take_its_lease_again_which_fences_its_earlier_worker_off(
    ledger: LedgerStore,
) -> None:
    write_back = recorded(ledger)
    earlier = lease_of(ledger, write_back.write_back_id)
    later = lease_of(ledger, write_back.write_back_id)
    assert later.token != earlier.token

    with pytest.raises(ConflictError):
        ledger.save_write_back(posting(write_back), expected_version=1, holding=earlier)
    ledger.release_lease(earlier)

    assert ledger.save_write_back(posting(write_back), expected_version=1, holding=later) == 2


def test_taking_it_again_never_shortens_what_was_extended_for_a_request(
    ledger: LedgerStore,
) -> None:
    write_back = recorded(ledger)
    lease = lease_of(ledger, write_back.write_back_id)
    quarantined_until = START + 12 * MINUTE
    ledger.save_write_back(
        posting(write_back), expected_version=1, holding=lease, extend_until=quarantined_until
    )

    again = lease_of(ledger, write_back.write_back_id, now=START + MINUTE)

    assert again.until == quarantined_until
    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, B, now=START + 11 * MINUTE)
    assert refused.value.until == quarantined_until


def test_taking_it_again_prolongs_it(ledger: LedgerStore) -> None:
    lease_of(ledger, A)
    lease_of(ledger, A, now=START + 0.5 * MINUTE)
    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, B, now=START + MINUTE)
    assert refused.value.until == START + 1.5 * MINUTE


def test_of_20_write_backs_at_once_one_gets_the_invoice(ledger: LedgerStore) -> None:
    outcomes = at_once([partial(lease_of, ledger, f"p.{place}") for place in range(WORKERS)])
    leases = [outcome for outcome in outcomes if isinstance(outcome, Lease)]
    assert len(leases) == 1
    others = [outcome for outcome in outcomes if not isinstance(outcome, Lease)]
    assert {type(outcome) for outcome in others} == {LeaseTakenError}
    ledger.release_lease(leases[0])
    lease_of(ledger, "p.99")


def test_of_20_workers_of_one_write_back_at_once_one_can_still_act(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)

    def take() -> Lease:
        return lease_of(ledger, write_back.write_back_id)

    outcomes = at_once([take] * WORKERS)
    leases = [outcome for outcome in outcomes if isinstance(outcome, Lease)]
    assert leases
    assert len({lease.token for lease in leases}) == len(leases)

    def act(lease: Lease) -> int:
        return ledger.save_write_back(posting(write_back), expected_version=1, holding=lease)

    acted = at_once([partial(act, lease) for lease in leases])
    assert acted.count(2) == 1
    assert stored(ledger, write_back) == Stored(posting(write_back), 2)


def test_of_20_workers_after_a_lease_is_over_one_gets_it(ledger: LedgerStore) -> None:
    lease_of(ledger, A)
    later = partial(lease_of, ledger, now=START + MINUTE)
    outcomes = at_once([partial(later, f"p.{place}") for place in range(WORKERS)])
    assert sum(isinstance(outcome, Lease) for outcome in outcomes) == 1


# --- saving under a lease ----------------------------------------------------------------------


def test_a_lease_is_extended_with_the_write_back(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    lease = lease_of(ledger, write_back.write_back_id)
    ledger.save_write_back(
        write_back, expected_version=1, holding=lease, extend_until=START + 9 * MINUTE
    )
    with pytest.raises(LeaseTakenError):
        lease_of(ledger, B, now=START + 8 * MINUTE)
    ledger.release_lease(lease)
    lease_of(ledger, B, now=START + 8 * MINUTE)


def test_a_save_under_a_lease_leaves_it_as_it_is(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    lease = lease_of(ledger, write_back.write_back_id)
    ledger.save_write_back(
        write_back, expected_version=1, holding=lease, extend_until=START + 9 * MINUTE
    )
    ledger.save_write_back(write_back, expected_version=2, holding=lease)
    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, B, now=START + 8 * MINUTE)
    assert refused.value.until == START + 9 * MINUTE


@pytest.mark.parametrize("change", [{}, {"extend_until": START + 9 * MINUTE}])
def test_without_the_lease_nothing_of_the_step_is_made(
    ledger: LedgerStore, change: dict[str, Any]
) -> None:
    write_back = recorded(ledger)
    lost = lease_of(ledger, write_back.write_back_id)
    lease_of(ledger, B, now=START + MINUTE)

    with pytest.raises(ConflictError):
        ledger.save_write_back(
            confirm(write_back, PSA_PAYMENT, START),
            expected_version=1,
            holding=lost,
            own_psa_payment_id=PSA_PAYMENT,
            **change,
        )

    assert stored(ledger, write_back) == Stored(write_back, 1)
    assert ledger.owners(BOOKS, [PSA_PAYMENT]) == {}
    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, A, now=START + 1.5 * MINUTE)
    assert refused.value.until == START + 2 * MINUTE


def test_a_released_lease_allows_nothing(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    lease = lease_of(ledger, write_back.write_back_id)
    ledger.release_lease(lease)
    changes: list[dict[str, Any]] = [{}, {"extend_until": START}]
    for change in changes:
        with pytest.raises(ConflictError):
            ledger.save_write_back(write_back, expected_version=1, holding=lease, **change)
    lease_of(ledger, B)


def test_a_stale_version_leaves_the_lease_alone(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    lease = lease_of(ledger, write_back.write_back_id)
    changes: list[dict[str, Any]] = [{"extend_until": START + 9 * MINUTE}]
    for change in changes:
        with pytest.raises(ConflictError):
            ledger.save_write_back(write_back, expected_version=2, holding=lease, **change)
    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, B)
    assert refused.value.until == START + MINUTE


def test_a_lease_that_is_over_but_nobody_elses_still_stands(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    lease = lease_of(ledger, write_back.write_back_id)
    assert ledger.save_write_back(write_back, expected_version=1, holding=lease) == 2


def test_a_lease_of_another_invoice_is_a_mistake(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    for lease in (
        lease_of(ledger, write_back.write_back_id, invoice=1002),
        lease_of(ledger, write_back.write_back_id, books=OTHER_BOOKS),
    ):
        with pytest.raises(ValueError, match="another invoice"):
            ledger.save_write_back(write_back, expected_version=1, holding=lease)
    assert stored(ledger, write_back).version == 1


def test_the_last_save_gives_the_lease_up_in_the_same_step(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    books = replace(BOOKS, company_key="d" * 32)
    lease = lease_of(ledger, write_back.write_back_id, books=books)
    save = partial(ledger.save_write_back, posting(write_back), holding=lease, releases=True)

    assert save(expected_version=1) == 2

    assert lease_of(ledger, B, books=books).holder_id == B
    with pytest.raises(ConflictError):
        save(expected_version=2)


def test_a_save_that_is_refused_leaves_the_lease_where_it_is(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    lease = lease_of(ledger, write_back.write_back_id)

    with pytest.raises(ConflictError):
        ledger.save_write_back(write_back, expected_version=2, holding=lease, releases=True)

    with pytest.raises(LeaseTakenError):
        lease_of(ledger, B)


def test_a_worker_that_was_overtaken_gives_nobodys_lease_up(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    earlier = lease_of(ledger, write_back.write_back_id)
    lease_of(ledger, write_back.write_back_id)

    with pytest.raises(ConflictError):
        ledger.save_write_back(write_back, expected_version=1, holding=earlier, releases=True)

    assert stored(ledger, write_back) == Stored(write_back, 1)
    with pytest.raises(LeaseTakenError):
        lease_of(ledger, B)


def test_a_lease_is_extended_or_given_up(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    lease = lease_of(ledger, write_back.write_back_id)
    both: dict[str, Any] = {"extend_until": START + MINUTE, "releases": True}
    with pytest.raises(ValueError, match="extended or given up"):
        ledger.save_write_back(write_back, expected_version=1, holding=lease, **both)


@pytest.mark.parametrize(
    "change",
    [
        {"extend_until": START},
        {"own_psa_payment_id": PSA_PAYMENT},
        {"disown_psa_payment_id": PSA_PAYMENT},
        {"releases": True},
    ],
)
def test_without_a_lease_nothing_is_extended_owned_or_given_up(
    ledger: LedgerStore, change: dict[str, Any]
) -> None:
    write_back = recorded(ledger)
    with pytest.raises(ValueError, match="holds the lease"):
        ledger.save_write_back(write_back, expected_version=1, **change)
    assert stored(ledger, write_back) == Stored(write_back, 1)


def test_of_20_saves_of_one_version_one_is_made(ledger: LedgerStore) -> None:
    write_back = recorded(ledger)
    variants = [replace(write_back, posts=place) for place in range(WORKERS)]
    save = partial(ledger.save_write_back, expected_version=1)
    outcomes = at_once([partial(save, variant) for variant in variants])
    assert outcomes.count(2) == 1
    found = stored(ledger, write_back)
    assert found.version == 2
    assert found.value is not None
    assert found.value.posts == outcomes.index(2)


def test_of_20_records_of_one_id_one_is_made(ledger: LedgerStore) -> None:
    def record(method: int) -> bool:
        payment = a_platform_payment(method=str(method))
        ledger.record(payment, write_backs_for(payment))
        return True

    outcomes = at_once([partial(record, place) for place in range(WORKERS)])
    assert outcomes.count(True) == 1
    payment = ledger.get_payment(a_platform_payment().partner_id, "pay-1").value
    assert payment is not None
    assert payment.method == str(outcomes.index(True))


# --- a payment that moves while its write-back is under way ------------------------------------


def undo(ledger: LedgerStore, payment_id: str) -> Stored[WriteBack]:
    """Let a payment be returned, as it and its write-back stand now."""
    payment = ledger.get_payment(a_platform_payment().partner_id, payment_id)
    assert payment.value is not None
    (found,) = ledger.write_backs_of_payment(payment.value.partner_id, payment_id)
    assert found.value is not None
    moved = payment.value.moved_to(PlatformPaymentState.RETURNED, reason="R01", now=START)
    gone = retarget(found.value, Target.ABSENT, START + MINUTE)
    ledger.move_payment(
        moved, expected_version=payment.version, write_backs=[(gone, found.version)]
    )
    return Stored(gone, found.version + 1)


def test_a_worker_whose_payment_was_returned_meanwhile_states_no_intent(
    ledger: LedgerStore,
) -> None:
    write_back = recorded(ledger)
    lease = lease_of(ledger, write_back.write_back_id)
    now = undo(ledger, "pay-a")

    with pytest.raises(ConflictError):
        ledger.save_write_back(
            posting(write_back), expected_version=1, holding=lease, extend_until=START + MINUTE
        )

    assert stored(ledger, write_back) == now


def test_a_payment_that_is_returned_while_it_is_posted_keeps_intent_and_quarantine(
    ledger: LedgerStore,
) -> None:
    write_back = recorded(ledger)
    lease = lease_of(ledger, write_back.write_back_id)
    intent = posting(write_back)
    over_at = Timings().quarantine_end(START)
    ledger.save_write_back(intent, expected_version=1, holding=lease, extend_until=over_at)

    now = undo(ledger, "pay-a").value

    assert now == replace(intent, target=Target.ABSENT)
    with pytest.raises(ConflictError):
        own(ledger, write_back, version=2, lease=lease)
    with pytest.raises(LeaseTakenError) as refused:
        lease_of(ledger, B, now=START + 11 * MINUTE)
    assert refused.value.until == over_at


def test_returning_and_posting_at_once_one_is_first_and_the_other_knows(
    ledger: LedgerStore,
) -> None:
    for place in range(6):
        write_back = recorded(ledger, f"pay-{place}")
        lease = lease_of(ledger, write_back.write_back_id)
        intent = posting(write_back)

        def post(intent: WriteBack = intent, lease: Lease = lease) -> str:
            ledger.save_write_back(
                intent, expected_version=1, holding=lease, extend_until=intent.due_at
            )
            return "posting"

        def give_back(payment_id: str = f"pay-{place}") -> str:
            undo(ledger, payment_id)
            return "returned"

        outcomes = at_once([post, give_back])
        after = stored(ledger, write_back)
        assert after.value is not None
        if outcomes == ["posting", "returned"]:
            assert after == Stored(replace(intent, target=Target.ABSENT), 3)
        else:
            (winner,) = [outcome for outcome in outcomes if isinstance(outcome, str)]
            assert after.version == 2
            assert (after.value.target is Target.ABSENT) == (winner == "returned")
        ledger.release_lease(lease)
