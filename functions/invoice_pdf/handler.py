"""SQS requests for PDFs: fetch each from ConnectWise, check it, keep it in the bucket."""

from functools import cache

from bridge.runtime.batches import pdf_requests_in
from bridge.runtime.bootstrap import build_pdf_keeper
from bridge.runtime.entry import Event, function_entry
from bridge.sync.pdf import PdfKeeper
from invoice_pdf.settings import InvoicePdfSettings


@cache
def _keeper() -> PdfKeeper:
    return build_pdf_keeper(InvoicePdfSettings.from_environment())


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are to be delivered again."""
    return pdf_requests_in(event).work_each(_keeper().keep)
