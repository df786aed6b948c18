"""Balances add up after any sequence of operations."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectwise_sandbox.errors import ApiError
from connectwise_sandbox.in_process_client import PsaClient
from connectwise_sandbox.kinds import Kind

amounts = st.decimals("0.001", "500", places=3)


class Books(RuleBasedStateMachine):
    """Everything that moves money, in any order, in currencies of 0, 2 and 3 decimals."""

    def __init__(self) -> None:
        super().__init__()
        self.psa = PsaClient(invoices=3)
        self.invoice_ids: list[int] = []
        self.random_index = 0

    def pick(self, index: int) -> int:
        return self.invoice_ids[index % len(self.invoice_ids)]

    @rule(amount=amounts, decimals=st.sampled_from([0, 2, 3]))
    def bill(self, amount: Decimal, decimals: int) -> None:
        self.invoice_ids.append(self.psa.bill(str(amount), decimals=decimals))

    @precondition(lambda self: self.invoice_ids)
    @rule(index=st.integers(0, 9), amount=amounts)
    def pay(self, index: int, amount: Decimal) -> None:
        self.psa.pay(self.pick(index), str(amount))

    @precondition(lambda self: self.invoice_ids)
    @rule(index=st.integers(0, 9), amount=amounts)
    def credit(self, index: int, amount: Decimal) -> None:
        with suppress(ApiError):
            self.psa.people.apply_credit(self.pick(index), amount)

    @precondition(lambda self: self.invoice_ids)
    @rule(index=st.integers(0, 9), total=amounts)
    def change_total(self, index: int, total: Decimal) -> None:
        self.psa.people.change_total(self.pick(index), total)

    @precondition(lambda self: self.invoice_ids)
    @rule(index=st.integers(0, 9))
    def rewrite(self, index: int) -> None:
        self.psa.people.rewrite_payments(self.pick(index))

    @precondition(lambda self: len(self.psa.tenant.store[Kind.PAYMENT]) > 0)
    @rule(index=st.integers(0, 99))
    def delete_payment(self, index: int) -> None:
        rows = list(self.psa.tenant.store[Kind.PAYMENT])
        row = rows[index % len(rows)]
        self.psa.people.delete_payment(row["invoice"]["id"], row["id"])

    @precondition(lambda self: len(self.invoice_ids) > 1)
    @rule(index=st.integers(0, 9))
    def delete_invoice(self, index: int) -> None:
        invoice_id = self.pick(index)
        self.invoice_ids.remove(invoice_id)
        self.psa.people.delete_invoice(invoice_id)

    @precondition(lambda self: self.invoice_ids)
    @rule(
        index=st.integers(0, 9),
        second=st.sampled_from(["appended", "replaces", "refused"]),
        over=st.sampled_from(["accepted", "capped", "refused"]),
    )
    def set_switches(self, index: int, second: str, over: str) -> None:
        self.psa.switch(second_payment=second, overpayment=over)

    @invariant()
    def balances_follow_from_the_rows(self) -> None:
        store = self.psa.tenant.store
        for invoice in store[Kind.INVOICE]:
            rows = [row for row in store[Kind.PAYMENT] if row["invoice"]["id"] == invoice["id"]]
            given = [
                row["amount"]
                for row in store[Kind.PAYMENT]
                if row.get("credit", {}).get("id") == invoice["id"]
            ]
            cash = sum((row["amount"] for row in rows if "credit" not in row), Decimal(0))
            credit = sum((row["amount"] for row in rows if "credit" in row), Decimal(0))
            assert invoice["payments"] == cash
            assert invoice["credits"] == credit - sum(given, Decimal(0))
            assert invoice["balance"] == invoice["total"] - invoice["payments"] - invoice["credits"]


Books.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestBooks = Books.TestCase
