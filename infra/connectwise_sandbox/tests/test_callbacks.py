"""Callbacks are registered, told of changes, and signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectwise_sandbox.callbacks import delivery_url, sign
from connectwise_sandbox.in_process_client import START, PsaClient
from connectwise_sandbox.messages import Request, Response
from connectwise_sandbox.signing_keys import MAX_DELIVERY_KEYS

ENTRY: dict[str, Any] = {
    "url": "https://bridge.example/hook?recordId=",
    "objectId": 1,
    "type": "invoice",
    "level": "owner",
}


UNRECOGNIZED_LEVEL = (
    "Unrecognized level for type, see documentation for supported levels for each type"
)


def errors_of(answer: Response) -> list[tuple[str, str, str]]:
    assert answer.status == 400
    return [(each["code"], each["message"], each["field"]) for each in answer.json()["errors"]]


def touch(psa: PsaClient, invoice_id: int) -> None:
    psa.people.change_due_date(invoice_id, START.date() + timedelta(days=40))


# Registering ------------------------------------------------------------------------------------


def test_a_registration_is_answered_with_what_was_stored() -> None:
    psa = PsaClient()

    entry = psa.post(
        "/system/callbacks", {**ENTRY, "objectId": 0, "type": "Invoice", "level": "Owner"}
    )

    assert entry == entry | {
        "objectId": 1,
        "type": "invoice",
        "level": "owner",
        "payloadVersion": "3.0.0",
        "inactiveFlag": False,
        "isSoapCallbackFlag": False,
        "isSelfSuppressedFlag": False,
    }
    member = psa.get("/system/members", conditions=f"id = {entry['memberId']}")[0]
    assert member["identifier"] == "AltPayBridge"
    assert psa.get("/system/callbacks") == [entry]
    assert psa.get("/system/callbacks/count") == {"count": 1}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"url": "nowhere"}, ("InvalidField", "Invalid URL", "url")),
        ({"url": "ftp://x.example/"}, ("InvalidField", "Invalid URL", "url")),
        ({"url": "https://[x/"}, ("InvalidField", "Invalid URL", "url")),
        (
            {"level": "status2"},
            ("InvalidObject", UNRECOGNIZED_LEVEL, "level"),
        ),
        ({"type": "payment"}, ("InvalidObject", "Unrecognized type, payment", "type")),
        (
            {"description": "x" * 101},
            (
                "MaxLengthField",
                "The field description must be a string with a maximum length of 100.",
                "description",
            ),
        ),
    ],
)
def test_a_bad_registration_says_why(change: dict[str, Any], error: tuple[str, str, str]) -> None:
    answer = PsaClient().send("POST", "/system/callbacks", ENTRY | change)

    assert error in errors_of(answer)


def test_a_refusal_of_a_registration_names_the_object_as_connectwise_does() -> None:
    psa = PsaClient()
    path = f"/system/callbacks/{psa.register()['id']}"
    answers = [
        psa.send("POST", "/system/callbacks", ENTRY | {"url": "nowhere"}),
        psa.send("POST", "/system/callbacks", {}),
        psa.send("PUT", path, ENTRY | {"level": "status2"}),
        psa.replace(path, colour="red"),
    ]

    for answer in answers:
        assert answer.status == 400
        assert answer.json()["message"] == "callbackEntry object is invalid"
        assert {error["resource"] for error in answer.json()["errors"]} == {"callbackEntry"}


@pytest.mark.parametrize("name", ["url", "objectId", "type", "level"])
def test_each_required_field_is_required(name: str) -> None:
    body = {key: value for key, value in ENTRY.items() if key != name}

    error = ("MissingRequiredField", f"The {name} field is required.", name)
    assert errors_of(PsaClient().send("POST", "/system/callbacks", body)) == [error]


@pytest.mark.parametrize("body", [[], "x", 5])
def test_a_registration_that_is_no_object_is_refused(body: object) -> None:
    psa = PsaClient()
    entry = psa.register()

    assert psa.send("POST", "/system/callbacks", body).status == 400
    assert psa.send("PUT", f"/system/callbacks/{entry['id']}", body).status == 400


def test_the_same_registration_twice_exists_already() -> None:
    psa = PsaClient()
    psa.register()

    answer = psa.send("POST", "/system/callbacks", ENTRY)

    error = ("ObjectExists", "A matching callback entry already exists", "objectId")
    assert errors_of(answer) == [error]
    assert psa.send("POST", "/system/callbacks", ENTRY | {"type": "company"}).status == 201


def test_a_registration_can_be_changed_and_deleted() -> None:
    psa = PsaClient()
    entry = psa.register()
    path = f"/system/callbacks/{entry['id']}"

    assert psa.replace(path, inactiveFlag=True).json()["inactiveFlag"] is True
    assert psa.send("PUT", path, ENTRY | {"description": "x"}).json()["inactiveFlag"] is False
    assert psa.send("DELETE", path).status == 204
    assert psa.get("/system/callbacks") == []


# Who is told ------------------------------------------------------------------------------------


def test_every_kind_of_change_is_told_with_its_action() -> None:
    psa = PsaClient()
    psa.register()
    invoice_id = psa.bill()
    touch(psa, invoice_id)
    psa.people.delete_invoice(invoice_id)

    told = [(message["Action"], message["ID"]) for message in psa.messages()]

    assert told == [(action, invoice_id) for action in ("added", "updated", "deleted")]


@pytest.mark.parametrize(
    ("level", "matches"), [("invoice", True), ("company", True), ("status", True)]
)
def test_a_level_narrows_to_one_object(level: str, matches: bool) -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    invoice = psa.invoice(invoice_id)
    object_ids = {
        "invoice": invoice_id,
        "company": invoice["company"]["id"],
        "status": invoice["status"]["id"],
    }
    mine = psa.register(level=level, objectId=object_ids[level])
    psa.register(level=level, objectId=object_ids[level] + 1)

    touch(psa, invoice_id)

    told = [message["CallbackObjectRecId"] for message in psa.messages()]
    assert told == ([mine["id"]] if matches else [])


def test_the_type_level_of_companies_looks_at_all_their_types() -> None:
    psa = PsaClient()
    company = psa.company()
    entry = psa.register("company", level="type", objectId=company["types"][0]["id"])
    psa.register("company", level="type", objectId=99)

    psa.people.change_company(company["id"], {"phoneNumber": "5551"})

    assert [message["CallbackObjectRecId"] for message in psa.messages()] == [entry["id"]]


def test_an_inactive_callback_is_not_told() -> None:
    psa = PsaClient()
    psa.register(inactiveFlag=True)

    psa.bill()

    assert psa.messages() == []


@pytest.mark.parametrize("suppressed", [True, False])
def test_own_changes_may_be_suppressed(suppressed: bool) -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    psa.register(isSelfSuppressedFlag=suppressed)

    psa.pay(invoice_id, 5)
    own = psa.messages()
    psa.people.record_payment(invoice_id, Decimal(5))

    assert bool(own) is not suppressed
    assert [message["MemberId"] for message in psa.messages()] == ["jdoe"]


@pytest.mark.parametrize("fires", [True, False])
def test_a_deletion_may_go_untold(fires: bool) -> None:
    psa = PsaClient(delete_fires_callback=fires)
    invoice_id = psa.bill()
    psa.register()
    psa.register("company")

    psa.people.delete_invoice(invoice_id)
    psa.people.delete_company(psa.company()["id"])

    told = [message["Type"] for message in psa.messages() if message["Action"] == "deleted"]
    assert told == (["invoice", "company"] if fires else [])


# What is said -----------------------------------------------------------------------------------


def test_a_message_holds_the_record_as_a_text() -> None:
    psa = PsaClient()
    entry = psa.register()
    invoice_id = psa.bill()

    message = psa.messages()[0]

    assert set(message) == {
        "MessageId",
        "FromUrl",
        "CompanyId",
        "MemberId",
        "Action",
        "Type",
        "ID",
        "ProductInstanceId",
        "PartnerId",
        "CallbackObjectRecId",
        "Entity",
        "Metadata",
    }
    assert message["CompanyId"] == "summit1"
    assert message["FromUrl"] == "127.0.0.1"
    assert message["CallbackObjectRecId"] == entry["id"]
    assert message["ID"] == invoice_id
    assert isinstance(message["PartnerId"], str)
    assert json.loads(message["Entity"])["id"] == invoice_id


def test_a_deletion_has_no_entity() -> None:
    psa = PsaClient()
    invoice_id = psa.bill()
    psa.register()

    psa.people.delete_invoice(invoice_id)

    assert psa.messages()[-1]["Entity"] is None


def test_the_signature_is_that_of_the_public_test_vector() -> None:
    body = (
        b'{"MessageId":"00000000-0000-0000-0000-000000000001",'
        b'"Action":"updated","Type":"invoice","ID":42}'
    )

    assert sign("test-signing-key-0001", body) == "CYIrx3HuBVEU+bhXjiT5SUQZk2d/ZgzDpIBglDue/Hg="


def fetch_key(psa: PsaClient, key_url: str, headers: dict[str, str] | None = None) -> Response:
    target = key_url.removeprefix("http://127.0.0.1")
    return psa.engine.handle(Request.of("GET", target, headers or {}))


def test_the_key_of_the_message_verifies_its_signature() -> None:
    psa = PsaClient()
    psa.register()
    psa.bill()
    delivery = psa.engine.take_due_deliveries()[0]

    url = json.loads(delivery.body)["Metadata"]["key_url"]
    key = fetch_key(psa, url).json()["signing_key"]

    assert url.startswith("http://127.0.0.1/v2025_1//system/callbackkey/index.rails?companyName=")
    digest = hmac.new(hashlib.sha256(key.encode()).digest(), delivery.body, hashlib.sha256)
    signature = delivery.headers["x-content-signature"]
    assert signature == base64.b64encode(digest.digest()).decode()


def test_a_rotated_key_is_served_under_the_same_address() -> None:
    psa = PsaClient()
    psa.register()
    invoice_id = psa.bill()
    url = psa.messages()[0]["Metadata"]["key_url"]
    before = fetch_key(psa, url).body

    psa.people.rotate_callback_key()
    touch(psa, invoice_id)

    assert psa.messages()[0]["Metadata"]["key_url"] == url
    assert fetch_key(psa, url).body != before


@pytest.mark.parametrize(("rule", "urls"), [("one", 1), ("per_delivery", 3)])
def test_deliveries_name_one_key_or_each_a_new_one(rule: str, urls: int) -> None:
    psa = PsaClient(callback_key_ids=rule)
    psa.register()
    for _ in range(3):
        psa.bill()
    deliveries = psa.deliver(204)

    key_urls = [json.loads(each.body)["Metadata"]["key_url"] for each in deliveries]
    keys = [fetch_key(psa, url).json()["signing_key"] for url in key_urls]

    assert len(set(key_urls)) == len(set(keys)) == urls
    for delivery, key in zip(deliveries, keys, strict=True):
        assert sign(key, delivery.body) == delivery.headers["x-content-signature"]


def test_a_delivery_that_is_sent_again_names_the_same_key() -> None:
    psa = PsaClient(callback_key_ids="per_delivery")
    psa.register()
    psa.bill()
    first = psa.deliver(429)

    psa.clock.advance(2)

    assert [each.body for each in psa.deliver(204)] == [each.body for each in first]


def test_keys_of_deliveries_outlive_a_rotation_and_are_limited() -> None:
    psa = PsaClient(callback_key_ids="per_delivery")
    keys = psa.tenant.signing_keys
    first = keys.make_for_delivery()

    keys.rotate()
    assert keys.find(first.id) == first

    for _ in range(MAX_DELIVERY_KEYS):
        keys.make_for_delivery()
    assert keys.find(first.id) is None


@pytest.mark.parametrize(
    ("access", "allowed"),
    [
        ("open", ["nothing", "client_id", "keys"]),
        ("client_id", ["client_id", "keys"]),
        ("authenticated", ["keys"]),
    ],
)
def test_the_key_may_need_a_client_id_or_keys(access: str, allowed: list[str]) -> None:
    psa = PsaClient(callback_key_access=access)
    psa.register()
    psa.bill()
    url = psa.messages()[0]["Metadata"]["key_url"]
    headers = {"nothing": {}, "client_id": {"clientId": "x"}, "keys": psa.headers}

    statuses = {name: fetch_key(psa, url, sent).status for name, sent in headers.items()}

    assert [name for name, status in statuses.items() if status == 200] == allowed


def test_an_unknown_key_is_not_found() -> None:
    psa = PsaClient()
    path = "http://127.0.0.1/v2025_1//system/callbackkey/index.rails"

    assert fetch_key(psa, f"{path}?companyName=summit1&id=x").status == 404
    assert fetch_key(psa, path).status == 404


@pytest.mark.parametrize(
    ("registered", "expected"),
    [
        ("https://x.example/h?recordId=", "https://x.example/h?recordId=7&action=updated"),
        ("https://x.example/h?a=1&recordId=", "https://x.example/h?a=1&recordId=7&action=updated"),
        ("https://x.example/h", "https://x.example/h?id=7&action=updated"),
        ("https://x.example/h?a=1", "https://x.example/h?a=1&id=7&action=updated"),
    ],
)
def test_the_record_and_the_action_follow_the_registered_url(
    registered: str, expected: str
) -> None:
    assert delivery_url(registered, 7, "updated") == expected
