"""Faults that leave open what became of a change, or lie about it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from connectwise_sandbox.change_faults import ChangeEffect, GatewayBody
from connectwise_sandbox.faults import Fault
from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.messages import Response


class Shop:
    """An invoice of 100 with one payment of 30, and a fault aimed at a change."""

    def __init__(self, effect: str, method: str = "POST", **fields: Any) -> None:
        self.psa = PsaClient()
        self.invoice_id = self.psa.bill()
        self.paid_id = self.psa.pay(self.invoice_id, 30).json()["id"]
        self.path = f"{INVOICES}/{self.invoice_id}/payments/{self.paid_id}"
        fault = {"effect": effect, "method": method, **fields}
        assert self.psa.admin("POST", "/faults", fault).status == 200

    def change(self, method: str) -> Response:
        if method == "POST":
            return self.psa.pay(self.invoice_id, 5)
        if method == "PATCH":
            return self.psa.replace(self.path, amount=31)
        return self.psa.send("DELETE", self.path)

    def amounts(self) -> list[int]:
        return [int(row["amount"]) for row in self.psa.payments(self.invoice_id)]


UNTOUCHED = [30]
CHANGED = {"POST": [30, 5], "PATCH": [31], "DELETE": []}
every_method = pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])


@every_method
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 407, 413, 451, 499, 503])
@pytest.mark.parametrize("body", GatewayBody)
def test_a_gateway_answers_in_place_of_connectwise(
    method: str, status: int, body: GatewayBody
) -> None:
    before = Shop("gateway_before_effect", method, status=status, body=body.value)
    after = Shop("gateway_after_effect", method, status=status, body=body.value)

    answers = [shop.change(method) for shop in (before, after)]

    assert [answer.status for answer in answers] == [status, status]
    assert answers[0].body == answers[1].body
    assert before.amounts() == UNTOUCHED
    assert after.amounts() == CHANGED[method]


@every_method
def test_a_gateways_answer_may_come_long_before_the_effect(method: str) -> None:
    shop = Shop("gateway_late_effect", method, status=403, seconds=75)

    assert shop.change(method).status == 403

    shop.psa.clock.advance(74)
    assert shop.amounts() == UNTOUCHED
    shop.psa.clock.advance(1)
    assert shop.amounts() == CHANGED[method]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (GatewayBody.HTML, "text/html"),
        (GatewayBody.TEXT, "text/plain"),
        (GatewayBody.JSON_MESSAGE, "application/json"),
        (GatewayBody.JSON_CODE, "application/json"),
        (GatewayBody.JSON_ERROR, "application/json"),
    ],
)
def test_a_gateways_body_never_has_a_code_of_connectwise(
    body: GatewayBody, content_type: str
) -> None:
    answer = Shop("gateway_before_effect", body=body.value).change("POST")

    assert answer.headers["content-type"].startswith(content_type)
    if content_type == "application/json":
        assert json.loads(answer.body).get("code") in (None, "Forbidden")


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(status: int) -> None:
    answer = Shop("gateway_before_effect", status=status).change("POST")
    assert (answer.status, answer.body) == (status, b"")


@every_method
@pytest.mark.parametrize(
    ("effect", "status", "happens"),
    [
        ("status_409", 409, False),
        ("status_409_after_effect", 409, True),
        ("status_429", 429, False),
        ("status_429_after_effect", 429, True),
    ],
)
def test_a_conflict_and_a_throttle_come_before_or_after_the_effect(
    method: str, effect: str, status: int, happens: bool
) -> None:
    shop = Shop(effect, method, retry_after=7)

    answer = shop.change(method)

    assert answer.status == status
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
    assert shop.amounts() == (CHANGED[method] if happens else UNTOUCHED)


def test_an_answer_may_lie_about_the_amount() -> None:
    shop = Shop("wrong_amount")
    assert (shop.change("POST").json()["amount"], shop.amounts()) == (6, [30, 5])


def test_an_answer_may_lie_about_the_id() -> None:
    shop = Shop("wrong_id")
    told = shop.change("POST").json()
    stored = shop.psa.payments(shop.invoice_id)[-1]
    assert (told["id"], told["amount"]) == (stored["id"] + 1, stored["amount"])


@pytest.mark.parametrize("effect", ["wrong_id", "wrong_amount"])
def test_an_answer_without_a_record_cannot_lie(effect: str) -> None:
    deletion, listing = Shop(effect, "DELETE"), Shop(effect, "GET")
    assert deletion.change("DELETE").status == 204
    assert listing.amounts() == UNTOUCHED


def test_a_post_that_is_sent_twice_makes_two_payments() -> None:
    shop = Shop("sent_twice")
    told = shop.change("POST").json()
    assert shop.amounts() == [30, 5, 5]
    assert told["id"] == shop.psa.payments(shop.invoice_id)[-1]["id"]
    assert shop.psa.invoice(shop.invoice_id)["balance"] == Decimal(60)


def test_a_deletion_that_is_sent_twice_is_told_as_not_found() -> None:
    shop = Shop("sent_twice", "DELETE")
    answer = shop.change("DELETE")
    assert (answer.status, answer.json()["code"], shop.amounts()) == (404, "NotFound", [])


@pytest.mark.parametrize("field", [{"status": 99}, {"status": 600}, {"body": "xml"}])
def test_a_gateway_that_makes_no_sense_is_refused(field: dict[str, Any]) -> None:
    fault = {"effect": "gateway_before_effect", **field}
    assert PsaClient().admin("POST", "/faults", fault).status == 400


def test_an_engine_in_this_process_takes_these_faults_as_values() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    psa.engine.faults.add(
        Fault(
            effect=ChangeEffect.GATEWAY_AFTER_EFFECT,
            method="POST",
            path_regex="/payments$",
            status=403,
            body=GatewayBody.JSON_MESSAGE,
        )
    )

    assert psa.pay(invoice_id, 5).json() == {"message": "Forbidden"}
    assert len(psa.payments(invoice_id)) == 1
