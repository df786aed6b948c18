"""PDFs of invoices are fetched and kept here, as ConnectWise renders them."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, replace

from bridge.connections.health import CONNECTION_ERRORS, ConnectionHealth
from bridge.domain.errors import MalformedRecordError, NotFoundError
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.problem import ProblemCode, record_subject
from bridge.domain.work_messages import PdfRequest
from bridge.ports import (
    Clock,
    ConnectionStore,
    DocumentStore,
    HintQueue,
    ProblemStore,
    PsaGateway,
    RecordStore,
)


def pdf_key(invoice: Invoice) -> str:
    """Return the storage key of the PDF of exactly this content.

    The key is computed from every field that may be printed, so it leads to a PDF of the present
    content only and is left out of the stored record.
    """
    printed = astuple(replace(invoice, archive=None))
    digest = hashlib.sha256(repr(printed).encode()).hexdigest()
    return f"{invoice.partner_id}/{invoice.invoice_id}/{digest[:32]}.pdf"


class PdfKeeper:
    """The keeper fetches the PDF of an invoice's present content, unless it is kept already."""

    def __init__(
        self,
        *,
        connections: ConnectionStore,
        records: RecordStore,
        documents: DocumentStore,
        gateway: PsaGateway,
        hints: HintQueue,
        problems: ProblemStore,
        health: ConnectionHealth,
        clock: Clock,
    ) -> None:
        self._connections = connections
        self._records = records
        self._documents = documents
        self._gateway = gateway
        self._hints = hints
        self._problems = problems
        self._health = health
        self._clock = clock

    def keep(self, request: PdfRequest) -> None:
        """Fetch and keep one PDF.

        An invoice missing in ConnectWise becomes a hint. An answer other than a PDF becomes a
        problem, which closes when the PDF is kept or the invoice is archived. Raises
        RetryableError when ConnectWise is out of reach.
        """
        connection = self._connections.get(request.connection_id).value
        if connection is None or not connection.is_syncing:
            return
        invoice = self._records.get(INVOICES, connection.partner_id, request.invoice_id).value
        if invoice is None or invoice.source_id is None:
            return
        key = pdf_key(invoice)
        subject = record_subject(RecordKind.INVOICE, invoice.source_id)
        report = connection.report(
            ProblemCode.PDF_UNAVAILABLE,
            subject,
            "ConnectWise answered with something that is not a PDF.",
        )
        if invoice.archive or self._documents.has_pdf(key):
            self._problems.resolve(connection.partner_id, report.problem_id, self._clock.now())
            return
        try:
            content = self._gateway.open(connection).fetch_invoice_pdf(invoice.source_id)
        except NotFoundError:
            hint = Hint(
                connection.connection_id,
                RecordKind.INVOICE,
                invoice.source_id,
                HintReason.CONFLICT,
            )
            self._hints.send([hint])
        except MalformedRecordError:
            self._problems.report(report, self._clock.now())
        except CONNECTION_ERRORS as error:
            self._health.report_failure(connection, error)
        else:
            self._documents.put_pdf(key, content)
            self._problems.resolve(connection.partner_id, report.problem_id, self._clock.now())
