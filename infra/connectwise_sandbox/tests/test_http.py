"""The sandbox over real HTTP, met by a client that knows nothing of its inside."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from connectwise_sandbox.server import RunningSandbox, running_sandbox
from connectwise_sandbox.switches import Switches

Json = Any

# What takes milliseconds takes minutes on a machine with dozens of busy processes; only what never
# comes shall run into this limit.
PATIENCE_SECONDS = 300.0


class PlainClient:
    """A ConnectWise client as a stranger would write it after reading the public guides."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        keys = sandbox.announcement
        self.sandbox = sandbox
        info = httpx.get(f"{keys.base_url}/login/companyinfo/{keys.company_id}").json()
        self.api = f"{keys.base_url}/{info['Codebase']}apis/3.0"
        self.http = httpx.Client(
            auth=(f"{keys.company_id}+{keys.public_key}", keys.private_key),
            headers={"clientId": keys.client_id},
            timeout=PATIENCE_SECONDS,
        )

    def __enter__(self) -> PlainClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        return self.http.get(f"{self.api}{path}", params=parameters)

    def records(self, path: str, **parameters: Any) -> list[Json]:
        """Read every forward-only page."""
        rows: list[Json] = []
        url = str(httpx.URL(f"{self.api}{path}", params={"pageSize": 7, **parameters}))
        while url:
            answer = self.http.get(url, headers={"pagination-type": "forward-only"})
            assert answer.status_code == 200, answer.text
            rows += json.loads(answer.text, parse_float=Decimal)
            url = answer.headers["link"].partition(";")[0].strip("<>")
        return rows

    def send(self, method: str, path: str, body: Json = None) -> httpx.Response:
        return self.http.request(method, f"{self.api}{path}", json=body)

    def admin(self, method: str, path: str, body: Json = None) -> Json:
        answer = httpx.request(method, f"{self.sandbox.admin_url}{path}", json=body)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def open_invoice(self) -> Json:
        """Return an invoice, in a currency of two decimals, that owes all of its total."""
        conditions = "status/isClosed = false and currency/numberOfDecimals = 2"
        rows = self.records("/finance/invoices", conditions=conditions)
        return next(row for row in rows if row["balance"] == row["total"] > 10)


@pytest.fixture(scope="module")
def shared() -> Iterator[PlainClient]:
    """A sandbox that no test changes."""
    with (
        running_sandbox(seed=7, customers=12, invoices=60) as sandbox,
        PlainClient(sandbox) as plain,
    ):
        yield plain


@pytest.fixture
def client() -> Iterator[PlainClient]:
    with (
        running_sandbox(seed=3, customers=8, invoices=100) as sandbox,
        PlainClient(sandbox) as plain,
    ):
        yield plain


def impatient(seconds: float) -> httpx.Timeout:
    """Wait no longer than that for an answer, once the request is sent."""
    return httpx.Timeout(PATIENCE_SECONDS, read=seconds)


def until(condition: Callable[[], object]) -> Any:
    """Return the first true answer; fails when none comes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError("nothing came of it")


class Receiver:
    """A place on loopback where callbacks arrive."""

    def __init__(self, statuses: list[int]) -> None:
        self.statuses = statuses
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.seen.append((self.path, headers, body))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook?recordId="


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    receiver = Receiver(list(statuses))
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()


def test_discovery_answers_null_for_an_unknown_company(shared: PlainClient) -> None:
    answer = httpx.get(f"{shared.sandbox.base_url}/login/companyinfo/nobody")

    assert (answer.status_code, answer.json()) == (200, None)


def test_a_stranger_reads_every_invoice_once_and_in_order(shared: PlainClient) -> None:
    rows = shared.records("/finance/invoices")

    ids = [row["id"] for row in rows]
    assert len(ids) == 60 == shared.get("/finance/invoices/count").json()["count"]
    assert ids == sorted(set(ids))
    assert all(row["balance"] == row["total"] - row["payments"] - row["credits"] for row in rows)


def test_navigable_pages_lead_from_first_to_last(shared: PlainClient) -> None:
    first = shared.get("/finance/invoices", pageSize=25, orderBy="id desc")
    assert set(first.links) == {"next", "last"}

    second = shared.http.get(first.links["next"]["url"])
    third = shared.http.get(second.links["next"]["url"])

    assert set(second.links) == {"first", "prev", "next", "last"}
    assert set(third.links) == {"first", "prev", "last"}
    ids = [row["id"] for page in (first, second, third) for row in page.json()]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 60


def test_the_hrefs_of_an_invoice_lead_to_its_lines(shared: PlainClient) -> None:
    invoice = shared.records("/finance/invoices", conditions='type = "Standard"')[0]

    href = invoice["_info"]["products_href"]
    lines = shared.http.get(href).json()

    assert "//apis/3.0" in href
    assert lines
    assert all(line["invoice"]["id"] == invoice["id"] for line in lines)


def test_lines_of_many_invoices_come_in_one_page(shared: PlainClient) -> None:
    invoices = shared.records("/finance/invoices")
    ids = ",".join(str(row["id"]) for row in invoices)

    for path in ("/procurement/products", "/time/entries", "/expense/entries"):
        answer = shared.get(path, conditions=f"invoice/id in ({ids})", pageSize=1000)
        assert answer.status_code == 200
        assert {row["invoice"]["id"] for row in answer.json()} <= {row["id"] for row in invoices}


def test_a_pdf_comes_as_a_pdf(shared: PlainClient) -> None:
    invoice = shared.records("/finance/invoices")[0]

    answer = shared.get(f"/finance/invoices/{invoice['id']}/pdf")

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("path", "status", "part"),
    [
        ("/v1999_1/apis/3.0/system/info", 400, "Cannot route. Codebase/company is invalid"),
        ("/v4_6_release/apis/3.0/nowhere", 404, "The endpoint does not exist."),
        ("/somewhere", 404, "<html>"),
        ("/v4_6_release/apis/3.0/company/contacts/57919", 404, "Contact 57919 not found"),
    ],
)
def test_each_wrong_path_has_its_own_refusal(
    shared: PlainClient, path: str, status: int, part: str
) -> None:
    answer = shared.http.get(f"{shared.sandbox.base_url}{path}")

    assert answer.status_code == status
    assert part in answer.text


def test_a_payment_lowers_the_balance_and_can_be_taken_back(client: PlainClient) -> None:
    invoice = client.open_invoice()
    path = f"/finance/invoices/{invoice['id']}/payments"

    created = client.send("POST", path, {"amount": 2.5, "paymentDate": "2026-02-03T00:00:00Z"})

    assert created.status_code == 201
    payment = created.json()
    assert payment["appliedBy"] == "AltPayBridge"
    assert payment["invoiceBalance"] == float(invoice["balance"] - Decimal("2.5"))
    assert [row["id"] for row in client.get(path).json()] == [payment["id"]]
    assert client.send("DELETE", f"{path}/{payment['id']}").status_code == 204
    after = client.get(f"/finance/invoices/{invoice['id']}").json()
    assert after["balance"] == float(invoice["balance"])


def test_an_edit_by_a_person_arrives_as_a_signed_callback(client: PlainClient) -> None:
    invoice = client.open_invoice()
    with receiving() as receiver:
        entry = {"url": receiver.url, "objectId": 0, "type": "invoice", "level": "Owner"}
        registered = client.send("POST", "/system/callbacks", entry)
        client.admin("PATCH", f"/invoices/{invoice['id']}", {"due_on": "2027-01-31"})
        path, headers, body = until(lambda: receiver.seen and receiver.seen[0])

    assert registered.status_code == 201
    assert registered.json()["objectId"] == 1
    assert path == f"/hook?recordId={invoice['id']}&action=updated"
    message = json.loads(body)
    entity = json.loads(message["Entity"])
    assert (message["Type"], message["ID"], message["MemberId"]) == (
        "invoice",
        invoice["id"],
        "jdoe",
    )
    assert entity["dueDate"] == "2027-01-31T00:00:00Z"
    key = httpx.get(message["Metadata"]["key_url"]).json()["signing_key"]
    digest = hmac.new(hashlib.sha256(key.encode()).digest(), body, hashlib.sha256).digest()
    assert headers["x-content-signature"] == base64.b64encode(digest).decode()


def test_a_callback_that_is_refused_with_429_comes_again(client: PlainClient) -> None:
    invoice = client.open_invoice()
    with receiving(429) as receiver:
        entry = {"url": receiver.url, "objectId": 1, "type": "invoice", "level": "owner"}
        client.send("POST", "/system/callbacks", entry)
        client.admin("DELETE", f"/invoices/{invoice['id']}")
        until(lambda: len(receiver.seen) == 2)

    first, second = (json.loads(body) for _, _, body in receiver.seen)
    assert first == second
    assert (first["Action"], first["Entity"]) == ("deleted", None)
    deliveries = until(
        lambda: [d for d in client.admin("GET", "/deliveries") if d["state"] == "delivered"]
    )
    assert deliveries[0]["statuses"] == [429, 204]


def test_a_name_below_localhost_is_this_machine(client: PlainClient) -> None:
    invoice = client.open_invoice()
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "abc123.execute-api.localhost")
        entry = {"url": url, "objectId": 1, "type": "invoice", "level": "owner"}
        client.send("POST", "/system/callbacks", entry)
        client.admin("PATCH", f"/invoices/{invoice['id']}", {"total": "123.45"})
        _, headers, _ = until(lambda: receiver.seen and receiver.seen[0])

    assert headers["host"].startswith("abc123.execute-api.localhost:")


def test_a_missing_right_is_a_403_until_it_is_granted(client: PlainClient) -> None:
    cell = {"module": "Finance", "row": "Invoicing", "action": "inquire"}
    client.admin("PATCH", "/permissions", {**cell, "level": "None"})
    refused = client.get("/finance/invoices")
    client.admin("PATCH", "/permissions", {**cell, "level": "All"})

    assert refused.status_code == 403
    assert refused.json() == {
        "code": "Security",
        "message": "You do not have security permission to perform this action.",
    }
    assert client.get("/finance/invoices").status_code == 200


def test_an_answer_lost_after_the_effect_is_a_cut_connection(client: PlainClient) -> None:
    invoice = client.open_invoice()
    path = f"/finance/invoices/{invoice['id']}/payments"
    fault = {"method": "POST", "path_regex": "/payments$", "effect": "cut_after_effect"}
    client.admin("POST", "/faults", fault)

    with pytest.raises(httpx.RemoteProtocolError):
        client.send("POST", path, {"amount": 1})

    assert len(client.get(path).json()) == 1


def test_an_answer_that_never_comes_runs_into_the_clients_limit(client: PlainClient) -> None:
    client.admin("POST", "/faults", {"effect": "timeout_before_effect"})

    with pytest.raises(httpx.ReadTimeout):
        client.http.get(f"{client.api}/system/info", timeout=impatient(0.2))

    assert client.get("/system/info").status_code == 200


def test_a_late_request_takes_effect_without_its_sender(client: PlainClient) -> None:
    invoice = client.open_invoice()
    path = f"/finance/invoices/{invoice['id']}/payments"
    fault = {"method": "POST", "effect": "late_effect", "seconds": 0.5}
    client.admin("POST", "/faults", fault)

    with pytest.raises(httpx.ReadTimeout):
        client.http.post(f"{client.api}{path}", json={"amount": 1}, timeout=impatient(0.1))

    until(lambda: client.get(path).json())


def test_throttling_answers_429_with_the_seconds_to_wait() -> None:
    switches = Switches(requests_per_minute=10)
    with (
        running_sandbox(customers=1, invoices=0, switches=switches) as sandbox,
        PlainClient(sandbox) as client,
    ):
        answers = [client.get("/system/info") for _ in range(12)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    seconds = int(refused[0].headers["retry-after"])
    assert refused[0].json() == {
        "error": "ConnectWiseAPI",
        "message": f"Too many requests. Please try again in {seconds} seconds.",
    }


def test_the_calls_are_counted_by_route(client: PlainClient) -> None:
    client.admin("DELETE", "/calls")
    client.get("/finance/invoices", pageSize=1)
    client.get("/system/info")
    client.get("/system/info")

    counted = client.admin("GET", "/calls")

    assert counted["total"] == 3
    assert counted["counts"] == {"GET /finance/invoices": 1, "GET /system/info": 2}


def test_many_clients_at_once_are_served_whole(client: PlainClient) -> None:
    invoice = client.open_invoice()
    path = f"/finance/invoices/{invoice['id']}/payments"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.send("POST", path, {"amount": 0.01}), range(40)))

    assert {answer.status_code for answer in answers} == {201}
    truth = client.admin("GET", "/truth")["invoices"]
    after = next(row for row in truth if row["id"] == invoice["id"])
    assert after["payments"] == Decimal("0.40")
    assert after["balance"] == invoice["balance"] - Decimal("0.40")


def test_the_admin_interface_says_what_is_wrong(client: PlainClient) -> None:
    url = client.sandbox.admin_url

    assert httpx.patch(f"{url}/switches", json={"overpayment": "perhaps"}).status_code == 400
    assert httpx.patch(f"{url}/switches", json={"no_such": 1}).status_code == 400
    assert httpx.post(f"{url}/invoices/1/payments", json={"amount": 1}).status_code == 404
    assert httpx.get(f"{url}/nothing").status_code == 404
    assert any(row["path"] == "/_sandbox/invoices" for row in client.admin("GET", ""))
