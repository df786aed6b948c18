"""Several kinds of record share these closed lists of values."""

from __future__ import annotations

from typing import Literal

BillingOption = Literal["Billable", "DoNotBill", "NoCharge", "NoDefault"]
BillableOption = Literal["Billable", "DoNotBill", "NoCharge"]
InvoiceType = Literal[
    "Agreement", "CreditMemo", "DownPayment", "Miscellaneous", "Progress", "Standard"
]
PaymentSource = Literal["Default", "WisePay"]
YearCycle = Literal["ContractYear", "CalendarYear"]
