"""The printed invoice: its first bytes say whether it is a PDF, whatever the server calls it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.call_limits import PDF as PDF_LIMITS
from bridge.connectwise.egress import TOO_LARGE, GuardedTransport, UnsafeAnswerError
from bridge.connectwise.invoices import InvoiceReader
from bridge.domain.errors import MalformedRecordError, UnavailableError
from tests.unit.connectwise.bench import Step, bench
from tests.unit.connectwise.books import OWNER
from tests.unit.connectwise.scripted_network import ScriptedNetwork, answer_of

PDF = b"%PDF-1.7\n"


def fetched(*steps: Step) -> bytes:
    client = bench(*steps).client()
    return InvoiceReader(client, BulkReader(client), OWNER).fetch_pdf(7)


def served(content: bytes) -> bytes:
    """Fetch a PDF that a server sends, by the real way out."""
    network = ScriptedNetwork(lambda _: answer_of(iter([content])))
    client = bench().client(GuardedTransport(resolver=lambda _: ("52.1.2.3",), backend=network))
    return InvoiceReader(client, BulkReader(client), OWNER).fetch_pdf(7)


def answer(content: bytes, content_type: str) -> httpx.Response:
    return httpx.Response(200, content=content, headers={"Content-Type": content_type})


def refusal(fetch: Callable[[], bytes]) -> str:
    with pytest.raises(MalformedRecordError) as raised:
        fetch()
    return raised.value.reason


@pytest.mark.parametrize(
    "content_type", ["application/pdf", "application/octet-stream", "text/html", "x", ""]
)
def test_a_pdf_may_be_labelled_in_any_way(content_type: str) -> None:
    assert fetched(answer(PDF, content_type)) == PDF


@pytest.mark.parametrize("content", [b"", b"<html>%PDF-</html>", b"%PD"])
def test_what_begins_otherwise_is_not_a_pdf(content: bytes) -> None:
    assert refusal(lambda: fetched(answer(content, "application/pdf"))) == "is not a PDF"


def test_a_pdf_of_20_megabytes_is_kept_and_a_larger_one_is_too_large() -> None:
    largest = PDF.ljust(PDF_LIMITS.answer_bytes, b" ")

    assert served(largest) == largest
    assert refusal(lambda: served(largest + b" ")) == "is too large (20 MB at most)"


def test_a_pdf_that_the_way_out_cuts_off_is_too_large() -> None:
    cut_off: list[Step] = [UnsafeAnswerError(TOO_LARGE)] * 9

    assert refusal(lambda: fetched(*cut_off)) == "is too large (20 MB at most)"


def test_an_answer_that_does_not_come_is_asked_for_again_later() -> None:
    with pytest.raises(UnavailableError):
        fetched(*[httpx.ReadError("cut")] * 9)
