"""What every kind of record can do over HTTP, and where its rules differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from connectwise_sandbox.bodies import read_json, resolved
from connectwise_sandbox.errors import (
    corrupt_page,
    invalid_object,
    record_not_found,
)
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.listing import (
    answer_count,
    answer_list,
    asked_properties,
    narrowed,
    selected,
)
from connectwise_sandbox.messages import Response, json_response
from connectwise_sandbox.patch import PatchError, apply_patch
from connectwise_sandbox.permissions import ACTION_OF_METHOD, Action, Row
from connectwise_sandbox.presentation import present
from connectwise_sandbox.routing import Call, Handler, Router
from connectwise_sandbox.schemas import FieldError, property_names, validate_new
from connectwise_sandbox.tenant import Tenant, label_of

READ_ONLY = frozenset({"GET"})
READ_WRITE = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Parent:
    """The record that nested ones belong to, and the field in which they name it."""

    kind: Kind
    field: str


class Resource:
    """Lists, reads and writes the records of one kind below one path.

    `row` is the row of the security matrix that governs it (None: open to every member), and
    `row_action` an action that stands for every method. `kept` are the properties that only
    ConnectWise itself sets, `never_empty` those that stay as they were when a client leaves them
    out. Subclasses override `creating`, `changing` and `deleting` where the kind has rules of
    its own.
    """

    kept: ClassVar[frozenset[str]] = frozenset()
    never_empty: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        kind: Kind,
        path: str,
        row: Row | None,
        *,
        methods: Iterable[str] = READ_ONLY,
        parent: Parent | None = None,
        counted: bool = True,
        row_action: Action | None = None,
    ) -> None:
        self.kind = kind
        self.path = path
        self.row = row
        self.methods = frozenset(methods)
        self.parent = parent
        self.counted = counted
        self.row_action = row_action

    def install(self, router: Router) -> None:
        """Register every route of this resource."""
        one = f"{self.path}/{{id}}"
        handlers: Mapping[tuple[str, str], Handler] = {
            ("GET", self.path): self.list,
            ("POST", self.path): self.create,
            ("GET", one): self.read,
            ("PUT", one): self.replace,
            ("PATCH", one): self.patch,
            ("DELETE", one): self.delete,
        }
        for (method, template), handler in handlers.items():
            if method in self.methods:
                router.add(method, template, handler, self.right(method))
        if self.counted:
            router.add("GET", f"{self.path}/count", self.count, self.right("GET"))

    def right(self, method: str) -> tuple[Row, Action] | None:
        """Return the cell of the security matrix that a method needs."""
        action = self.row_action or ACTION_OF_METHOD[method]
        return (self.row, action) if self.row else None

    # What clients call ---------------------------------------------------------------------

    def list(self, call: Call) -> Response:
        """Answer one page."""
        return answer_list(
            call.tenant, call.request, self.kind, lambda conditions: self.rows(call, conditions)
        )

    def count(self, call: Call) -> Response:
        """Answer how many there are."""
        return answer_count(call.request, lambda conditions: self.rows(call, conditions))

    def read(self, call: Call) -> Response:
        """Answer one record."""
        record = self.find(call)
        corruption = call.tenant.corruptions.get((self.kind, record["id"]))
        if corruption is not None and corruption.fails_above_rows == 0:
            raise corrupt_page()
        return self.answer(call, 200, record)

    def create(self, call: Call) -> Response:
        """Store a new record."""
        body = read_json(call.request)
        self.validate(body)
        record = resolved(call.tenant, self.kind, body)
        if self.parent is not None:
            record[self.parent.field] = self.reference_to_parent(call)
        return self.answer(call, 201, self.creating(call.tenant, record, call.member))

    def replace(self, call: Call) -> Response:
        """Store a record in place of another; what the body leaves out is cleared."""
        before = self.find(call)
        body = read_json(call.request)
        self.validate(body)
        own = {"id", "_info", *self.kept, *([self.parent.field] if self.parent else [])}
        after = {name: value for name, value in body.items() if name not in own}
        after |= {name: before[name] for name in own if name in before}
        after = resolved(call.tenant, self.kind, self._filled(before, after), before)
        return self.answer(call, 200, self.changing(call.tenant, before, after, call.member))

    def patch(self, call: Call) -> Response:
        """Apply a JSON patch."""
        before = self.find(call)
        after = self.patched(before, read_json(call.request))
        after = resolved(call.tenant, self.kind, after, before)
        return self.answer(call, 200, self.changing(call.tenant, before, after, call.member))

    def delete(self, call: Call) -> Response:
        """Remove a record."""
        self.deleting(call.tenant, self.find(call), call.member)
        return Response(204)

    # What the kinds do in their own way ------------------------------------------------------

    def creating(self, tenant: Tenant, record: Record, by: str) -> Record:
        """Store a new record and return it."""
        return tenant.add(self.kind, record, by)

    def changing(
        self,
        tenant: Tenant,
        before: Record,  # noqa: ARG002 - for the kinds with rules about what may change
        after: Record,
        by: str,
    ) -> Record:
        """Store `after` in place of `before` and return it."""
        return tenant.change(self.kind, after, by)

    def deleting(self, tenant: Tenant, record: Record, by: str) -> None:
        """Remove a record."""
        tenant.remove(self.kind, record["id"], by)

    def is_visible(self, tenant: Tenant, record: Record) -> bool:
        """Return whether the API member sees a record (by its part of the organisation)."""
        visible = tenant.switches.visible_location_ids
        if visible is None:
            return True
        location_id = record.get("locationId") or record.get("location", {}).get("id")
        return location_id is None or location_id in visible

    # Shared steps ----------------------------------------------------------------------------

    def rows(self, call: Call, conditions: str) -> Iterable[Record]:
        """Return the visible records that a list of this call is taken from, by id."""
        table = call.tenant.store[self.kind]
        if self.parent is None:
            records = narrowed(table, conditions)
        else:
            parent_id = call.ids["parentId"]
            call.tenant.get(self.parent.kind, parent_id)
            records = table.referring(self.parent.field, [parent_id])
        return (record for record in records if self.is_visible(call.tenant, record))

    def find(self, call: Call) -> Record:
        """Return the record that a call is about; raises its 404."""
        record = call.tenant.get(self.kind, call.ids["id"])
        if not self.is_visible(call.tenant, record) or not self._belongs(call, record):
            raise record_not_found(label_of(self.kind), record["id"])
        return record

    def reference_to_parent(self, call: Call) -> Any:
        """Return how a new record names its parent; raises the parent's 404."""
        if self.parent is None:
            raise ValueError(f"{self.kind} has no parent")
        parent = call.tenant.get(self.parent.kind, call.ids["parentId"])
        is_plain_id = self.parent.field.endswith("Id")
        return parent["id"] if is_plain_id else reference_to(self.parent.kind, parent)

    def validate(self, body: object) -> None:
        """Raise the InvalidObject error for a body that is no record of this kind."""
        errors = validate_new(self.kind.value, body)
        if errors:
            raise invalid_object(self.kind.value, errors)

    def patched(self, before: Record, operations: object) -> Record:
        """Return a record with a patch applied; raises the InvalidObject error for a bad one."""
        properties = property_names(self.kind.value)
        try:
            after: Record = apply_patch(before, operations, properties=properties)
        except PatchError as error:
            detail = FieldError(error.code, error.message, self.kind.value, error.field)
            raise invalid_object(self.kind.value, [detail]) from error
        for name in self.kept:
            after.pop(name, None)
            if name in before:
                after[name] = before[name]
        after = self._filled(before, after)
        changed = {
            name for name in after.keys() | before.keys() if after.get(name) != before.get(name)
        }
        errors = [
            error
            for error in validate_new(self.kind.value, after)
            if error.field.partition("/")[0] in changed
        ]
        if errors:
            raise invalid_object(self.kind.value, errors)
        return after

    def answer(self, call: Call, status: int, record: Record) -> Response:
        """Return a record as the whole answer, with only the fields asked for."""
        shown = present(call.tenant, self.kind, record, asked_properties(call.request))
        return json_response(status, selected(call.request, [shown])[0])

    def _filled(self, before: Record, after: Record) -> Record:
        """Return `after` with what may not be empty as it was before."""
        empty = {name for name in self.never_empty if after.get(name) is None}
        return after | {name: before[name] for name in empty if name in before}

    def _belongs(self, call: Call, record: Record) -> bool:
        if self.parent is None:
            return True
        value = record.get(self.parent.field)
        owner_id = value.get("id") if isinstance(value, dict) else value
        return owner_id == call.ids["parentId"]
