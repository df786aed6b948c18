"""Archiving models show the records that filters took out of the open view."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from bridge.domain.archiving import Archiving
from bridge.domain.mirrored_kinds import CUSTOMERS, INVOICES
from bridge.mirror.filter_archive import ArchivingStep
from dashboard_api.models.filters import FiltersView
from dashboard_api.models.values import Input, View


class UndoInput(Input):
    """An undo names the archiving to take back."""

    undo_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}T[0-9]{12}Z$")]


class NotedArchivingView(View):
    """A noted archiving tells when, by which filters and how much was archived."""

    undo_id: str
    at: datetime
    filters: FiltersView
    customer_count: int
    invoice_count: int
    may_be_undone: bool
    undone_at: datetime | None

    @classmethod
    def of(cls, archiving: Archiving) -> NotedArchivingView:
        return cls(
            undo_id=archiving.undo_id,
            at=archiving.at,
            filters=FiltersView.of(archiving.filters),
            customer_count=archiving.customer_count,
            invoice_count=archiving.invoice_count,
            may_be_undone=archiving.may_be_undone,
            undone_at=archiving.undone_at,
        )


class ArchivingList(View):
    """A list of archivings holds the latest hundred."""

    items: list[NotedArchivingView]

    @classmethod
    def of(cls, archivings: Iterable[Archiving]) -> ArchivingList:
        return cls(items=[NotedArchivingView.of(each) for each in archivings])


class ArchivingView(View):
    """An archiving counts the records that this request archived or brought back.

    It comes in parts: repeat with ``next_cursor`` until it is null.
    """

    undo_id: str = Field(description="The same over all parts.")
    customer_count: int
    invoice_count: int
    contested_count: int = Field(description="Records that changed meanwhile and were left alone.")
    next_cursor: str | None

    @classmethod
    def of(cls, step: ArchivingStep) -> ArchivingView:
        return cls(
            undo_id=step.undo_id,
            customer_count=step.counts[CUSTOMERS.plural],
            invoice_count=step.counts[INVOICES.plural],
            contested_count=step.contested,
            next_cursor=step.next_cursor,
        )
