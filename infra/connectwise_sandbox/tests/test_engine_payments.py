"""Payments and credits of invoices, and every switch that changes what they do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.people import NewLine

# Recording payments -----------------------------------------------------------------------------


def test_a_payment_counts_at_once_and_names_who_applied_it() -> None:
    psa = PsaClient()
    invoice_id = psa.bill("100.10")

    payment = psa.pay(invoice_id, "40.05").json()

    assert payment["amount"] == Decimal("40.05")
    assert payment["appliedBy"] == "AltPayBridge"
    assert payment["paymentDate"] == "2026-03-02T00:00:00Z"
    assert payment["invoice"]["id"] == invoice_id
    assert payment["invoiceBalance"] == payment["balance"] == Decimal("60.05")
    assert payment["invoiceTotal"] == Decimal("100.10")
    invoice = psa.invoice(invoice_id)
    assert (invoice["payments"], invoice["balance"]) == (Decimal("40.05"), Decimal("60.05"))
    assert invoice["status"]["name"] == "New"


def test_a_payment_typed_in_by_a_person_names_the_person() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()

    psa.people.record_payment(invoice_id, Decimal(5), date(2026, 2, 27))

    payment = psa.payments(invoice_id)[0]
    assert (payment["appliedBy"], payment["paymentDate"]) == ("jdoe", "2026-02-27T00:00:00Z")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MissingRequiredField"),
        ({"amount": 0}, "InvalidField"),
        ({"amount": -5}, "InvalidField"),
        ({"amount": "5"}, "InvalidField"),
        ({"amount": True}, "InvalidField"),
        ({"amount": 5, "paymentDate": "2026-01-31"}, "InvalidField"),
        ({"amount": 5, "paymentDate": "2026-01-31T00:00:00+01:00"}, "InvalidField"),
        ({"amount": 5, "memo": "x"}, "InvalidField"),
        ({"amount": 5, "credit": {"id": 99}}, "NotFound"),
    ],
)
def test_an_unusable_payment_is_refused_and_changes_nothing(body: Any, code: str) -> None:
    psa = PsaClient()
    invoice_id = psa.bill()

    answer = psa.send("POST", f"{INVOICES}/{invoice_id}/payments", body)

    assert answer.status == 400
    assert answer.json()["code"] == "InvalidObject"
    assert answer.json()["errors"][0]["code"] == code
    assert psa.payments(invoice_id) == []


def test_a_body_that_is_no_json_or_of_another_type_is_refused() -> None:
    psa = PsaClient()
    path = f"{INVOICES}/{psa.bill()}/payments"
    headers = {**psa.headers, "content-type": "text/xml"}

    assert psa.send("POST", path).status == 400
    assert psa.send("POST", path, {"amount": 1}, headers=headers).status == 415


def test_an_amount_is_rounded_to_the_decimals_of_the_currency() -> None:
    psa = PsaClient()
    dinars = psa.bill("10.005", decimals=3)
    yen = psa.bill("1000", decimals=0)

    assert psa.pay(dinars, "1.0015").json()["amount"] == Decimal("1.002")
    assert psa.pay(yen, "10.5").json()["amount"] == Decimal(11)
    assert psa.invoice(dinars)["balance"] == Decimal("9.003")


@pytest.mark.parametrize(
    ("keeps_time", "shown"), [(False, "2026-01-31T00:00:00Z"), (True, "2026-01-31T18:04:26Z")]
)
def test_a_payment_date_keeps_its_time_as_the_switch_says(keeps_time: bool, shown: str) -> None:
    psa = PsaClient(payment_date_keeps_time=keeps_time)

    payment = psa.pay(psa.bill(), 5, paymentDate="2026-01-31T18:04:26Z").json()

    assert payment["paymentDate"] == shown


def test_a_payment_of_an_unknown_invoice_or_under_a_foreign_one_is_not_found() -> None:
    psa = PsaClient()
    mine, other = psa.bill(), psa.bill()
    payment_id = psa.pay(mine, 5).json()["id"]

    assert psa.pay(1, 5).json()["message"] == "Invoice 1 not found"
    answer = psa.send("GET", f"{INVOICES}/{other}/payments/{payment_id}")
    assert (answer.status, answer.json()["code"]) == (404, "NotFound")


def test_payments_have_no_count() -> None:
    psa = PsaClient()

    assert psa.send("GET", f"{INVOICES}/{psa.bill()}/payments/count").status == 404


def test_a_changed_or_deleted_payment_moves_the_balance_back() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    payment_id = psa.pay(invoice_id, 30).json()["id"]
    path = f"{INVOICES}/{invoice_id}/payments/{payment_id}"

    assert psa.replace(path, amount=45.5).json()["amount"] == Decimal("45.5")
    assert psa.invoice(invoice_id)["balance"] == Decimal("54.5")
    assert psa.send("DELETE", path).status == 204

    assert psa.invoice(invoice_id)["balance"] == Decimal(100)
    assert psa.send("GET", path).status == 404
    assert psa.send("DELETE", path).status == 404


def test_who_applied_a_payment_cannot_be_forged() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()

    payment = psa.pay(invoice_id, 5, appliedBy="jdoe").json()
    path = f"{INVOICES}/{invoice_id}/payments/{payment['id']}"
    patched = psa.replace(path, appliedBy="jdoe").json()

    assert payment["appliedBy"] == patched["appliedBy"] == "AltPayBridge"


# Switches ---------------------------------------------------------------------------------------


def test_a_second_payment_is_appended() -> None:
    psa = PsaClient(second_payment="appended")
    invoice_id = psa.bill()
    psa.pay(invoice_id, 10)
    psa.pay(invoice_id, 10)

    assert len({row["id"] for row in psa.payments(invoice_id)}) == 2
    assert psa.invoice(invoice_id)["balance"] == Decimal(80)


def test_a_second_payment_may_replace_the_first() -> None:
    psa = PsaClient(second_payment="replaces")
    invoice_id = psa.bill()
    psa.pay(invoice_id, 10)
    second = psa.pay(invoice_id, 15).json()

    assert [row["id"] for row in psa.payments(invoice_id)] == [second["id"]]
    assert psa.invoice(invoice_id)["balance"] == Decimal(85)


def test_a_second_payment_may_be_refused() -> None:
    psa = PsaClient(second_payment="refused")
    invoice_id = psa.bill()
    psa.pay(invoice_id, 10)

    assert psa.pay(invoice_id, 10).status == 400
    assert psa.invoice(invoice_id)["balance"] == Decimal(90)
    assert psa.pay(invoice_id, 10, credit={"id": memo(psa, "10")}).status == 201


@pytest.mark.parametrize(
    ("rule_name", "status", "balance"),
    [("accepted", 201, -20), ("capped", 201, 0), ("refused", 400, 30)],
)
def test_an_overpayment_is_treated_as_the_switch_says(
    rule_name: str, status: int, balance: int
) -> None:
    psa = PsaClient(overpayment=rule_name)
    invoice_id = psa.bill()
    psa.pay(invoice_id, 70)

    assert psa.pay(invoice_id, 50).status == status
    assert psa.invoice(invoice_id)["balance"] == Decimal(balance)


def test_a_payment_of_a_paid_invoice_cannot_be_capped() -> None:
    psa = PsaClient(overpayment="capped")
    invoice_id = psa.bill()
    psa.pay(invoice_id, 100)

    assert psa.pay(invoice_id, 1).status == 400


@pytest.mark.parametrize("touches", [True, False])
def test_a_payment_moves_the_last_change_as_the_switch_says(touches: bool) -> None:
    psa = PsaClient(payment_touches_last_updated=touches)
    invoice_id = psa.bill()
    psa.clock.advance(60)

    psa.pay(invoice_id, 5)

    info = psa.invoice(invoice_id)["_info"]
    assert (info["lastUpdated"] == "2026-03-02T09:31:00Z") is touches
    assert (info["updatedBy"] == "AltPayBridge") is touches


@pytest.mark.parametrize("fires", [True, False])
def test_a_payment_fires_the_invoices_callback_as_the_switch_says(fires: bool) -> None:
    psa = PsaClient(payment_fires_invoice_callback=fires)
    invoice_id = psa.bill()
    psa.register()

    psa.pay(invoice_id, 5)

    assert bool(psa.messages()) is fires


def test_a_balance_may_follow_later_than_its_payments() -> None:
    psa = PsaClient(balance_delay_seconds=30)
    invoice_id = psa.bill()

    psa.pay(invoice_id, 40)

    stale = psa.invoice(invoice_id)
    assert (stale["payments"], stale["balance"]) == (0, Decimal(100))
    assert len(psa.payments(invoice_id)) == 1
    psa.clock.advance(29)
    assert psa.invoice(invoice_id)["balance"] == Decimal(100)
    psa.clock.advance(1)
    assert psa.invoice(invoice_id)["balance"] == Decimal(60)


def test_a_late_balance_still_guards_against_overpayment() -> None:
    psa = PsaClient(balance_delay_seconds=30, overpayment="refused")
    invoice_id = psa.bill()
    psa.pay(invoice_id, 80)

    assert psa.pay(invoice_id, 30).status == 400


# Credits ----------------------------------------------------------------------------------------


def memo(psa: PsaClient, amount: str, *, closed: bool = True) -> int:
    line = NewLine("Credit", -Decimal(amount))
    memo_id = psa.people.create_invoice(psa.company()["id"], [line], type_name="CreditMemo")["id"]
    if closed:
        psa.people.close_invoice(memo_id)
    return int(memo_id)


def test_an_applied_credit_raises_the_credits_and_uses_the_memo_up() -> None:
    psa = PsaClient()
    invoice_id, memo_id = psa.bill(), memo(psa, "60")

    row = psa.pay(invoice_id, 25, credit={"id": memo_id}).json()

    assert row["credit"]["id"] == memo_id
    invoice, used = psa.invoice(invoice_id), psa.invoice(memo_id)
    assert (invoice["payments"], invoice["credits"], invoice["balance"]) == (0, 25, 75)
    assert (used["total"], used["credits"], used["balance"]) == (-60, -25, -35)
    assert psa.people.remaining_credit(memo_id) == 35


def test_more_than_a_memo_has_left_is_refused() -> None:
    psa = PsaClient()
    invoice_id, memo_id = psa.bill(), memo(psa, "60")
    psa.pay(invoice_id, 40, credit={"id": memo_id})

    assert psa.pay(invoice_id, 21, credit={"id": memo_id}).status == 400
    assert psa.pay(invoice_id, 20, credit={"id": memo_id}).status == 201


def test_only_a_closed_memo_of_the_same_company_can_be_applied() -> None:
    psa = PsaClient()
    invoice_id, open_memo = psa.bill(), memo(psa, "60", closed=False)
    foreign = psa.people.create_invoice(psa.company(1)["id"], [NewLine("Work", Decimal(9))])["id"]

    assert psa.pay(invoice_id, 5, credit={"id": open_memo}).status == 400
    assert psa.pay(foreign, 5, credit={"id": memo(psa, "10")}).status == 400
    assert psa.pay(invoice_id, 5, credit={"id": psa.bill()}).status == 400


def test_a_person_applies_a_credit_without_naming_a_memo() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()

    psa.people.apply_credit(invoice_id, Decimal("12.50"))

    invoice = psa.invoice(invoice_id)
    assert (invoice["credits"], invoice["balance"]) == (Decimal("12.5"), Decimal("87.5"))
