"""A resource serves the records of one kind over HTTP; subclasses add the rules of their kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from connectwise_sandbox.bodies import complete_record, read_json
from connectwise_sandbox.errors import (
    corrupt_page,
    invalid_object,
    record_hidden,
    record_not_found,
)
from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.listing import (
    answer_count,
    answer_list,
    narrow_table,
    read_asked_properties,
    select_properties,
)
from connectwise_sandbox.messages import Response, json_response
from connectwise_sandbox.patch import PatchError, apply_patch
from connectwise_sandbox.permissions import ACTION_OF_METHOD, Action, Row
from connectwise_sandbox.presentation import present
from connectwise_sandbox.query import shape_of
from connectwise_sandbox.records import Records
from connectwise_sandbox.routing import Call, Handler, Router
from connectwise_sandbox.schemas import FieldError, property_names, validate_new
from connectwise_sandbox.sight import is_in_sight, sees_everything
from connectwise_sandbox.tenant import Tenant, label_of

READ_ONLY = frozenset({"GET"})
READ_WRITE = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent owns the nested records below its path."""

    kind: Kind
    field: str
    """The field in which nested records name their parent."""


class Resource:
    """A resource lists, reads and writes the records of one kind below one path.

    Subclasses override `add`, `change` and `remove` where their kind has rules of its own.
    """

    set_by_server: ClassVar[frozenset[str]] = frozenset()
    """Properties that only ConnectWise itself sets."""
    never_empty: ClassVar[frozenset[str]] = frozenset()
    """Properties that keep their value when a client leaves them out."""

    def __init__(
        self,
        kind: Kind,
        path: str,
        row: Row | None,
        *,
        methods: Iterable[str] = READ_ONLY,
        parent: Parent | None = None,
        has_count: bool = True,
        row_action: Action | None = None,
    ) -> None:
        self.kind = kind
        self.path = path
        self.row = row
        """The row of the security matrix that governs the records; None admits every member."""
        self.methods = frozenset(methods)
        self.parent = parent
        self.has_count = has_count
        """Whether the path has a `/count`."""
        self.row_action = row_action
        """The one action of the row that covers all methods; None goes by the method."""

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
        if self.has_count:
            router.add("GET", f"{self.path}/count", self.count, self.right("GET"))

    def right(self, method: str) -> tuple[Row, Action] | None:
        """Return the cell of the security matrix that a method needs."""
        action = self.row_action or ACTION_OF_METHOD[method]
        return (self.row, action) if self.row else None

    # Handlers ------------------------------------------------------------------------------

    def list(self, call: Call) -> Response:
        """Answer one page of records."""
        return answer_list(
            call.tenant, call.request, self.kind, lambda conditions: self.rows(call, conditions)
        )

    def count(self, call: Call) -> Response:
        """Answer the number of records."""
        return answer_count(
            call.request, lambda conditions: self.rows(call, conditions), self.kind.value
        )

    def read(self, call: Call) -> Response:
        """Answer one record."""
        record = self.find(call)
        corruption = call.tenant.corruptions.get((self.kind, record["id"]))
        if corruption is not None and corruption.fails_above_rows == 0:
            raise corrupt_page()
        if corruption is not None and corruption.raw_row is not None:
            return json_response(200, corruption.raw_row)
        return self.answer(call, 200, record)

    def create(self, call: Call) -> Response:
        """Store a new record."""
        body = read_json(call.request)
        self.validate(body)
        record = complete_record(call.tenant, self.kind, body)
        if self.parent is not None:
            record[self.parent.field] = self.reference_to_parent(call)
        return self.answer(call, 201, self.add(call.tenant, record, call.member))

    def replace(self, call: Call) -> Response:
        """Store a record in place of another; the body clears the properties that it omits."""
        before = self.find(call)
        body = read_json(call.request)
        self.validate(body)
        own = {"id", "_info", *self.set_by_server, *([self.parent.field] if self.parent else [])}
        after = {name: value for name, value in body.items() if name not in own}
        after |= {name: before[name] for name in own if name in before}
        after = complete_record(call.tenant, self.kind, self._filled(before, after), before)
        return self.answer(call, 200, self.change(call.tenant, before, after, call.member))

    def patch(self, call: Call) -> Response:
        """Apply a JSON patch."""
        before = self.find(call)
        after = self.apply_operations(before, read_json(call.request))
        after = complete_record(call.tenant, self.kind, after, before)
        return self.answer(call, 200, self.change(call.tenant, before, after, call.member))

    def delete(self, call: Call) -> Response:
        """Remove a record."""
        self.remove(call.tenant, self.find(call), call.member)
        return Response(204)

    # Rules of the kind -----------------------------------------------------------------------

    def add(self, tenant: Tenant, record: Record, by: str) -> Record:
        """Store a new record and return it."""
        return tenant.add(self.kind, record, by)

    def change(
        self,
        tenant: Tenant,
        before: Record,  # noqa: ARG002 - for the kinds with rules about what may change
        after: Record,
        by: str,
    ) -> Record:
        """Store `after` in place of `before` and return it."""
        return tenant.change(self.kind, after, by)

    def remove(self, tenant: Tenant, record: Record, by: str) -> None:
        """Remove a record."""
        tenant.remove(self.kind, record["id"], by)

    def is_visible(self, tenant: Tenant, record: Record) -> bool:
        """Return whether a record lies in the API member's part of the organisation."""
        return is_in_sight(tenant.switches, record)

    # Shared steps ----------------------------------------------------------------------------

    def rows(self, call: Call, conditions: str) -> Records:
        """Return the visible records from which a list of this call is taken, by id."""
        tenant = call.tenant
        table = tenant.store[self.kind]
        if self.parent is None:
            rows = narrow_table(table, conditions, shape_of(self.kind.value))
        else:
            parent_id = call.ids["parentId"]
            tenant.get(self.parent.kind, parent_id)
            rows = table.rows_referring(self.parent.field, parent_id)
        if sees_everything(tenant.switches):
            return rows
        return rows.where(lambda record: self.is_visible(tenant, record))

    def find(self, call: Call) -> Record:
        """Return the record that a call names; raises its 404."""
        record = call.tenant.get(self.kind, call.ids["id"])
        if not self._belongs(call, record):
            raise record_not_found(label_of(self.kind), record["id"])
        if not self.is_visible(call.tenant, record):
            status = call.tenant.switches.hidden_record_status
            raise record_hidden(label_of(self.kind), record["id"], status)
        return record

    def reference_to_parent(self, call: Call) -> Any:
        """Return the reference or id by which a new record names its parent; raises its 404."""
        if self.parent is None:
            raise ValueError(f"{self.kind} has no parent")
        parent = call.tenant.get(self.parent.kind, call.ids["parentId"])
        is_plain_id = self.parent.field.endswith("Id")
        return parent["id"] if is_plain_id else reference_to(self.parent.kind, parent)

    def validate(self, body: object) -> None:
        """Raise the InvalidObject error unless a body is a record of this kind."""
        errors = validate_new(self.kind.value, body)
        if errors:
            raise invalid_object(self.kind.value, errors)

    def apply_operations(self, before: Record, operations: object) -> Record:
        """Return a record after a patch; raises the InvalidObject error for a bad patch."""
        properties = property_names(self.kind.value)
        try:
            after: Record = apply_patch(before, operations, properties=properties)
        except PatchError as error:
            detail = FieldError(error.code, error.message, self.kind.value, error.field)
            raise invalid_object(self.kind.value, [detail]) from error
        for name in self.set_by_server:
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
        """Answer a record with the fields that the call asks for."""
        shown = present(call.tenant, self.kind, record, read_asked_properties(call.request))
        return json_response(status, select_properties(call.request, [shown])[0])

    def _filled(self, before: Record, after: Record) -> Record:
        """Return `after` with its missing `never_empty` properties restored from `before`."""
        empty = {name for name in self.never_empty if after.get(name) is None}
        return after | {name: before[name] for name in empty if name in before}

    def _belongs(self, call: Call, record: Record) -> bool:
        if self.parent is None:
            return True
        value = record.get(self.parent.field)
        owner_id = value.get("id") if isinstance(value, dict) else value
        return owner_id == call.ids["parentId"]
