"""Selection models show the invoices of a selection added up."""

from __future__ import annotations

from pydantic import Field

from bridge.figures.selection_sums import SelectionSums
from dashboard_api.models.values import AmountView, View


class SelectionSumView(View):
    """The invoices of a selection in one currency, added up."""

    total: AmountView = Field(description="The invoices' totals; credit memos count below zero.")
    balance: AmountView = Field(description="What is still open; archived invoices are left out.")
    invoice_count: int = Field(description="How many invoices that is.")


class SelectionSumsView(View):
    """All invoices of a selection, added up by currency."""

    by_currency: list[SelectionSumView] = Field(description="One for each currency.")
    is_complete: bool = Field(
        description="False: the selection has more than 2,000 invoices, or finding them takes "
        'longer; read "more than".'
    )

    @classmethod
    def of(cls, sums: SelectionSums) -> SelectionSumsView:
        return cls(
            by_currency=[
                SelectionSumView(
                    total=AmountView.of(each.total_minor, each.currency),
                    balance=AmountView.of(each.balance_minor, each.currency),
                    invoice_count=each.invoice_count,
                )
                for each in sums.by_currency
            ],
            is_complete=sums.is_complete,
        )
