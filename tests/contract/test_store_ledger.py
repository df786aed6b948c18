"""What every LedgerStore does: payments and their write-backs, all or none, one version at a time.

Lists are in ``test_store_ledger_lists``, leases in ``test_store_ledger_leases``, owners in
``test_store_ledger_owners``, and lost answers in ``test_store_ledger_lost_answers``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.domain.errors import ConflictError, InvalidInputError
from bridge.domain.identity import mirrored_id, new_id
from bridge.domain.platform_payment import (
    MAX_ALLOCATIONS,
    Allocation,
    PlatformPayment,
    Target,
)
from bridge.domain.write_back import (
    MAX_LISTED_PAYMENTS,
    AttemptKind,
    Decision,
    DecisionKind,
    History,
    Outcome,
    Reason,
    ShownPayment,
    StatedAttempt,
    Tally,
    Timings,
    WriteBackState,
)
from bridge.domain.write_back.changes import (
    note_unclear,
    retarget,
    state_post,
)
from bridge.ports import LedgerStore, Stored
from tests.builders.payments import a_platform_payment, a_write_back, write_backs_for
from tests.builders.records import CONNECTION, OTHER_CONNECTION, OTHER_PARTNER, PARTNER
from tests.contract.ledger import MINUTE, WRITER, over_invoices, posting, returned, stored
from tests.fakes.clock import START, FakeClock
from tests.fakes.histories import ReadableLedger


def versions(ledger: LedgerStore, payment: PlatformPayment) -> list[int]:
    """The versions of a payment and of its write-backs."""
    found = ledger.write_backs_of_payment(payment.partner_id, payment.payment_id)
    head = ledger.get_payment(payment.partner_id, payment.payment_id)
    return [head.version, *(each.version for each in found)]


# --- recording ---------------------------------------------------------------------------------


def test_a_recorded_payment_comes_back_with_its_write_backs(ledger: LedgerStore) -> None:
    payment = over_invoices(3)
    write_backs = write_backs_for(payment)

    ledger.record(payment, write_backs)

    assert ledger.get_payment(PARTNER, payment.payment_id) == Stored(payment, 1)
    found = ledger.write_backs_of_payment(PARTNER, payment.payment_id)
    assert found == tuple(Stored(write_back, 1) for write_back in write_backs)
    assert [stored(ledger, write_back) for write_back in write_backs] == list(found)


def test_a_payments_id_is_used_once(ledger: LedgerStore) -> None:
    payment = a_platform_payment()
    ledger.record(payment, write_backs_for(payment))
    other = over_invoices(2, payment.payment_id)

    with pytest.raises(ConflictError):
        ledger.record(other, write_backs_for(other))

    assert ledger.get_payment(PARTNER, payment.payment_id) == Stored(payment, 1)
    assert len(ledger.write_backs_of_payment(PARTNER, payment.payment_id)) == 1
    assert ledger.write_backs_of_invoice(CONNECTION, 1002) == ()


def test_partners_may_use_the_same_id(ledger: LedgerStore) -> None:
    mine = a_platform_payment()
    invoice_id = mirrored_id(OTHER_CONNECTION, 1001)
    theirs = a_platform_payment(
        partner_id=OTHER_PARTNER, allocations=(Allocation(invoice_id, 5),), amount_minor=5
    )

    for payment in (mine, theirs):
        ledger.record(payment, write_backs_for(payment))

    assert ledger.get_payment(PARTNER, mine.payment_id).value == mine
    assert ledger.get_payment(OTHER_PARTNER, mine.payment_id).value == theirs
    (write_back,) = ledger.write_backs_of_payment(OTHER_PARTNER, mine.payment_id)
    assert write_back.value is not None
    assert write_back.value.connection_id == OTHER_CONNECTION


def test_as_many_allocations_as_a_payment_may_have_are_stored_and_moved_at_once(
    ledger: LedgerStore,
) -> None:
    payment = over_invoices(MAX_ALLOCATIONS)
    write_backs = write_backs_for(payment)
    ledger.record(payment, write_backs)

    ledger.move_payment(
        returned(payment),
        expected_version=1,
        write_backs=[(retarget(each, Target.ABSENT, START), 1) for each in write_backs],
    )

    assert versions(ledger, payment) == [2] * (MAX_ALLOCATIONS + 1)


def test_as_many_move_at_once_after_posts_to_busy_invoices_that_nothing_proved(
    ledger: LedgerStore,
) -> None:
    """A transaction holds 4 MB: a write-back counts twice, with what its attempts had listed."""
    payment = over_invoices(MAX_ALLOCATIONS)
    ledger.record(payment, write_backs_for(payment))
    moved = []
    for write_back in write_backs_for(payment):
        stated = state_post(write_back, START, Timings(), balance_minor=1, listed_ids=range(500))
        unclear = note_unclear(stated, START, Timings())
        ledger.save_write_back(stated, expected_version=1)
        ledger.save_write_back(unclear, expected_version=2)
        moved.append((retarget(unclear, Target.ABSENT, START), 3))

    ledger.move_payment(returned(payment), expected_version=1, write_backs=moved)

    assert versions(ledger, payment) == [2, *[4] * MAX_ALLOCATIONS]


def test_one_allocation_more_is_no_payment() -> None:
    assert MAX_ALLOCATIONS == 49
    with pytest.raises(InvalidInputError, match="1 to 49 allocations") as refused:
        over_invoices(MAX_ALLOCATIONS + 1)
    assert refused.value.field == "allocations"


def test_an_invoice_of_the_platforms_own_has_no_write_back(ledger: LedgerStore) -> None:
    allocations = (Allocation(new_id(), 7), Allocation(mirrored_id(CONNECTION, 1001), 8))
    payment = a_platform_payment(allocations=allocations)
    mirrored = replace(payment, allocations=allocations[1:])

    ledger.record(payment, write_backs_for(mirrored))

    (found,) = ledger.write_backs_of_payment(PARTNER, payment.payment_id)
    assert found.value is not None
    assert found.value.amount_minor == 8


@pytest.mark.parametrize(
    "changes",
    [
        {"partner_id": OTHER_PARTNER},
        {"payment_id": "pay-2"},
        {"write_back_id": "pay-1.1002"},
        {"write_back_id": "pay-2.1001"},
        {"connection_id": OTHER_CONNECTION},
    ],
)
def test_a_write_back_of_anything_else_is_refused(
    ledger: LedgerStore, changes: dict[str, str]
) -> None:
    payment = a_platform_payment()
    with pytest.raises(InvalidInputError):
        ledger.record(payment, [a_write_back(**changes)])
    assert ledger.get_payment(PARTNER, payment.payment_id) == Stored(None, 0)


def test_a_write_back_is_named_once(ledger: LedgerStore) -> None:
    with pytest.raises(InvalidInputError):
        ledger.record(a_platform_payment(), [a_write_back(), a_write_back()])


def test_what_was_never_stored_is_nothing(ledger: ReadableLedger) -> None:
    assert ledger.get_payment(PARTNER, "pay-1") == Stored(None, 0)
    assert ledger.write_backs_of_payment(PARTNER, "pay-1") == ()
    assert ledger.write_backs_of_invoice(CONNECTION, 1001) == ()
    assert ledger.list_due(START, limit=10) == ()
    for no_id in ("pay-1.1001", "pay-1", "pay-1.0", "pay-1.x", ""):
        assert ledger.get_write_back(CONNECTION, no_id) == Stored(None, 0)
        assert ledger.write_back_history(CONNECTION, no_id, limit=5) == ()


@pytest.mark.parametrize("part", ["a#b", "", "x" * 65, "PARTNER#p"])
def test_an_id_that_could_break_out_of_its_place_is_refused(ledger: LedgerStore, part: str) -> None:
    with pytest.raises(InvalidInputError):
        ledger.get_payment(part, "pay-1")
    with pytest.raises(InvalidInputError):
        ledger.get_payment(PARTNER, part)
    with pytest.raises(InvalidInputError):
        ledger.write_backs_of_payment(PARTNER, part)
    with pytest.raises(InvalidInputError):
        ledger.get_write_back(part, "pay-1.1001")


# --- moving ------------------------------------------------------------------------------------


def test_a_payment_and_its_write_backs_move_together(ledger: LedgerStore) -> None:
    payment = over_invoices(2)
    first, second = write_backs_for(payment)
    ledger.record(payment, [first, second])
    gone = retarget(first, Target.ABSENT, START + MINUTE)

    ledger.move_payment(returned(payment), expected_version=1, write_backs=[(gone, 1)])

    assert ledger.get_payment(PARTNER, payment.payment_id) == Stored(returned(payment), 2)
    assert stored(ledger, first) == Stored(gone, 2)
    assert stored(ledger, second) == Stored(second, 1)


def test_a_payment_may_move_alone(ledger: LedgerStore) -> None:
    payment = a_platform_payment()
    ledger.record(payment, [])
    ledger.move_payment(returned(payment), expected_version=1, write_backs=[])
    assert versions(ledger, payment) == [2]


@pytest.mark.parametrize(
    ("payment_version", "write_back_version"), [(2, 1), (1, 2), (0, 1), (1, 0), (2, 2)]
)
def test_when_one_of_them_moved_meanwhile_nothing_moves(
    ledger: LedgerStore, payment_version: int, write_back_version: int
) -> None:
    payment, write_back = a_platform_payment(), a_write_back()
    ledger.record(payment, [write_back])
    gone = retarget(write_back, Target.ABSENT, START)

    with pytest.raises(ConflictError):
        ledger.move_payment(
            returned(payment),
            expected_version=payment_version,
            write_backs=[(gone, write_back_version)],
        )

    assert ledger.get_payment(PARTNER, payment.payment_id) == Stored(payment, 1)
    assert stored(ledger, write_back) == Stored(write_back, 1)


@pytest.mark.parametrize("version", [0, 1])
def test_what_is_not_stored_does_not_move(ledger: LedgerStore, version: int) -> None:
    with pytest.raises(ConflictError):
        ledger.move_payment(a_platform_payment(), expected_version=version, write_backs=[])
    with pytest.raises(ConflictError):
        ledger.save_write_back(a_write_back(), expected_version=version)
    assert ledger.get_payment(PARTNER, "pay-1").version == 0
    assert stored(ledger, a_write_back()).version == 0


def test_a_write_back_is_saved_at_its_version_only(ledger: LedgerStore) -> None:
    before = a_write_back()
    ledger.record(a_platform_payment(), [before])
    moved = posting(before)

    assert ledger.save_write_back(moved, expected_version=1) == 2
    for stale in (0, 1, 3):
        with pytest.raises(ConflictError):
            ledger.save_write_back(before, expected_version=stale)

    assert stored(ledger, before) == Stored(moved, 2)


def test_every_field_of_a_write_back_comes_back(ledger: LedgerStore) -> None:
    ledger.record(a_platform_payment(), [a_write_back()])
    full = a_write_back(
        target=Target.ABSENT,
        state=WriteBackState.MANUAL,
        due_at=START + timedelta(microseconds=1),
        intent_at=START,
        posts=3,
        psa_payment_id=77,
        reason=Reason.PAYMENT_CHANGED,
        balance_before_minor=-5,
        rows_before=2,
        newest_before=76,
        previous_status_id=4,
        paid_status_id=5,
        status_stated_at=START + timedelta(microseconds=2),
        wants_follow_up=True,
        posted_as="Member",
        deletions=2,
        waits=3,
        is_called_off=True,
        lasting_reason=Reason.OTHERS_REPLACED,
        history=History(
            attempts=(
                StatedAttempt(
                    AttemptKind.POST,
                    START,
                    Outcome.PROVEN,
                    member="Member",
                    balance_minor=-5,
                    listed_ids=(75, 76),
                    psa_payment_id=77,
                ),
                StatedAttempt(AttemptKind.DELETION, START, newest_listed_id=76),
            ),
            tallies=(Tally(AttemptKind.STATUS, Outcome.REFUSED, 2, START, START + MINUTE),),
        ),
        decision=Decision(DecisionKind.ADOPT, 78),
        shown=(ShownPayment(78, 500, START.date(), "jdoe"), ShownPayment(79, 1, None, "")),
        late_look_at=START + 2 * MINUTE,
        listed_on=START.date(),
        is_foreign=True,
        refusal="words",
        hand_reference="JE-1",
    )
    ledger.save_write_back(full, expected_version=1)
    assert stored(ledger, full).value == full


# --- histories ---------------------------------------------------------------------------------


def test_every_change_is_kept_with_its_time_and_its_writer(
    ledger: ReadableLedger, clock: FakeClock
) -> None:
    payment, write_back = a_platform_payment(), a_write_back()
    ledger.record(payment, [write_back])
    clock.advance(minutes=1)
    stated = posting(write_back)
    ledger.save_write_back(stated, expected_version=1)
    clock.advance(minutes=1)
    gone = retarget(stated, Target.ABSENT, clock.now())
    ledger.move_payment(returned(payment), expected_version=1, write_backs=[(gone, 2)])

    of_payment = ledger.payment_history(PARTNER, payment.payment_id, limit=10)
    of_write_back = ledger.write_back_history(CONNECTION, write_back.write_back_id, limit=10)

    assert [entry.value for entry in of_payment] == [returned(payment), payment]
    assert [entry.value for entry in of_write_back] == [gone, stated, write_back]
    assert [entry.version for entry in of_write_back] == [3, 2, 1]
    minutes = [(entry.recorded_at - START) / MINUTE for entry in of_write_back]
    assert minutes == [2, 1, 0]
    assert {entry.written_by for entry in of_payment} == {WRITER}
    assert {entry.written_by for entry in of_write_back} == {WRITER}


def test_the_ids_listed_before_a_post_stand_in_the_entry_that_stated_it_alone(
    ledger: ReadableLedger,
) -> None:
    write_back = a_write_back()
    ledger.record(a_platform_payment(), [write_back])
    listed = range(9_000, 9_000 + MAX_LISTED_PAYMENTS)
    stated = state_post(write_back, START, Timings(), balance_minor=11000, listed_ids=list(listed))
    unclear = note_unclear(stated, START, Timings())
    ledger.save_write_back(stated, expected_version=1)
    ledger.save_write_back(unclear, expected_version=2)

    latest, statement, _ = ledger.write_back_history(CONNECTION, write_back.write_back_id, limit=5)

    assert statement.value == stated
    assert [attempt.listed_ids for attempt in latest.value.history.attempts] == [()]
    assert replace(latest.value, history=unclear.history) == unclear
    now = ledger.get_write_back(CONNECTION, write_back.write_back_id)
    assert now.value == unclear, "the guards still ask the whole of it"


def test_a_history_is_cut_to_its_latest_entries(ledger: ReadableLedger) -> None:
    write_back = a_write_back()
    ledger.record(a_platform_payment(), [write_back])
    for version in range(1, 12):
        ledger.save_write_back(replace(write_back, posts=version), expected_version=version)
    entries = ledger.write_back_history(CONNECTION, write_back.write_back_id, limit=3)
    assert [entry.version for entry in entries] == [12, 11, 10]


def test_histories_of_like_ids_are_apart(ledger: ReadableLedger) -> None:
    for payment_id in ("p", "p.1", "p-1"):
        payment = a_platform_payment(payment_id)
        ledger.record(payment, write_backs_for(payment))
    for payment_id in ("p", "p.1", "p-1"):
        assert len(ledger.payment_history(PARTNER, payment_id, limit=10)) == 1
        assert len(ledger.write_back_history(CONNECTION, f"{payment_id}.1001", limit=10)) == 1


def test_a_change_that_was_refused_leaves_no_entry(ledger: ReadableLedger) -> None:
    write_back = a_write_back()
    ledger.record(a_platform_payment(), [write_back])
    with pytest.raises(ConflictError):
        ledger.save_write_back(posting(write_back), expected_version=2)
    assert len(ledger.write_back_history(CONNECTION, write_back.write_back_id, limit=10)) == 1
