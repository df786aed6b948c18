"""Lists answer with the records, order, page and fields that a request asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectwise_sandbox.errors import bad_request, corrupt_page
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.messages import JSON_TYPE, Request, Response, encode_json, json_response
from connectwise_sandbox.odd_pages import in_forward_order, page_rows, require_light_page
from connectwise_sandbox.outward_forms import form_of
from connectwise_sandbox.paging import (
    forward_page,
    navigable_page,
    read_page_request,
)
from connectwise_sandbox.presentation import present
from connectwise_sandbox.query import (
    Order,
    QueryError,
    Shape,
    compile_child_conditions,
    compile_conditions,
    compile_custom_field_conditions,
    compile_order_by,
    read_bounds,
    select_fields,
    selected_names,
    shape_of,
)
from connectwise_sandbox.records import Records, Test
from connectwise_sandbox.store import Table
from connectwise_sandbox.tenant import Tenant

Source = Callable[[str], Iterable[Record]]
"""Gives the records of a list in order of id; from the request's conditions, its argument, it may
tell records that it can leave out beforehand."""

KEPT_ORDERS = frozenset({"id", "id asc"})
"""The order of every source, so that asking for it is free."""

_FILTERS: Mapping[str, Callable[[str, Shape], Test]] = {
    "conditions": compile_conditions,
    "childConditions": compile_child_conditions,
    "customFieldConditions": lambda text, _: compile_custom_field_conditions(text),
}
_SHOWING_MORE = frozenset({Kind.PAYMENT, Kind.MEMBER})
"""Kinds whose records show what is stored elsewhere: of an invoice, or of the caller's rights."""
MAX_KEPT_FORMS = 8
"""Forms of one record; clients ask for few different ones."""


def narrow_table(table: Table, conditions: str, shape: Shape) -> Records:
    """Return a part of the table that holds every record which meets the conditions.

    Where indexes know all that the conditions say, the records note that they meet them, which
    spares applying the conditions to each. Raises the 400 for unreadable conditions.
    """
    try:
        bounds = read_bounds(conditions, shape)
    except QueryError as error:
        raise bad_request(error.message) from error
    rows, is_exact = table.within(bounds)
    return rows.meeting(conditions) if is_exact and bounds.is_whole else rows


def filter_records(request: Request, source: Source, shape: Shape) -> Records:
    """Return the records that meet the three kinds of conditions of a request.

    Raises the 400 for unreadable conditions, and so do the rows where types differ.
    """
    conditions = request.parameter("conditions") or ""
    given = source(conditions)
    rows = given if isinstance(given, Records) else Records.of(given)
    try:
        for name, compile_filter in _FILTERS.items():
            text = request.parameter(name)
            if text and text.strip() and not (name == "conditions" and rows.met == text):
                rows = rows.where(compile_filter(text, shape))
    except QueryError as error:
        raise bad_request(error.message) from error
    return rows


def answer_list(
    tenant: Tenant, request: Request, kind: Kind, source: Source, shape_name: str | None = None
) -> Response:
    """Return the page of a list that a request asks for, as a bare array.

    `shape_name` names the model of records that have another one than their kind.
    """
    switches, shape = tenant.switches, shape_of(shape_name or kind.value)
    asked = read_page_request(request)
    rows_of_page = page_rows(switches, asked.size)
    wanted = asked if asked.size == rows_of_page else replace(asked, size=rows_of_page)
    url = f"{tenant.base_url}{request.path}"
    try:
        rows = filter_records(request, source, shape)
        if wanted.forward_only:
            part = in_forward_order(switches, rows.after(wanted.after_id)[: wanted.size])
            page, link = forward_page(request, url, part, wanted, switches.forward_only_end)
        else:
            page, link = navigable_page(request, url, order_rows(request, rows, shape), wanted)
    except QueryError as error:
        raise bad_request(error.message) from error
    require_light_page(switches, len(page))
    _check_corruption(tenant, kind, page)
    headers = {"content-type": JSON_TYPE, **({"link": link} if switches.link_header else {})}
    return Response(200, headers, _written(tenant, request, kind, page))


def answer_count(request: Request, source: Source, shape_name: str) -> Response:
    """Return the number of records that meet the conditions of a request, as the answer."""
    shape = shape_of(shape_name)
    try:
        _compile_order(request, shape)
        return json_response(200, {"count": len(filter_records(request, source, shape))})
    except QueryError as error:
        raise bad_request(error.message) from error


def order_rows(request: Request, rows: Records, shape: Shape) -> Sequence[Record]:
    """Return the rows in the order that a request asks for; raises QueryError for a bad one."""
    order = _compile_order(request, shape)
    return rows.counted() if order is None else order(rows)  # type: ignore[return-value]


def _compile_order(request: Request, shape: Shape) -> Order | None:
    """Return the order that a request asks for, None for that of every list."""
    text = (request.parameter("orderBy") or "").strip()
    return compile_order_by(text, shape) if text and text.lower() not in KEPT_ORDERS else None


def select_properties(request: Request, rows: Sequence[Record]) -> list[Any]:
    """Return the rows with only the fields that a request asks for."""
    fields = request.parameter("fields")
    if not fields or not fields.strip():
        return list(rows)
    try:
        select = select_fields(fields)
        return [select(row) for row in rows]
    except QueryError as error:
        raise bad_request(error.message) from error


def read_asked_properties(request: Request) -> frozenset[str] | None:
    """Return the properties that a request asks for, None for all of them."""
    fields = request.parameter("fields")
    if not fields or not fields.strip():
        return None
    try:
        return selected_names(fields)
    except QueryError as error:
        raise bad_request(error.message) from error


def _written(tenant: Tenant, request: Request, kind: Kind, page: Sequence[Record]) -> bytes:
    """Return a page as JSON. What a record looks like is kept with it, if it shows nothing else."""
    only = read_asked_properties(request)
    form = (request.parameter("fields"), tenant.api_url, form_of(tenant.switches))
    table, rows = tenant.store[kind], list[bytes]()
    for row in page:
        is_kept = kind not in _SHOWING_MORE and (kind, row["id"]) not in tenant.corruptions
        forms = table.forms(row) if is_kept else {}
        if form not in forms:
            if len(forms) >= MAX_KEPT_FORMS:
                forms.clear()
            forms[form] = encode_json(_shown(tenant, request, kind, row, only))
        rows.append(forms[form])
    return b"[%b]" % b",".join(rows)


def _shown(
    tenant: Tenant, request: Request, kind: Kind, row: Record, only: frozenset[str] | None
) -> object:
    corruption = tenant.corruptions.get((kind, row["id"]))
    if corruption is not None and corruption.raw_row is not None:
        return corruption.raw_row
    return select_properties(request, [present(tenant, kind, row, only)])[0]


def _check_corruption(tenant: Tenant, kind: Kind, page: Sequence[Record]) -> None:
    if not tenant.corruptions:
        return
    for row in page:
        corruption = tenant.corruptions.get((kind, row["id"]))
        limit = corruption.fails_above_rows if corruption else None
        if limit is not None and len(page) > limit:
            raise corrupt_page()
