"""PDFs of invoices are fetched and kept here, as ConnectWise renders them."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, replace

from bridge.connections.health import CONNECTION_ERRORS, ConnectionHealth
from bridge.connections.site_turns import SiteTurns, put_off_seconds
from bridge.domain.connection import Connection
from bridge.domain.errors import (
    LeftAloneError,
    MalformedRecordError,
    NotFoundError,
    NotItsTurnError,
)
from bridge.domain.hint import Hint, HintReason
from bridge.domain.identity import RecordKind
from bridge.domain.invoice import Invoice
from bridge.domain.mirrored_kinds import INVOICES
from bridge.domain.problem import PDFS_SUBJECT, ProblemCode, record_subject
from bridge.domain.work_messages import PdfRequest
from bridge.log_fields import add_log_fields
from bridge.ports import (
    Clock,
    ConnectionStore,
    DocumentStore,
    HintQueue,
    PdfQueue,
    ProblemStore,
    PsaGateway,
    RecordStore,
)

MAX_PUT_OFFS = 40
"""At a quarter of an hour each, a silent server is waited for about as long as by a run."""


def pdf_key(invoice: Invoice, change_fingerprint: str) -> str:
    """Return the storage key of the PDF of exactly this content.

    The key is computed from every field of ours that may be printed, and from the change
    fingerprint, which moves with everything else of the invoice. So it leads to a PDF of the
    present content only, and is left out of the stored record.
    """
    printed = astuple(replace(invoice, archive=None))
    digest = hashlib.sha256(repr((printed, change_fingerprint)).encode()).hexdigest()
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
        turns: SiteTurns,
        hints: HintQueue,
        pdfs: PdfQueue,
        problems: ProblemStore,
        health: ConnectionHealth,
        clock: Clock,
    ) -> None:
        self._connections = connections
        self._records = records
        self._documents = documents
        self._gateway = gateway
        self._turns = turns
        self._hints = hints
        self._pdfs = pdfs
        self._problems = problems
        self._health = health
        self._clock = clock

    def keep(self, request: PdfRequest) -> None:
        """Fetch and keep one PDF when it is the partner's turn; else ask for it again later.

        An invoice missing in ConnectWise becomes a hint. An answer other than a PDF becomes a
        problem, which closes when the PDF is kept or the invoice is archived. Raises
        RetryableError when ConnectWise is out of reach, and when it was left alone for hours.
        """
        connection = self._connections.get(request.connection_id).value
        if connection is None or not connection.is_syncing:
            return
        stored = self._records.get(INVOICES, connection.partner_id, request.invoice_id)
        invoice = stored.value
        if invoice is None or invoice.source_id is None:
            return
        key = pdf_key(invoice, stored.change_fingerprint)
        subject = record_subject(RecordKind.INVOICE, invoice.source_id)
        report = connection.report(ProblemCode.PDF_UNAVAILABLE, subject)
        if invoice.archive or self._documents.has_pdf(key):
            self._problems.resolve(connection.partner_id, report.problem_id, self._clock.now())
            return
        add_log_fields(partner_id=connection.partner_id, source_ids=(invoice.source_id,))
        try:
            with self._turns.turn(connection.partner_id, connection.connection_id):
                content = self._gateway.open(connection).fetch_invoice_pdf(invoice.source_id)
        except NotItsTurnError as error:
            self._put_off(connection, request, error)
        except NotFoundError:
            hint = Hint(
                connection.connection_id,
                RecordKind.INVOICE,
                invoice.source_id,
                HintReason.CONFLICT,
                partner_id=connection.partner_id,
            )
            self._hints.send([hint])
        except MalformedRecordError as error:
            detail = _complaint(invoice, error)
            self._problems.report(replace(report, detail=detail), self._clock.now())
        except CONNECTION_ERRORS as error:
            self._health.report_failure(connection, error)
        else:
            self._documents.put_pdf(key, content)
            outage = connection.report(ProblemCode.CONNECTWISE_UNREACHABLE, PDFS_SUBJECT)
            for ended in (report, outage):
                self._problems.resolve(connection.partner_id, ended.problem_id, self._clock.now())

    def _put_off(self, connection: Connection, request: PdfRequest, error: NotItsTurnError) -> None:
        """Ask for the PDF again later. After hours of silence the queue takes it for failed, so
        that a person sees it."""
        if isinstance(error, LeftAloneError) and request.times_put_off >= MAX_PUT_OFFS:
            raise error
        later = replace(request, times_put_off=request.times_put_off + 1)
        delay_seconds = put_off_seconds(error, request.times_put_off)
        self._pdfs.send([later], partner_id=connection.partner_id, delay_seconds=delay_seconds)


def _complaint(invoice: Invoice, error: MalformedRecordError) -> str:
    name = f"invoice {invoice.number}" if invoice.number else f"invoice id {invoice.source_id}"
    return (
        f"What ConnectWise prints for {name} {error.reason}. Open its PDF in ConnectWise, correct "
        "the invoice template there, and try again."
    )
