"""Callbacks are registered here, and a change queues a signed message to each it concerns.

Types, levels, payload and signature follow the ConnectWise developer guide (callbacks) and
recorded deliveries.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from connectwise_sandbox.deliveries import Delivery, DeliveryState
from connectwise_sandbox.errors import invalid_object
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.messages import encode_json
from connectwise_sandbox.presentation import present
from connectwise_sandbox.schemas import FieldError, validate_new
from connectwise_sandbox.signing_keys import SigningKey
from connectwise_sandbox.tenant import Tenant, random_guid

OWNER = "owner"
OWNER_OBJECT_ID = 1
RESOURCE = Kind.CALLBACK.value
PAYLOAD_VERSION = "3.0.0"
UNRECOGNIZED_LEVEL = (
    "Unrecognized level for type, see documentation for supported levels for each type"
)


@dataclass(frozen=True, slots=True)
class Event:
    """An event is a change that callbacks tell of."""

    action: str
    """added, updated or deleted."""
    kind: Kind
    record: Record
    by: str
    """The identifier of the acting member."""


_TYPE_OF_KIND: Mapping[Kind, str] = {
    Kind.AGREEMENT: "agreement",
    Kind.COMPANY: "company",
    Kind.CONTACT: "contact",
    Kind.EXPENSE_ENTRY: "expense",
    Kind.INVOICE: "invoice",
    Kind.MEMBER: "member",
    Kind.SITE: "site",
    Kind.TICKET: "ticket",
    Kind.TIME_ENTRY: "time",
}
_FIELD_OF_LEVEL: Mapping[str, str] = {"chargetotype": "chargeToType", "class": "classification"}
LEVELS: Mapping[str, frozenset[str]] = {
    "activity": frozenset({OWNER, "company", "activity"}),
    "agreement": frozenset({OWNER, "type", "company", "agreement"}),
    "company": frozenset({OWNER, "status", "type", "territory", "company", "integratortag"}),
    "configuration": frozenset({OWNER, "status", "type", "company", "configuration"}),
    "contact": frozenset({OWNER, "type", "territory", "company", "contact"}),
    "expense": frozenset({OWNER, "chargetotype", "type", "class", "company", "expense"}),
    "invoice": frozenset({OWNER, "status", "company", "invoice"}),
    "member": frozenset({OWNER, "member"}),
    "opportunity": frozenset({OWNER, "status", "type", "company", "opportunity"}),
    "productcatalog": frozenset({OWNER, "productcatalog"}),
    "project": frozenset({OWNER, "status", "type", "company", "project"}),
    "purchaseorder": frozenset({OWNER, "status", "company", "purchaseorder"}),
    "schedule": frozenset({OWNER, "schedule"}),
    "site": frozenset({OWNER, "company", "site"}),
    "ticket": frozenset({OWNER, "status", "board", "company", "ticket"}),
    "time": frozenset({OWNER, "company", "time"}),
}


def sign(signing_key: str, body: bytes) -> str:
    """Return the `x-content-signature` of a body.

    It is the Base64 of an HMAC-SHA256 whose key is the 32 raw bytes of the signing key's SHA-256.
    """
    key = hashlib.sha256(signing_key.encode()).digest()
    return base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()


def registration_of(tenant: Tenant, body: object, *, own_id: int | None = None) -> Record:
    """Return the stored form of a callback entry that a client sent.

    Raises the InvalidObject error for missing fields, a bad URL, an unknown level or a
    duplicate of another entry than `own_id`.
    """
    errors = validate_new(RESOURCE, body)
    if errors:
        raise invalid_object(RESOURCE, errors)
    entry = dict(body) if isinstance(body, dict) else {}
    entry |= {name: str(entry[name]).lower() for name in ("type", "level")}
    if entry["level"] == OWNER:
        entry["objectId"] = OWNER_OBJECT_ID
    errors = [*_bad_url(entry["url"]), *_bad_level(entry["type"], entry["level"])]
    if _is_taken(tenant, entry, own_id):
        message = "A matching callback entry already exists"
        errors.append(FieldError("ObjectExists", message, RESOURCE, "objectId"))
    if errors:
        raise invalid_object(RESOURCE, errors)
    flags = ("inactiveFlag", "isSoapCallbackFlag", "isSelfSuppressedFlag")
    return entry | {
        "payloadVersion": PAYLOAD_VERSION,
        **{flag: entry.get(flag) is True for flag in flags},
    }


def _bad_url(url: str) -> Iterator[FieldError]:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in url
    except ValueError:
        usable = False
    if not usable:
        yield FieldError("InvalidField", "Invalid URL", RESOURCE, "url")


def _bad_level(type_name: str, level: str) -> Iterator[FieldError]:
    if type_name not in LEVELS:
        yield FieldError("InvalidObject", f"Unrecognized type, {type_name}", RESOURCE, "type")
    elif level not in LEVELS[type_name]:
        yield FieldError("InvalidObject", UNRECOGNIZED_LEVEL, RESOURCE, "level")


def _is_taken(tenant: Tenant, wanted: Record, own_id: int | None) -> bool:
    names = ("url", "type", "level", "objectId")
    return any(
        all(entry[name] == wanted[name] for name in names)
        for entry in tenant.store[Kind.CALLBACK]
        if entry["id"] != own_id
    )


def announce(tenant: Tenant, action: str, kind: Kind, record: Record, by: str) -> None:
    """Queue a delivery to every active callback that a change concerns."""
    type_name = _TYPE_OF_KIND.get(kind)
    if type_name is None:
        return
    for entry in tenant.store[Kind.CALLBACK]:
        if entry["type"] != type_name or entry["inactiveFlag"]:
            continue
        if entry["isSelfSuppressedFlag"] and by == tenant.identity.member_identifier:
            continue
        if _concerns(entry, record):
            _queue(tenant, entry, Event(action, kind, record, by))


def _concerns(entry: Record, record: Record) -> bool:
    level, object_id = entry["level"], entry["objectId"]
    if level == OWNER:
        return True
    if level == entry["type"]:
        return bool(record["id"] == object_id)
    if level == "type" and "types" in record:
        return any(each["id"] == object_id for each in record["types"])
    value = record.get(_FIELD_OF_LEVEL.get(level, level))
    return isinstance(value, dict) and value.get("id") == object_id


def _queue(tenant: Tenant, entry: Record, event: Event) -> None:
    switches, random = tenant.switches, tenant.random
    if random.random() < switches.callback_drop_rate:
        return
    keys = tenant.signing_keys
    key = keys.lasting if switches.callback_key_ids == "one" else keys.make_for_delivery()
    body = encode_json(payload_of(tenant, entry, event, key))
    signature = sign(key.text, body)
    delivery = Delivery(
        id=tenant.deliveries.next_id(),
        callback_id=entry["id"],
        record_id=event.record["id"],
        action=event.action,
        type=entry["type"],
        url=delivery_url(entry["url"], event.record["id"], event.action),
        headers={"content-type": "application/json", "x-content-signature": signature},
        body=body,
        due_at=tenant.now,
    )
    copies = 2 if random.random() < switches.callback_duplicate_rate else 1
    for copy in range(copies):
        seconds = switches.callback_delay_seconds
        seconds += random.random() * switches.callback_reorder_seconds
        delivery_id = delivery.id if copy == 0 else tenant.deliveries.next_id()
        due_at = delivery.due_at + timedelta(seconds=seconds)
        tenant.deliveries.put(replace(delivery, id=delivery_id, due_at=due_at))


def delivery_url(registered_url: str, record_id: int, action: str) -> str:
    """Return the URL of a delivery: the record id and the action follow the registered one.

    A URL that ends in `=` gets the id as that parameter's value, as the guide advises; any other
    gets a parameter `id` (our reading of the receivers that look for it).
    """
    if registered_url.endswith("="):
        return f"{registered_url}{record_id}&action={action}"
    joint = "&" if "?" in registered_url else "?"
    return f"{registered_url}{joint}id={record_id}&action={action}"


def payload_of(tenant: Tenant, entry: Record, event: Event, key: SigningKey) -> dict[str, Any]:
    """Return the message of a delivery; `Entity` is JSON in a string, null for a deletion."""
    identity = tenant.identity
    entity = None
    if event.action != "deleted":
        entity = encode_json(present(tenant, event.kind, event.record)).decode()
    return {
        "MessageId": random_guid(tenant.random),
        "FromUrl": urlsplit(tenant.base_url).netloc,
        "CompanyId": identity.company_id,
        "MemberId": event.by,
        "Action": event.action,
        "Type": entry["type"],
        "ID": event.record["id"],
        "ProductInstanceId": identity.product_instance_id,
        "PartnerId": identity.partner_id,
        "CallbackObjectRecId": entry["id"],
        "Entity": entity,
        "Metadata": {"key_url": key_url(tenant, key)},
    }


def key_url(tenant: Tenant, key: SigningKey) -> str:
    """Return the URL that serves a signing key of this company's callbacks."""
    query = f"companyName={tenant.identity.company_id}&id={key.id}"
    return f"{tenant.base_url}/{tenant.codebase}/system/callbackkey/index.rails?{query}"


def record_delivery_result(tenant: Tenant, delivery_id: int, status: int | None) -> Delivery:
    """Note the answer to a delivery and disable the callback after three days of failure."""
    delivery = tenant.deliveries.record_result(
        delivery_id,
        status,
        tenant.now,
        retry_server_errors=tenant.switches.callback_server_error == "retried",
    )
    callback_id = delivery.callback_id
    if delivery.state is DeliveryState.LOST and tenant.deliveries.has_failed_for_days(callback_id):
        _disable(tenant, callback_id)
    return delivery


def _disable(tenant: Tenant, callback_id: int) -> None:
    entry = tenant.store[Kind.CALLBACK].get(callback_id)
    if entry is not None:
        tenant.change(Kind.CALLBACK, entry | {"inactiveFlag": True}, by="zAdmin")
    tenant.deliveries.forget_failures(callback_id)
