"""Lists answer with the records, order, page and fields that a request asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from connectwise_sandbox.errors import bad_request, corrupt_page
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.messages import JSON_TYPE, Request, Response, encode_json, json_response
from connectwise_sandbox.paging import (
    forward_page,
    navigable_page,
    read_page_request,
)
from connectwise_sandbox.presentation import present
from connectwise_sandbox.query import (
    QueryError,
    compile_child_conditions,
    compile_conditions,
    compile_custom_field_conditions,
    compile_order_by,
    select_fields,
    selected_names,
)
from connectwise_sandbox.store import Table
from connectwise_sandbox.tenant import Tenant

Source = Callable[[str], Iterable[Record]]
"""Gives the records of a list in order of id; from the request's conditions, its argument, it may
tell records that it can leave out beforehand."""

KEPT_ORDER = "id"
"""The order of every source, so that asking for it is free."""

_FILTERS: Mapping[str, Callable[[str], Callable[[Record], bool]]] = {
    "conditions": compile_conditions,
    "childConditions": compile_child_conditions,
    "customFieldConditions": compile_custom_field_conditions,
}
_SHOWING_MORE = frozenset({Kind.PAYMENT, Kind.MEMBER})
"""Kinds whose records show what is stored elsewhere: of an invoice, or of the caller's rights."""
MAX_KEPT_FORMS = 8
"""Forms of one record; clients ask for few different ones."""
_LEADING_IDS = re.compile(
    r"\s*(?:(?P<field>\w+)/)?id\s*(?:=\s*(?P<one>\d+)|in\s*\((?P<many>[\d\s,]+)\))\s*(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_OR = re.compile(r"\bor\b", re.IGNORECASE)


def narrow_table(table: Table, conditions: str) -> Iterable[Record]:
    """Return a part of the table that holds every record which meets the conditions.

    The index serves conditions that begin with `id` or an indexed reference and are free of `or`;
    all others get the whole table. The conditions themselves are still to be applied.
    """
    match = _LEADING_IDS.match(conditions)
    if match is None or _OR.search(match["rest"]):
        return table
    ids = [int(text) for text in re.findall(r"\d+", match["one"] or match["many"] or "")]
    field = match["field"]
    if field is None:
        return table.among(ids)
    return table.referring(field, ids) if table.is_indexed(field) else table


def filter_records(request: Request, source: Source) -> list[Record]:
    """Return the records that meet the three kinds of conditions of a request.

    Raises the 400 for unreadable conditions.
    """
    rows = source(request.parameter("conditions") or "")
    try:
        for name, compile_filter in _FILTERS.items():
            text = request.parameter(name)
            if text and text.strip():
                rows = filter(compile_filter(text), rows)
        return list(rows)
    except QueryError as error:
        raise bad_request(error.message) from error


def answer_list(tenant: Tenant, request: Request, kind: Kind, source: Source) -> Response:
    """Return the page of a list that a request asks for, as a bare array."""
    switches = tenant.switches
    wanted = read_page_request(request, switches.oversized_page)
    rows = sort_records(request, filter_records(request, source))
    url = f"{tenant.base_url}{request.path}"
    if wanted.forward_only:
        rows = [row for row in rows if row["id"] > wanted.after_id]
        page, link = forward_page(request, url, rows, wanted, switches.forward_only_end)
    else:
        page, link = navigable_page(request, url, rows, wanted)
    _check_corruption(tenant, kind, page)
    return Response(
        200, {"content-type": JSON_TYPE, "link": link}, _written(tenant, request, kind, page)
    )


def answer_count(request: Request, source: Source) -> Response:
    """Return the number of records that meet the conditions of a request, as the answer."""
    return json_response(200, {"count": len(filter_records(request, source))})


def sort_records(request: Request, rows: Sequence[Record]) -> Sequence[Record]:
    """Return the rows in the order that a request asks for; raises the 400 for a bad one."""
    order_by = request.parameter("orderBy")
    if not order_by or not order_by.strip() or order_by == KEPT_ORDER:
        return rows
    try:
        return compile_order_by(order_by)(rows)  # type: ignore[return-value]
    except QueryError as error:
        raise bad_request(error.message) from error


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
    form = (request.parameter("fields"), tenant.api_url)
    table, rows = tenant.store[kind], list[bytes]()
    for row in page:
        is_kept = kind not in _SHOWING_MORE and (kind, row["id"]) not in tenant.corruptions
        forms = table.forms(row) if is_kept else {}
        if form not in forms:
            if len(forms) >= MAX_KEPT_FORMS:
                forms.clear()
            shown = present(tenant, kind, row, only)
            forms[form] = encode_json(select_properties(request, [shown])[0])
        rows.append(forms[form])
    return b"[%b]" % b",".join(rows)


def _check_corruption(tenant: Tenant, kind: Kind, page: Sequence[Record]) -> None:
    if not tenant.corruptions:
        return
    for row in page:
        corruption = tenant.corruptions.get((kind, row["id"]))
        limit = corruption.fails_above_rows if corruption else None
        if limit is not None and len(page) > limit:
            raise corrupt_page()
