"""R3: a hint is looked into, never believed; lost, doubled or late ones change nothing."""

from __future__ import annotations

import random
from functools import partial

import pytest

from bridge.domain.connection import ConnectionState
from bridge.domain.errors import (
    BridgeError,
    CredentialsRejectedError,
    OutcomeUnknownError,
    PermissionMissingError,
    RefusedError,
    ThrottledError,
    TooMuchTogetherError,
    UnavailableError,
)
from bridge.domain.hint import MAX_HINT_ATTEMPTS, Hint, HintReason
from bridge.domain.identity import RecordKind, mirrored_id
from bridge.domain.problem import ProblemCode
from bridge.domain.run import RunKind
from bridge.domain.work_messages import PdfRequest
from bridge.mirror.connection_hints import MAX_REFRESHES
from tests.builders.operations import a_connection
from tests.builders.records import (
    CONNECTION,
    OTHER_CONNECTION,
    OTHER_PARTNER,
    a_customer,
    a_paid_invoice,
    an_invoice,
)
from tests.unit.mirror.bench import Bench
from tests.unit.mirror.psa import FakePsa

INVOICE, CUSTOMER = RecordKind.INVOICE, RecordKind.CUSTOMER


@pytest.fixture(autouse=True)
def books(bench: Bench) -> None:
    bench.psa.put(a_customer(), an_invoice(1001), an_invoice(1002))


def a_hint(source_id: int = 1001, kind: RecordKind = INVOICE, attempts: int = 0) -> Hint:
    return Hint(CONNECTION, kind, source_id, HintReason.CALLBACK, attempts)


def test_a_hint_brings_the_record_as_it_is_now(bench: Bench) -> None:
    assert bench.hint(INVOICE, 1001) == ()

    assert bench.invoice(1001) == an_invoice(1001)
    assert bench.customer(11) == a_customer()


def test_many_hints_about_one_record_ask_once(bench: Bench) -> None:
    bench.hint(INVOICE, 1001, 1001, 1002, 1001)

    assert bench.psa.fetched_ids[0] == (1001, 1002)
    assert bench.psa.calls.count("fetch_invoices") == 1


def test_a_hint_about_a_deletion_is_not_believed(bench: Bench) -> None:
    """Whatever a callback says happened, the record is asked for."""
    bench.hint(INVOICE, 1001)
    bench.hint(INVOICE, 1001)

    assert bench.invoice(1001).archive is None


def test_a_hint_about_a_record_that_is_gone_archives_it(bench: Bench) -> None:
    bench.hint(INVOICE, 1001)
    bench.psa.delete(INVOICE, 1001)

    bench.hint(INVOICE, 1001)

    assert bench.invoice(1001).archive is not None


def test_a_hint_about_a_record_that_never_was_leaves_nothing_to_see(bench: Bench) -> None:
    bench.hint(INVOICE, 4711)

    assert bench.stored_invoice(4711).value is None


@pytest.mark.parametrize("seed", range(5))
def test_any_order_loss_and_repetition_of_hints_ends_the_same(bench: Bench, seed: int) -> None:
    dice = random.Random(seed)
    hints = []
    for number in range(8):
        bench.psa.put(an_invoice(1001, reference=f"edit {number}"))
        hints += [a_hint()] * dice.choice((0, 1, 3))
    hints.append(a_hint())
    dice.shuffle(hints)

    for hint in hints:
        bench.hint_processor.process([hint])
    bench.work_off_hints()

    assert bench.invoice(1001).reference == "edit 7"


# --- races ----------------------------------------------------------------------------------------


def somebody_writes(bench: Bench, reference: str) -> None:
    """Another worker stores what it had fetched."""
    version = bench.stored_invoice(1001).version
    bench.records.save(an_invoice(1001, reference=reference), expected_version=version)


def test_a_record_that_moved_meanwhile_is_fetched_again(bench: Bench) -> None:
    def changed_and_stored() -> None:
        bench.psa.put(an_invoice(1001, reference="newer"))
        somebody_writes(bench, "newer")

    bench.psa.meanwhile("fetch_invoices", changed_and_stored)

    bench.hint(INVOICE, 1001)

    assert bench.invoice(1001).reference == "newer"
    assert bench.hints.sent == []


def test_a_record_that_keeps_moving_is_left_for_later(bench: Bench) -> None:
    bench.psa.put(an_invoice(1001, reference="true"))
    for number in range(MAX_REFRESHES):
        bench.psa.meanwhile("fetch_invoices", partial(somebody_writes, bench, f"{number}"))

    assert bench.hint(INVOICE, 1001) == ()

    assert [hint.reason for hint in bench.hints.sent] == [HintReason.CONFLICT]
    bench.work_off_hints()
    assert bench.invoice(1001).reference == "true"


# --- ConnectWise out of reach ---------------------------------------------------------------------


@pytest.mark.parametrize("error", [UnavailableError("down"), OutcomeUnknownError("cut off")])
def test_a_hint_waits_longer_with_each_failed_try(bench: Bench, error: BridgeError) -> None:
    delays = []
    hint = a_hint()
    for _ in range(9):
        bench.psa.fail("fetch_invoices", error)
        assert bench.hint_processor.process([hint]) == ()
        due_at = bench.hints.next_due_at()
        assert due_at is not None
        delays.append((due_at - bench.clock.now()).total_seconds())
        hint = bench.hints.sent[-1]
        bench.hints.waiting.clear()
        bench.silences.clear(CONNECTION)

    assert delays == [5, 10, 20, 40, 80, 160, 320, 640, 900]
    assert (hint.attempts, hint.reason) == (9, HintReason.RETRY)


def test_a_wait_that_connectwise_asked_for_is_kept(bench: Bench) -> None:
    bench.psa.fail("fetch_invoices", ThrottledError("wait", retry_after_seconds=120))

    bench.hint(INVOICE, 1001)

    due_at = bench.hints.next_due_at()
    assert due_at is not None
    assert (due_at - bench.clock.now()).total_seconds() == 120


def test_a_hint_that_waited_too_often_is_handed_back_to_be_parked(bench: Bench) -> None:
    bench.psa.fail("fetch_invoices", UnavailableError("down"))
    tired, fresh = a_hint(1001, attempts=MAX_HINT_ATTEMPTS - 1), a_hint(1002)

    assert bench.hint_processor.process([tired, fresh]) == (tired,)

    assert [hint.source_id for hint in bench.hints.sent] == [1002]


def test_an_outage_is_one_problem_however_many_records_it_keeps(bench: Bench) -> None:
    # Given two days without an answer, and changed records whose hints end in vain
    bench.psa.fail("fetch_invoices", UnavailableError("down"), times=40)
    bench.psa.fail("read_system_info", UnavailableError("down"), times=40)
    tired = [a_hint(i, attempts=MAX_HINT_ATTEMPTS - 1) for i in range(1001, 1101)]

    for start in range(0, len(tired), 10):
        assert bench.hint_processor.process(tired[start : start + 10]) == ()

    # Then one problem tells of it, and the server is asked once: the others wait
    (problem,) = bench.open_problems().values()
    assert (problem.code, problem.subject) == (ProblemCode.CONNECTWISE_UNREACHABLE, "connection")
    assert bench.psa.calls.count("fetch_invoices") == 1
    assert len(bench.hints.waiting) == 90


def test_the_problem_of_an_outage_ends_with_the_next_good_reading(bench: Bench) -> None:
    bench.psa.fail("fetch_invoices", UnavailableError("down"))
    bench.psa.fail("read_system_info", UnavailableError("down"))
    bench.hint_processor.process([a_hint(attempts=MAX_HINT_ATTEMPTS - 1)])
    bench.clock.advance(minutes=1)

    bench.hint(INVOICE, 1002)

    assert bench.open_problems() == {}


def test_what_an_outage_kept_out_is_brought_by_the_next_delta(bench: Bench) -> None:
    bench.run(RunKind.INVOICES)
    bench.clock.advance(seconds=3600)
    bench.psa.put(an_invoice(1001, balance_minor=4000))
    bench.psa.fail("fetch_invoices", UnavailableError("down"))
    bench.psa.fail("read_system_info", UnavailableError("down"))
    bench.hint_processor.process([a_hint(attempts=MAX_HINT_ATTEMPTS - 1)])

    bench.run(RunKind.INVOICES)

    assert bench.invoice(1001).balance_minor == 4000
    assert bench.open_problems() == {}


def test_waiting_hints_end_well_when_connectwise_is_back(bench: Bench) -> None:
    bench.psa.fail("fetch_invoices", UnavailableError("down"), times=6)

    bench.hint(INVOICE, 1001)
    bench.work_off_hints()

    assert bench.invoice(1001) == an_invoice(1001)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CredentialsRejectedError("no"), ProblemCode.CREDENTIALS_REJECTED),
        (PermissionMissingError("no"), ProblemCode.RIGHT_MISSING),
    ],
)
def test_a_connection_that_is_turned_away_is_degraded_and_its_hints_dropped(
    bench: Bench, error: BridgeError, code: ProblemCode
) -> None:
    bench.psa.fail("fetch_invoices", error)

    assert bench.hint(INVOICE, 1001) == ()

    assert bench.connection.state is ConnectionState.DEGRADED
    assert {problem for problem, _ in bench.open_problems()} == {code}
    assert bench.hints.waiting == []


def test_the_delta_after_the_repair_brings_what_such_hints_were_about(bench: Bench) -> None:
    bench.run(RunKind.IMPORT)
    bench.clock.advance(hours=1)
    bench.psa.put(an_invoice(1001, reference="changed"))
    bench.psa.fail("fetch_invoices", CredentialsRejectedError("no"))
    bench.hint(INVOICE, 1001)

    bench.run(RunKind.INVOICES)

    assert bench.invoice(1001).reference == "changed"


@pytest.mark.parametrize("state", [ConnectionState.DISCONNECTED, ConnectionState.VERIFYING])
def test_hints_of_a_connection_that_does_not_sync_are_dropped(
    bench: Bench, state: ConnectionState
) -> None:
    bench.change_connection(state=state)

    assert bench.hint(INVOICE, 1001) == ()

    assert bench.psa.calls == []


# --- one bad apple --------------------------------------------------------------------------------


def with_other_connection(bench: Bench) -> FakePsa:
    """Another partner's connection, with a ConnectWise of its own."""
    bench.connect(a_connection(OTHER_CONNECTION, partner_id=OTHER_PARTNER))
    other = FakePsa(bench.clock)
    bench.fake_gateway.others[OTHER_CONNECTION] = other
    return other


@pytest.mark.parametrize(
    "error", [RefusedError("InvalidField"), RuntimeError("a mistake of ours")], ids=repr
)
def test_one_connections_failure_does_not_touch_another_partners_hints(
    bench: Bench, error: Exception
) -> None:
    with_other_connection(bench).fail("fetch_invoices", error)
    foreign = Hint(OTHER_CONNECTION, INVOICE, 5, HintReason.CALLBACK)

    assert bench.hint_processor.process([foreign, a_hint()]) == (foreign,)

    assert bench.invoice(1001) == an_invoice(1001)


def test_a_record_that_fails_for_good_does_not_take_the_batch_with_it(bench: Bench) -> None:
    refused = RefusedError("InvalidField")
    bench.psa.fail("fetch_invoices", refused, times=2)

    assert bench.hint_processor.process([a_hint(1001), a_hint(1002)]) == (a_hint(1001),)

    assert bench.invoice(1002) == an_invoice(1002)


# --- PDFs -----------------------------------------------------------------------------------------


def test_the_pdf_of_an_open_invoice_that_changed_is_asked_for(bench: Bench) -> None:
    bench.psa.put(a_paid_invoice(1003))

    bench.hint(INVOICE, 1001, 1003)
    bench.hint(INVOICE, 1001)

    assert bench.pdf_queue.sent == [PdfRequest(CONNECTION, mirrored_id(CONNECTION, 1001))]


def test_records_that_do_not_fit_into_memory_together_are_read_apart(bench: Bench) -> None:
    bench.psa.put(an_invoice(1002), an_invoice(1003))
    bench.psa.fail("fetch_invoices", TooMuchTogetherError("too much"))

    assert bench.hint(INVOICE, 1001, 1002, 1003) == ()

    assert [bench.invoice(each).source_id for each in (1001, 1002, 1003)] == [1001, 1002, 1003]
    assert {(1001,), (1002,), (1003,)} <= set(bench.psa.fetched_ids)
