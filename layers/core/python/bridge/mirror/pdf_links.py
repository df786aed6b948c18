"""An invoice's PDF is linked here, or requested if it is missing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.errors import NotFoundError, NotPossibleError
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.problem import ProblemCode, ProblemReport, ProblemState, record_subject
from bridge.domain.work_messages import PdfRequest
from bridge.mirror.pdf_keeper import pdf_key
from bridge.ports import Clock, DocumentStore, PdfQueue, ProblemStore, RecordStore

LINK_LIFETIME_SECONDS = 300
_UNSAFE_IN_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class PdfLink:
    """A URL that lets every holder download a PDF."""

    url: str
    expires_at: datetime
    """The end of the URL's validity (UTC)."""


class PdfLinks:
    """PDF links lead to the PDFs of mirrored invoices; only these have one."""

    def __init__(
        self,
        *,
        owned: OwnedConnections,
        records: RecordStore,
        problems: ProblemStore,
        documents: DocumentStore,
        pdfs: PdfQueue,
        clock: Clock,
    ) -> None:
        self._owned = owned
        self._records = records
        self._problems = problems
        self._documents = documents
        self._pdfs = pdfs
        self._clock = clock

    def link(self, partner_id: str, invoice_id: str) -> PdfLink | None:
        """Return a link to the PDF of the present content, or request it and return None.

        Raises NotFoundError for an unknown or platform-only invoice, and NotPossibleError when a
        missing PDF is out of reach: the invoice is archived, its connection stopped syncing, or
        an earlier fetch left an open problem.
        """
        stored = self._records.get(INVOICES, partner_id, invoice_id)
        invoice = stored.value
        if invoice is None or invoice.source_id is None:
            raise NotFoundError("no such mirrored invoice")
        key = pdf_key(invoice, stored.change_fingerprint)
        if self._documents.has_pdf(key):
            expires_at = self._clock.now() + timedelta(seconds=LINK_LIFETIME_SECONDS)
            url = self._documents.presign_pdf(
                key, file_name=_file_name(invoice), lifetime_seconds=LINK_LIFETIME_SECONDS
            )
            return PdfLink(url, expires_at)
        self._request_pdf(partner_id, invoice)
        return None

    def _request_pdf(self, partner_id: str, invoice: Invoice) -> None:
        if invoice.archive:
            raise NotPossibleError("archived_record", "The PDF of an archived invoice is not kept.")
        connection = self._owned.get_syncing(partner_id, invoice.connection_id or "")
        problem = self._problems.get(partner_id, self._problem_report(invoice).problem_id)
        if problem and problem.state is ProblemState.OPEN:
            raise NotPossibleError(
                "pdf_unavailable",
                "ConnectWise gave no readable PDF; the problem offers another try.",
                subject_id=problem.problem_id,
            )
        request = PdfRequest(connection.connection_id, invoice.invoice_id)
        self._pdfs.send([request], partner_id=connection.partner_id)

    @staticmethod
    def _problem_report(invoice: Invoice) -> ProblemReport:
        return ProblemReport(
            invoice.partner_id,
            invoice.connection_id or "",
            ProblemCode.PDF_UNAVAILABLE,
            record_subject(RecordKind.INVOICE, invoice.source_id or 0),
        )


def _file_name(invoice: Invoice) -> str:
    """Return a name, safe in any file system, from the invoice number, which is a free text."""
    number = _UNSAFE_IN_FILE_NAME.sub("-", invoice.number).strip("-.")[:80]
    return f"invoice-{number or invoice.source_id}.pdf"
