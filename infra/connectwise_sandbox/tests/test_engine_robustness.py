"""Every path answers, and nothing that a client sends brings the engine down."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectwise_sandbox.in_process_client import PsaClient
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.messages import Request
from connectwise_sandbox.schemas import property_names

LISTS = [
    "/company/communicationTypes",
    "/company/companies",
    "/company/companies/statuses",
    "/company/companies/types",
    "/company/companies/{company}/sites",
    "/company/companies/{company}/typeAssociations",
    "/company/contacts",
    "/company/contacts/types",
    "/company/contacts/{contact}/communications",
    "/expense/entries",
    "/finance/accounting/batches",
    "/finance/accounting/unpostedinvoices",
    "/finance/accounting/unpostedpayments",
    "/finance/agreements",
    "/finance/agreements/types",
    "/finance/agreements/{agreement}/additions",
    "/finance/agreements/{agreement}/adjustments",
    "/finance/billingStatuses",
    "/finance/billingTerms",
    "/finance/companyFinance/",
    "/finance/currencies",
    "/finance/invoices",
    "/finance/invoices/{invoice}/glEntries/",
    "/finance/invoices/{invoice}/payments",
    "/finance/invoices/{invoice}/routings",
    "/finance/taxCodes",
    "/procurement/catalog",
    "/procurement/products",
    "/procurement/products/{productItem}/components",
    "/service/tickets",
    "/system/callbacks",
    "/system/departments",
    "/system/info/members",
    "/system/locations",
    "/system/members",
    "/system/reports",
    "/system/securityroles",
    "/system/userDefinedFields",
    "/time/entries",
]
UNCOUNTED = ("/payments", "/routings", "/glEntries/", "/components", "/members", "/reports")


def stocked() -> PsaClient:
    psa = PsaClient(seed=5, customers=4, invoices=24)
    psa.tenant.role.grant_everything()
    psa.register()
    return psa


BOOKS = stocked()


def filled(psa: PsaClient, path: str) -> str:
    """Return a path with the ids of records that exist."""
    kinds = (Kind.COMPANY, Kind.CONTACT, Kind.AGREEMENT, Kind.INVOICE, Kind.PRODUCT)
    ids = {kind.value: next(iter(psa.tenant.store[kind]))["id"] for kind in kinds}
    return path.format(**ids)


@pytest.mark.parametrize("path", LISTS)
def test_each_list_answers_pages_fields_and_a_link(path: str) -> None:
    answer = BOOKS.send("GET", filled(BOOKS, path), pageSize=3)

    rows = answer.json()
    assert answer.status == 200
    assert isinstance(rows, list)
    if path == "/system/reports":
        return
    assert len(rows) <= 3
    assert 'rel="last"' in answer.headers["link"]
    for row in rows:
        assert isinstance(row["id"], int)
        assert None not in row.values()
    forward = BOOKS.forward(filled(BOOKS, path), pageSize=3)
    assert [row["id"] for row in forward.json()] == [row["id"] for row in rows]


@pytest.mark.parametrize("path", [path for path in LISTS if not path.endswith(UNCOUNTED)])
def test_each_list_is_counted(path: str) -> None:
    path = filled(BOOKS, path)

    count = BOOKS.get(f"{path.rstrip('/')}/count")["count"]

    assert count == len(BOOKS.get(path, pageSize=1000))


@pytest.mark.parametrize("path", [path for path in LISTS if path != "/system/info/members"])
def test_each_record_of_a_list_can_be_read_by_itself(path: str) -> None:
    path = filled(BOOKS, path).rstrip("/")
    for row in BOOKS.get(path, pageSize=2):
        if "id" in row:
            assert BOOKS.get(f"{path}/{row['id']}") == row


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**33), 2**33)
    | st.floats(allow_nan=False)
    | st.text(max_size=40),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "name", "value", "amount"]), children, max_size=3)
    ),
    max_leaves=6,
)
NAMES = sorted(
    property_names("invoice") | property_names("payment") | property_names("company")
    | property_names("productItem") | property_names("contact") | property_names("callbackEntry")
)  # fmt: skip
bodies = (
    json_values
    | st.dictionaries(st.sampled_from(NAMES), json_values, max_size=8)
    | st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(["add", "replace", "remove"]),
                "path": st.sampled_from(NAMES) | st.text(max_size=10),
                "value": json_values,
            }
        ),
        max_size=4,
    )
)
suffixes = st.sampled_from(
    ["", "/1", "/{invoice}", "/{company}", "/{productItem}", "/count", "/x", "/{invoice}/payments"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    path=st.sampled_from([*LISTS, "/finance/closedInvoices", "/system/bundles", "/finance/info"]),
    suffix=suffixes,
    body=bodies,
    query=st.dictionaries(
        st.sampled_from(["conditions", "orderBy", "fields", "page", "pageSize", "pageId"]),
        st.text(max_size=30) | st.sampled_from(["id > 0", "id", "1", "status/id = 1", "id desc"]),
        max_size=3,
    ),
    forward=st.booleans(),
)
def test_no_request_brings_the_engine_down(
    method: str, path: str, suffix: str, body: Any, query: dict[str, str], *, forward: bool
) -> None:
    headers = {**BOOKS.headers, "pagination-type": "forward-only" if forward else ""}
    pairs = "&".join(f"{name}={quote(text)}" for name, text in query.items())
    target = f"/v4_6_release/apis/3.0{path}{suffix}"
    fresh = stocked() if method != "GET" else BOOKS
    target = filled(fresh, target) + f"?{pairs}"

    answer = fresh.engine.handle(Request.of(method, target, headers, json.dumps(body).encode()))

    assert 200 <= answer.status < 500 or answer.status == 500
    if answer.body and "json" in answer.headers["content-type"]:
        answer.json()
    for invoice in fresh.tenant.store[Kind.INVOICE]:
        assert invoice["balance"] == invoice["total"] - invoice["payments"] - invoice["credits"]
    if method != "GET":
        assert fresh.send("GET", "/finance/invoices").status == 200
        fresh.admin("GET", "/truth")


@pytest.mark.parametrize("path", [path for path in LISTS if "glEntries" not in path])
def test_any_property_may_be_left_out_of_a_put_or_removed(path: str) -> None:
    psa = stocked()
    path = filled(psa, path).rstrip("/")
    row = next(iter(psa.get(path, pageSize=1)), None)
    if row is None or "id" not in row:
        return
    one = f"{path}/{row['id']}"
    for name in row:
        body = {key: value for key, value in row.items() if key != name}
        operations = [{"op": "remove", "path": name}]

        assert psa.send("PUT", one, body).status in (200, 400, 404, 405)
        assert psa.send("PATCH", one, operations).status in (200, 400, 404, 405)

        assert psa.send("GET", path).status == 200
    assert psa.admin("GET", "/truth").status == 200
    assert psa.admin("POST", "/invoices/mutate", {"count": 99}).status == 200


@settings(max_examples=150, deadline=None)
@given(target=st.text(max_size=60), body=st.binary(max_size=60), admin=st.booleans())
def test_no_path_brings_the_engine_down(target: str, body: bytes, *, admin: bool) -> None:
    prefix = "/_sandbox" if admin else "/v4_6_release/apis/3.0"
    path = f"{prefix}/{quote(target)}"

    answer = BOOKS.engine.handle(Request.of("POST", path, BOOKS.headers, body))

    assert answer.status >= 200
