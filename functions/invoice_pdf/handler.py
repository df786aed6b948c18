"""The function fetches requested PDFs from ConnectWise, checks and keeps them in the bucket."""

from functools import cache

from bridge.entrypoints.batches import pdf_requests_in
from bridge.entrypoints.entry import Event, function_entry
from bridge.mirror.pdf_keeper import PdfKeeper
from bridge.wiring import use_cases
from bridge.wiring.adapters import Adapters
from invoice_pdf.settings import SHARE_OF_TIME, InvoicePdfSettings


@cache
def _keeper() -> PdfKeeper:
    adapters = Adapters(InvoicePdfSettings.from_environment(), share_of_time=SHARE_OF_TIME)
    return use_cases.pdf_keeper(adapters)


@function_entry
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are to be delivered again."""
    return pdf_requests_in(event).work_each(_keeper().keep)
