"""PDFs are kept by content, as ConnectWise renders them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.connections.silent_servers import FIRST_WAIT
from bridge.connections.site_turns import PLACES_OF_A_PARTNER
from bridge.domain.connection import ConnectionState
from bridge.domain.customer import Archive, ArchiveReason
from bridge.domain.errors import (
    LeftAloneError,
    MalformedRecordError,
    PermissionMissingError,
    UnavailableError,
)
from bridge.domain.hint import HintReason
from bridge.domain.identity import RecordKind, mirrored_id
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.problem import ProblemCode
from bridge.domain.work_messages import PdfRequest
from bridge.mirror.pdf_keeper import MAX_PUT_OFFS, pdf_key
from bridge.ports import Activity
from tests.builders.records import CONNECTION, PARTNER, a_customer, an_invoice
from tests.fakes.clock import START
from tests.unit.mirror.bench import Bench
from tests.unit.mirror.psa import PDF

REQUEST = PdfRequest(CONNECTION, mirrored_id(CONNECTION, 1001))
PROBLEM = (ProblemCode.PDF_UNAVAILABLE, "invoice/1001")


@pytest.fixture(autouse=True)
def mirrored(bench: Bench) -> None:
    bench.psa.put(a_customer(), an_invoice())
    bench.hint(RecordKind.INVOICE, 1001)
    bench.psa.calls.clear()
    bench.pdf_queue.waiting.clear()


def test_the_pdf_is_fetched_and_kept(bench: Bench) -> None:
    bench.pdf_keeper.keep(REQUEST)

    stored = bench.records.get(INVOICES, PARTNER, REQUEST.invoice_id)
    key = pdf_key(bench.invoice(1001), stored.change_fingerprint)
    assert bench.documents.contents == {key: PDF}
    assert key.startswith(f"{PARTNER}/{REQUEST.invoice_id}/")


def test_a_pdf_that_is_kept_is_not_fetched_again(bench: Bench) -> None:
    bench.pdf_keeper.keep(REQUEST)
    bench.pdf_keeper.keep(REQUEST)

    assert bench.psa.calls == ["fetch_invoice_pdf"]


def test_another_content_is_another_pdf(bench: Bench) -> None:
    bench.pdf_keeper.keep(REQUEST)
    bench.psa.put(an_invoice(balance_minor=100))
    bench.hint(RecordKind.INVOICE, 1001)

    bench.pdf_keeper.keep(REQUEST)

    assert len(bench.documents.contents) == 2


def test_archiving_an_invoice_does_not_change_what_is_printed() -> None:
    archived = an_invoice(archive=Archive(ArchiveReason.BY_PERSON, START))

    assert pdf_key(archived, "marks") == pdf_key(an_invoice(), "marks")
    assert pdf_key(archived, "marks") != pdf_key(archived, "later marks")


def test_a_pdf_is_renewed_when_connectwise_dates_the_invoice_anew(bench: Bench) -> None:
    bench.pdf_keeper.keep(REQUEST)
    stored = bench.records.get(INVOICES, PARTNER, REQUEST.invoice_id)
    invoice = bench.invoice(1001)
    bench.records.save(
        invoice, expected_version=stored.version, change_fingerprint="a later date of change"
    )

    bench.pdf_keeper.keep(REQUEST)

    assert len(bench.documents.contents) == 2


@pytest.mark.parametrize("reason", ["is not a PDF", "is too large (20 MB at most)"])
def test_an_answer_that_is_no_pdf_is_a_problem_that_says_why(bench: Bench, reason: str) -> None:
    bench.psa.pdfs[1001] = MalformedRecordError(reason, field="pdf")

    bench.pdf_keeper.keep(REQUEST)

    assert bench.open_problems()[PROBLEM].detail == (
        f"What ConnectWise prints for invoice INV-1001 {reason}. Open its PDF in ConnectWise, "
        "correct the invoice template there, and try again."
    )
    assert bench.documents.contents == {}


def test_the_problem_closes_when_the_pdf_is_there(bench: Bench) -> None:
    bench.psa.pdfs[1001] = MalformedRecordError("the document is no PDF")
    bench.pdf_keeper.keep(REQUEST)
    bench.psa.pdfs.clear()

    bench.pdf_keeper.keep(REQUEST)

    assert bench.open_problems() == {}


def test_the_problem_closes_even_when_another_worker_kept_the_pdf(bench: Bench) -> None:
    """A message is parked some time after its last try; meanwhile another may have succeeded."""
    bench.pdf_keeper.keep(REQUEST)
    bench.failed_messages.park_pdf(REQUEST)

    bench.pdf_keeper.keep(REQUEST)

    assert bench.open_problems() == {}


# --- turns -------------------------------------------------------------------------------------


def hold_places(bench: Bench) -> None:
    """Let other workers hold the partner's places for a minute."""
    until = bench.clock.now() + timedelta(minutes=1)
    for _ in range(PLACES_OF_A_PARTNER):
        assert bench.partner_places.take(
            PARTNER, Activity.PDF, places=PLACES_OF_A_PARTNER, until=until
        )


def test_without_a_place_a_pdf_is_asked_for_again_later(bench: Bench) -> None:
    hold_places(bench)

    bench.pdf_keeper.keep(replace(REQUEST, times_put_off=3))

    assert bench.psa.calls == []
    (waiting,) = bench.pdf_queue.waiting
    assert waiting.body == replace(REQUEST, times_put_off=4)
    assert waiting.due_at > bench.clock.now()
    bench.clock.advance(minutes=1)
    bench.pdf_keeper.keep(waiting.body)
    assert len(bench.documents.contents) == 1


def test_what_is_kept_already_needs_no_place(bench: Bench) -> None:
    bench.pdf_keeper.keep(REQUEST)
    hold_places(bench)

    bench.pdf_keeper.keep(REQUEST)

    assert bench.pdf_queue.waiting == []


def test_after_silence_the_other_pdfs_wait_as_long_as_the_server_is_left_alone(
    bench: Bench,
) -> None:
    bench.psa.pdfs[1001] = UnavailableError("down")
    with pytest.raises(UnavailableError):
        bench.pdf_keeper.keep(REQUEST)
    bench.psa.calls.clear()

    bench.pdf_keeper.keep(REQUEST)

    assert bench.psa.calls == []
    (waiting,) = bench.pdf_queue.waiting
    assert waiting.due_at - bench.clock.now() == FIRST_WAIT


def test_a_pdf_whose_server_was_silent_for_hours_fails_so_that_a_person_sees_it(
    bench: Bench,
) -> None:
    bench.psa.pdfs[1001] = UnavailableError("down")
    with pytest.raises(UnavailableError):
        bench.pdf_keeper.keep(REQUEST)

    with pytest.raises(LeftAloneError):
        bench.pdf_keeper.keep(replace(REQUEST, times_put_off=MAX_PUT_OFFS))

    assert bench.pdf_queue.waiting == []


def test_a_wait_for_a_place_is_never_a_failure(bench: Bench) -> None:
    hold_places(bench)

    bench.pdf_keeper.keep(replace(REQUEST, times_put_off=10 * MAX_PUT_OFFS))

    assert len(bench.pdf_queue.waiting) == 1


# --- what else may come ------------------------------------------------------------------------


def test_an_invoice_that_is_gone_becomes_a_hint(bench: Bench) -> None:
    bench.psa.delete(RecordKind.INVOICE, 1001)

    bench.pdf_keeper.keep(REQUEST)

    assert [(hint.source_id, hint.reason) for hint in bench.hints.sent] == [
        (1001, HintReason.CONFLICT)
    ]
    assert bench.open_problems() == {}


def test_connectwise_out_of_reach_is_tried_again_by_the_queue(bench: Bench) -> None:
    bench.psa.fail("fetch_invoice_pdf", UnavailableError("down"))

    with pytest.raises(UnavailableError):
        bench.pdf_keeper.keep(REQUEST)


def test_a_connection_that_is_turned_away_is_degraded(bench: Bench) -> None:
    bench.psa.fail("fetch_invoice_pdf", PermissionMissingError("no"))

    bench.pdf_keeper.keep(REQUEST)

    assert bench.connection.state is ConnectionState.DEGRADED


@pytest.mark.parametrize("invoice_id", ["a" * 32, mirrored_id(CONNECTION, 4711)])
def test_an_invoice_that_is_not_mirrored_has_no_pdf(bench: Bench, invoice_id: str) -> None:
    bench.pdf_keeper.keep(PdfRequest(CONNECTION, invoice_id))

    assert bench.psa.calls == []


@pytest.mark.parametrize("is_gone", [True, False])
def test_the_problem_closes_with_the_content_that_could_not_be_printed(
    bench: Bench, is_gone: bool
) -> None:
    bench.psa.pdfs[1001] = MalformedRecordError("the document is no PDF")
    bench.pdf_keeper.keep(REQUEST)
    if is_gone:
        bench.psa.delete(RecordKind.INVOICE, 1001)
    else:
        bench.psa.put(an_invoice(reference="changed"))

    bench.hint(RecordKind.INVOICE, 1001)

    assert bench.open_problems() == {}


def test_asking_again_for_an_archived_invoice_closes_the_problem(bench: Bench) -> None:
    bench.psa.delete(RecordKind.INVOICE, 1001)
    bench.hint(RecordKind.INVOICE, 1001)
    bench.failed_messages.park_pdf(REQUEST)

    bench.pdf_keeper.keep(REQUEST)

    assert bench.open_problems() == {}


def test_an_archived_invoice_is_not_rendered_any_more(bench: Bench) -> None:
    archived = replace(bench.invoice(1001), archive=Archive(ArchiveReason.BY_PERSON, START))
    bench.records.save(archived, expected_version=1)

    bench.pdf_keeper.keep(REQUEST)

    assert bench.psa.calls == []


def test_a_disconnected_connection_is_left_alone(bench: Bench) -> None:
    bench.change_connection(state=ConnectionState.DISCONNECTED)

    bench.pdf_keeper.keep(REQUEST)

    assert bench.psa.calls == []
