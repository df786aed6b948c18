"""Payments that show another day, no member, ids out of order, late, and under locks."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from connectwise_sandbox.finance.balances import payments_of
from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.kinds import Kind

MEMBER = "AltPayBridge"


def ids(rows: Any) -> list[int]:
    return [row["id"] for row in rows]


# Days and members -------------------------------------------------------------------------------


@pytest.mark.parametrize("keeps_time", [False, True])
@pytest.mark.parametrize(
    ("shift", "day"), [(-1, "2026-02-28"), (0, "2026-03-01"), (1, "2026-03-02")]
)
def test_payments_may_show_a_shifted_day(shift: int, day: str, keeps_time: bool) -> None:
    psa = PsaClient(payment_day_shift=shift, payment_date_keeps_time=keeps_time)
    invoice_id = psa.bill()

    posted = psa.pay(invoice_id, 5, paymentDate="2026-03-01T18:04:26Z").json()

    (listed,) = psa.payments(invoice_id)
    read = psa.get(f"{INVOICES}/{invoice_id}/payments/{posted['id']}")
    shown = f"{day}T18:04:26Z" if keeps_time else f"{day}T00:00:00Z"
    assert posted["paymentDate"] == listed["paymentDate"] == read["paymentDate"] == shown


def test_a_shifted_day_is_not_stored_by_a_change_of_something_else() -> None:
    psa = PsaClient(payment_day_shift=-1)
    invoice_id = psa.bill()
    posted = psa.pay(invoice_id, 5, paymentDate="2026-03-01T00:00:00Z").json()

    psa.replace(f"{INVOICES}/{invoice_id}/payments/{posted['id']}", amount=6)

    (stored,) = payments_of(psa.tenant, invoice_id)
    assert (stored["paymentDate"], stored["amount"]) == ("2026-03-01T00:00:00Z", 6)


@pytest.mark.parametrize(
    ("shows", "in_answer", "in_list"),
    [("always", True, True), ("not_in_lists", True, False), ("never", False, False)],
)
def test_payments_may_hide_who_applied_them(shows: str, in_answer: bool, in_list: bool) -> None:
    psa = PsaClient(payment_shows_member=shows)
    invoice_id = psa.bill()

    posted = psa.pay(invoice_id, 5).json()

    (listed,) = psa.payments(invoice_id)
    read = psa.get(f"{INVOICES}/{invoice_id}/payments/{posted['id']}")
    assert ("appliedBy" in posted) is ("appliedBy" in read) is in_answer
    assert ("appliedBy" in listed) is in_list
    assert payments_of(psa.tenant, invoice_id)[0]["appliedBy"] == MEMBER


# Ids --------------------------------------------------------------------------------------------


def paid_ids(seed: int, rule: str, count: int = 150) -> list[int]:
    psa = PsaClient(seed=seed, payment_ids=rule)
    invoice_id = psa.bill(1_000)
    return [psa.pay(invoice_id, 1).json()["id"] for _ in range(count)]


def test_payment_ids_grow() -> None:
    grown = paid_ids(1, "growing")
    assert grown == sorted(set(grown))


def test_payment_ids_may_be_unique_in_no_order_and_the_same_for_a_seed() -> None:
    shuffled = paid_ids(1, "shuffled")

    assert len(set(shuffled)) == len(shuffled)
    falls = sum(later < earlier for earlier, later in pairwise(shuffled))
    assert falls > len(shuffled) / 4
    assert shuffled == paid_ids(1, "shuffled") != paid_ids(2, "shuffled")


def test_ids_stay_unique_when_the_rule_changes() -> None:
    psa = PsaClient()
    invoice_id = psa.bill(1_000)
    paid = []
    for round_number in range(40):
        psa.switch(payment_ids="shuffled" if round_number % 3 else "growing")
        paid.append(psa.pay(invoice_id, 1).json()["id"])

    assert len(set(paid)) == 40
    rows = psa.get(f"{INVOICES}/{invoice_id}/payments", pageSize=100)
    assert ids(rows) == sorted(paid)


# Late lists -------------------------------------------------------------------------------------


def test_a_list_of_payments_may_show_changes_later() -> None:
    psa = PsaClient(payment_list_delay_seconds=30)
    invoice_id = psa.bill()
    path = f"{INVOICES}/{invoice_id}/payments"

    payment_id = psa.pay(invoice_id, 5).json()["id"]

    assert psa.payments(invoice_id) == []
    assert psa.get(f"{path}/{payment_id}")["amount"] == 5
    assert psa.invoice(invoice_id)["balance"] == 95, "the balance has a delay of its own"
    psa.clock.advance(29)
    assert psa.payments(invoice_id) == []
    psa.clock.advance(1)
    assert ids(psa.payments(invoice_id)) == [payment_id]


def test_each_change_is_listed_after_its_own_delay() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    path = f"{INVOICES}/{invoice_id}/payments"
    payment_id = psa.pay(invoice_id, 5).json()["id"]
    psa.switch(payment_list_delay_seconds=30)

    psa.replace(f"{path}/{payment_id}", amount=6)
    psa.clock.advance(20)
    psa.send("DELETE", f"{path}/{payment_id}")

    seen = []
    for _ in range(3):
        seen.append([row["amount"] for row in psa.payments(invoice_id)])
        psa.clock.advance(15)
    assert seen == [[5], [6], []]
    assert psa.engine.next_due() is None


def test_a_late_list_of_one_invoice_holds_no_payment_of_another() -> None:
    psa = PsaClient()
    paid, other = psa.bill(), psa.bill()
    payment_id = psa.pay(paid, 5).json()["id"]
    psa.switch(payment_list_delay_seconds=30)

    psa.send("DELETE", f"{INVOICES}/{paid}/payments/{payment_id}")

    assert (ids(psa.payments(paid)), psa.payments(other)) == ([payment_id], [])


def test_payments_that_others_rewrite_are_listed_late_too() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    old_id = psa.pay(invoice_id, 5).json()["id"]
    psa.switch(payment_list_delay_seconds=30)

    (row,) = psa.people.rewrite_payments(invoice_id)

    assert ids(psa.payments(invoice_id)) == [old_id]
    psa.clock.advance(30)
    assert ids(psa.payments(invoice_id)) == [row["id"]]


def test_lists_and_counts_of_invoices_may_show_changes_later() -> None:
    psa = PsaClient()
    kept, gone = psa.bill(), psa.bill()
    psa.switch(invoice_list_delay_seconds=60)
    condition = f"id in ({kept},{gone}) and balance > 95"

    psa.pay(kept, 40)
    psa.people.delete_invoice(gone)
    new = psa.bill()

    assert psa.invoice(kept)["balance"] == 60
    assert [row["balance"] for row in psa.get(INVOICES)] == [100, 100]
    assert ids(psa.get(INVOICES, conditions=condition)) == [kept, gone]
    assert psa.get(f"{INVOICES}/count") == {"count": 2}
    psa.clock.advance(60)
    assert ids(psa.get(INVOICES)) == [kept, new]
    assert psa.get(INVOICES, conditions=condition) == []


def test_balance_and_list_lag_each_for_itself() -> None:
    psa = PsaClient(balance_delay_seconds=10, payment_list_delay_seconds=20)
    invoice_id = psa.bill()
    psa.pay(invoice_id, 40)

    seen = []
    for _ in range(3):
        seen.append((psa.invoice(invoice_id)["balance"], len(psa.payments(invoice_id))))
        psa.clock.advance(10)

    assert seen == [(100, 0), (60, 0), (60, 1)]


def test_the_truth_knows_no_lag() -> None:
    psa = PsaClient(payment_list_delay_seconds=30, invoice_list_delay_seconds=30)
    invoice_id = psa.bill()
    payment_id = psa.pay(invoice_id, 5).json()["id"]

    (told,) = psa.admin("GET", "/truth").json()["invoices"]

    assert [row["id"] for row in told["payment_rows"]] == [payment_id]
    assert told["balance"] == Decimal(95)
    assert psa.tenant.store[Kind.PAYMENT].get(payment_id) is not None


# Locks ------------------------------------------------------------------------------------------


class Locked:
    """A paid invoice that is closed, or closed and batched."""

    def __init__(self, lock: str, **switches: Any) -> None:
        self.psa = PsaClient(**switches)
        self.invoice_id = self.psa.bill()
        paid = self.psa.pay(self.invoice_id, 10).json()
        self.path = f"{INVOICES}/{self.invoice_id}/payments/{paid['id']}"
        self.psa.people.close_invoice(self.invoice_id)
        if lock == "batched":
            self.psa.people.batch_invoice(self.invoice_id)

    def statuses(self) -> tuple[int, int, int]:
        """What a POST, a PATCH and a DELETE of payments are answered."""
        return (
            self.psa.pay(self.invoice_id, 5).status,
            self.psa.replace(self.path, amount=11).status,
            self.psa.send("DELETE", self.path).status,
        )


TAKEN, REFUSED = (201, 200, 204), (400, 400, 400)


@pytest.mark.parametrize(
    ("lock", "switches", "statuses"),
    [
        ("closed", {}, TAKEN),
        ("closed", {"locked_invoice_payments": "refused"}, REFUSED),
        ("closed", {"batched_invoice_payments": "refused"}, TAKEN),
        ("batched", {}, TAKEN),
        ("batched", {"batched_invoice_payments": "refused"}, REFUSED),
        ("batched", {"locked_invoice_payments": "refused"}, TAKEN),
        (
            "closed",
            {"locked_invoice_payments": "refused", "locked_payment_deletions": "accepted"},
            (400, 400, 204),
        ),
        ("closed", {"locked_payment_deletions": "refused"}, (201, 200, 400)),
        ("batched", {"batched_payment_deletions": "refused"}, (201, 200, 400)),
        (
            "batched",
            {"batched_invoice_payments": "refused", "batched_payment_deletions": "accepted"},
            (400, 400, 204),
        ),
    ],
)
def test_locked_invoices_take_and_give_back_payments_as_the_switches_say(
    lock: str, switches: dict[str, Any], statuses: tuple[int, int, int]
) -> None:
    assert Locked(lock, **switches).statuses() == statuses


@pytest.mark.parametrize("status", [400, 403, 409])
def test_a_batch_refuses_with_the_body_of_an_invalid_object(status: int) -> None:
    locked = Locked("batched", batched_invoice_payments="refused", locked_invoice_status=status)

    answer = locked.psa.pay(locked.invoice_id, 5)

    assert (answer.status, answer.json()["code"]) == (status, "InvalidObject")
    assert answer.json()["errors"][0]["field"] == "glBatch"


# Setting them -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("payment_day_shift", -1, 2),
        ("payment_shows_member", "not_in_lists", "sometimes"),
        ("payment_ids", "shuffled", "falling"),
        ("payment_list_delay_seconds", 5.0, -1),
        ("invoice_list_delay_seconds", 5.0, -1),
        ("batched_invoice_payments", "refused", "no"),
        ("locked_payment_deletions", "accepted", "no"),
        ("batched_payment_deletions", "refused", "no"),
    ],
)
def test_the_admin_interface_sets_each_of_these_switches(
    name: str, value: object, wrong: object
) -> None:
    psa = PsaClient()

    assert psa.admin("PATCH", "/switches", {name: value}).json()[name] == value
    assert psa.admin("PATCH", "/switches", {name: wrong}).status == 400
    assert getattr(psa.engine.switches, name) == value
