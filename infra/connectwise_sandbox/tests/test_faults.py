"""Faults aimed at chosen requests, through the engine and through the in-process transport."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectwise_sandbox.faults import MAX_FAULTS
from connectwise_sandbox.httpx_transport import EngineTransport
from connectwise_sandbox.in_process_client import INVOICES, PsaClient
from connectwise_sandbox.messages import Fate, Request


def inject(psa: PsaClient, effect: str, **fields: Any) -> None:
    assert psa.admin("POST", "/faults", {"effect": effect, **fields}).status == 200


@pytest.mark.parametrize(
    ("effect", "status", "part"),
    [
        ("status_429", 429, b"Too many requests. Please try again in 7 seconds."),
        ("status_500", 500, b"A timeout has occured. Please try again."),
        ("status_502_html", 502, b"<html>"),
        ("status_404_html", 404, b"<html>"),
        ("text_400", 400, b"Cannot route"),
    ],
)
def test_a_request_may_be_answered_by_something_else(effect: str, status: int, part: bytes) -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    inject(psa, effect, method="POST", retry_after=7)

    answer = psa.pay(invoice_id, 5)

    assert answer.status == status
    assert part in answer.body
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
    assert psa.payments(invoice_id) == []


@pytest.mark.parametrize(
    ("effect", "fate", "payments"),
    [
        ("timeout_before_effect", Fate.WITHHELD, 0),
        ("timeout_after_effect", Fate.WITHHELD, 1),
        ("cut_before_effect", Fate.CUT, 0),
        ("cut_after_effect", Fate.CUT, 1),
        ("status_500_after_effect", Fate.SENT, 1),
        ("status_502_html_after_effect", Fate.SENT, 1),
        ("late_effect", Fate.WITHHELD, 0),
    ],
)
def test_an_answer_may_be_lost_before_or_after_the_effect(
    effect: str, fate: Fate, payments: int
) -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    inject(psa, effect, method="POST", seconds=600)

    assert psa.pay(invoice_id, 5).fate is fate
    assert len(psa.payments(invoice_id)) == payments


def test_a_late_request_takes_effect_when_its_time_comes() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    inject(psa, "late_effect", method="POST", seconds=600)
    psa.pay(invoice_id, 5)

    psa.clock.advance(599)
    assert psa.engine.apply_due() == 0
    psa.clock.advance(1)
    assert psa.engine.apply_due() == 1

    assert len(psa.payments(invoice_id)) == 1
    assert psa.invoice(invoice_id)["balance"] == 95


def test_a_late_request_is_judged_when_it_lands() -> None:
    psa = PsaClient(locked_invoice_payments="refused")
    invoice_id = psa.bill()
    inject(psa, "late_effect", method="POST", seconds=600)
    psa.pay(invoice_id, 5)
    psa.people.close_invoice(invoice_id)

    psa.clock.advance(600)
    psa.engine.apply_due()

    assert psa.payments(invoice_id) == []


def test_half_an_answer_is_not_json() -> None:
    psa = PsaClient()
    psa.bill()
    whole = psa.send("GET", INVOICES)
    inject(psa, "truncated_json")

    half = psa.send("GET", INVOICES)

    assert half.status == 200
    assert half.body == whole.body[: len(whole.body) // 2]
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        half.json()


def test_a_slow_answer_is_whole_and_late() -> None:
    psa = PsaClient()
    inject(psa, "slow", seconds=45)

    answer = psa.send("GET", "/system/info")

    assert (answer.status, answer.delay_seconds) == (200, 45)


def test_faults_are_used_up_in_order_by_the_requests_they_are_aimed_at() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    inject(psa, "status_500", method="get", path_regex=r"/payments$", times=2)
    inject(psa, "status_502_html", path_regex=r"/payments$", skip=1)

    statuses = [psa.send("GET", f"{INVOICES}/{invoice_id}/payments").status for _ in range(5)]

    assert statuses == [500, 500, 200, 502, 200]
    assert psa.send("GET", f"{INVOICES}/{invoice_id}").status == 200
    assert psa.admin("GET", "/faults").json() == {"injected": 3, "waiting": []}


def test_the_codebase_may_roll_over_in_the_middle_of_a_run() -> None:
    psa = PsaClient()
    inject(psa, "codebase_rollover", skip=2)
    path = "/v2025_1/apis/3.0/finance/invoices"
    requests = [Request.of("GET", f"{path}?page={page}", psa.headers) for page in range(1, 5)]

    statuses = [psa.engine.handle(request).status for request in requests]

    assert statuses == [200, 200, 400, 400]
    assert psa.tenant.codebase == "v2025_2/"


def test_a_fault_can_be_aimed_at_a_query() -> None:
    psa = PsaClient()
    inject(psa, "status_500", path_regex="page=2")

    assert psa.send("GET", INVOICES, page=1).status == 200
    assert psa.send("GET", INVOICES, page=2).status == 500


def test_waiting_faults_can_be_forgotten() -> None:
    psa = PsaClient()
    inject(psa, "status_500", times=9)
    psa.admin("DELETE", "/faults")

    assert psa.send("GET", "/system/info").status == 200


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"effect": "explode"},
        {"effect": "slow", "seconds": -1},
        {"effect": "slow", "path_regex": "("},
        {"effect": "slow", "times": 0},
        {"effect": "slow", "when": "now"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(fault: dict[str, Any]) -> None:
    assert PsaClient().admin("POST", "/faults", fault).status == 400


def test_there_is_a_limit_to_faults() -> None:
    psa = PsaClient()
    for _ in range(MAX_FAULTS):
        inject(psa, "status_500")

    assert psa.admin("POST", "/faults", {"effect": "slow"}).status == 400


def test_the_admin_interface_meets_no_faults() -> None:
    psa = PsaClient()
    inject(psa, "status_500")

    assert psa.admin("GET", "/health").status == 200


# The transport ----------------------------------------------------------------------------------


class Wired:
    """An httpx client whose requests are answered by an engine in this process."""

    def __init__(self) -> None:
        self.psa = PsaClient()
        transport = EngineTransport(self.psa.engine, wait=self.psa.clock.advance)
        self.http = httpx.Client(
            transport=transport,
            base_url="http://psa.example/v4_6_release/apis/3.0",
            headers=self.psa.headers,
            timeout=10,
        )

    def seconds_since_start(self, start: Any) -> float:
        return float((self.psa.clock() - start).total_seconds())


@pytest.fixture
def wired() -> Iterator[Wired]:
    wired = Wired()
    yield wired
    wired.http.close()


def test_a_client_of_the_transport_sees_plain_http(wired: Wired) -> None:
    invoice_id = wired.psa.bill()

    listed = wired.http.get("/finance/invoices", params={"conditions": f"id = {invoice_id}"})
    created = wired.http.post(f"/finance/invoices/{invoice_id}/payments", json={"amount": 12.34})

    assert [row["id"] for row in listed.json()] == [invoice_id]
    assert listed.headers["content-type"].startswith("application/json")
    assert created.status_code == 201
    assert wired.psa.invoice(invoice_id)["balance"] == Decimal("87.66")


def test_a_withheld_answer_costs_the_clients_whole_patience(wired: Wired) -> None:
    inject(wired.psa, "timeout_before_effect")
    start = wired.psa.clock()

    with pytest.raises(httpx.ReadTimeout):
        wired.http.get("/system/info")

    assert wired.seconds_since_start(start) == 10


def test_a_cut_connection_is_a_protocol_error(wired: Wired) -> None:
    inject(wired.psa, "cut_after_effect")

    with pytest.raises(httpx.RemoteProtocolError):
        wired.http.get("/system/info")


@pytest.mark.parametrize(("seconds", "answered"), [(4, True), (11, False)])
def test_a_slow_answer_comes_if_the_client_is_patient(
    wired: Wired, seconds: int, answered: bool
) -> None:
    inject(wired.psa, "slow", seconds=seconds)
    start = wired.psa.clock()

    if answered:
        assert wired.http.get("/system/info").status_code == 200
    else:
        with pytest.raises(httpx.ReadTimeout):
            wired.http.get("/system/info")

    assert wired.seconds_since_start(start) == min(seconds, 10)
