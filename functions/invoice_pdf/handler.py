"""The function fetches requested PDFs from ConnectWise, checks and keeps them in the bucket."""

from functools import cache

from bridge.connections.site_turns import STEP_SECONDS
from bridge.entrypoints.batches import pdf_requests_in
from bridge.entrypoints.entry import Event, step_entry
from bridge.mirror.pdf_keeper import PdfKeeper
from bridge.wiring import use_cases
from bridge.wiring.adapters import Adapters
from invoice_pdf.settings import InvoicePdfSettings


@cache
def _keeper() -> PdfKeeper:
    return use_cases.pdf_keeper(Adapters(InvoicePdfSettings.from_environment()))


@step_entry(STEP_SECONDS)
def lambda_handler(event: Event) -> Event:
    """Return the ids of the messages that are to be delivered again."""
    return pdf_requests_in(event).work_each(_keeper().keep)
