"""Contacts are served here with their communications, the ways to reach them."""

from __future__ import annotations

from connectwise_sandbox.bodies import read_json
from connectwise_sandbox.errors import invalid_object, record_not_found
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.listing import answer_count, answer_list
from connectwise_sandbox.messages import Response, json_response
from connectwise_sandbox.patch import PatchError, apply_patch
from connectwise_sandbox.permissions import Rows
from connectwise_sandbox.resources import READ_WRITE, Resource
from connectwise_sandbox.routing import Call, Router
from connectwise_sandbox.schemas import FieldError, property_names, validate_new
from connectwise_sandbox.tenant import Tenant

CONTACTS = "/company/contacts"
EMAIL = "Email"
_RESOURCE = "contactCommunication"


class Contacts(Resource):
    """This resource serves contacts; communications are a property and a list of their own."""

    def __init__(self) -> None:
        super().__init__(Kind.CONTACT, CONTACTS, Rows.CONTACTS, methods=READ_WRITE)

    def install(self, router: Router) -> None:
        """Register the routes of contacts and of their communications."""
        super().install(router)
        path = f"{CONTACTS}/{{id}}/communications"
        one = f"{path}/{{communicationId}}"
        for method, template, handler in (
            ("GET", path, self.list_communications),
            ("POST", path, self.add_communication),
            ("GET", f"{path}/count", self.count_communications),
            ("GET", one, self.read_communication),
            ("PUT", one, self.change_communication),
            ("PATCH", one, self.change_communication),
            ("DELETE", one, self.delete_communication),
        ):
            router.add(method, template, handler, self.right(method))

    def add(self, tenant: Tenant, record: Record, by: str) -> Record:
        """Store a contact and give its communications ids."""
        items = record.get("communicationItems", [])
        numbered = [
            {"id": tenant.next_item_id(), **with_domain(_without_id(item))} for item in items
        ]
        extra = {"communicationItems": numbered} if numbered else {}
        return tenant.add(Kind.CONTACT, record | extra, by)

    def list_communications(self, call: Call) -> Response:
        """Answer one page of a contact's communications."""
        rows = _list_communications(self.find(call))
        return answer_list(
            call.tenant, call.request, Kind.COMMUNICATION_TYPE, lambda _: rows, _RESOURCE
        )

    def count_communications(self, call: Call) -> Response:
        """Answer the number of a contact's communications."""
        rows = _list_communications(self.find(call))
        return answer_count(call.request, lambda _: rows, _RESOURCE)

    def read_communication(self, call: Call) -> Response:
        """Answer one communication."""
        return json_response(200, _find_communication(self.find(call), call))

    def add_communication(self, call: Call) -> Response:
        """Add a communication to a contact."""
        contact, body = self.find(call), read_json(call.request)
        _validate(body)
        item = {"id": call.tenant.next_item_id(), **with_domain(_without_id(body))}
        stored = set_communication(call.tenant, contact, item, call.member)
        return json_response(201, item | {"contactId": stored["id"]})

    def change_communication(self, call: Call) -> Response:
        """Change one communication."""
        contact, body = self.find(call), read_json(call.request)
        before = _find_communication(contact, call)
        if call.request.method == "PATCH":
            body = _apply_operations(before, body)
        _validate(body)
        item = {"id": before["id"], **with_domain(_without_id(body))}
        set_communication(call.tenant, contact, item, call.member)
        return json_response(200, item | {"contactId": contact["id"]})

    def delete_communication(self, call: Call) -> Response:
        """Take a communication from a contact."""
        contact = self.find(call)
        gone = _find_communication(contact, call)
        items = [each for each in contact["communicationItems"] if each["id"] != gone["id"]]
        call.tenant.change(Kind.CONTACT, contact | {"communicationItems": items}, call.member)
        return Response(204)


def with_domain(item: Record) -> Record:
    """Return a communication with the domain that ConnectWise shows for an e-mail address."""
    _, at, domain = str(item.get("value", "")).rpartition("@")
    return item | {"domain": at + domain} if item.get("communicationType") == EMAIL and at else item


def set_communication(tenant: Tenant, contact: Record, item: Record, by: str) -> Record:
    """Store one communication of a contact, in place of the one with its id, if any."""
    others = [each for each in contact.get("communicationItems", []) if each["id"] != item["id"]]
    if item.get("defaultFlag"):
        kind = item.get("communicationType")
        others = [
            each | {"defaultFlag": False} if each.get("communicationType") == kind else each
            for each in others
        ]
    items = sorted([*others, with_domain(item)], key=lambda each: each["id"])
    return tenant.change(Kind.CONTACT, contact | {"communicationItems": items}, by)


def _list_communications(contact: Record) -> list[Record]:
    items = contact.get("communicationItems", [])
    return [item | {"contactId": contact["id"]} for item in items]


def _find_communication(contact: Record, call: Call) -> Record:
    wanted = call.ids["communicationId"]
    for row in _list_communications(contact):
        if row["id"] == wanted:
            return row
    raise record_not_found("Communication", wanted)


def _without_id(item: Record) -> Record:
    return {name: value for name, value in item.items() if name not in ("id", "contactId")}


def _validate(body: object) -> None:
    errors = validate_new(_RESOURCE, body)
    if errors:
        raise invalid_object(_RESOURCE, errors)


def _apply_operations(before: Record, operations: object) -> Record:
    try:
        return apply_patch(before, operations, properties=property_names(_RESOURCE))
    except PatchError as error:
        detail = FieldError(error.code, error.message, _RESOURCE, error.field)
        raise invalid_object(_RESOURCE, [detail]) from error
