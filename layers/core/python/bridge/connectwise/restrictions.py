"""An API member may be limited to a part of the books; this module finds out its limits.

ConnectWise leaves records outside a member's sight out of its lists and counts, so the mirror of
such a member looks whole. Two reads tell: the member's own record (its level in the organisation,
its location and department), and the levels of its security role, "All" or "My".
Sources: ConnectWise public interface 2025.1, members; public clients of ``/system/mySecurity``,
which older versions lack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.connectwise.call_limits import PAGE
from bridge.connectwise.client import ConnectWiseClient, Query
from bridge.connectwise.failures import UnroutedError
from bridge.connectwise.wire_values import text_of
from bridge.domain.errors import NotFoundError, PermissionMissingError, RefusedError
from bridge.domain.permissions import (
    INVOICING_INQUIRE,
    REQUIRED_RIGHTS,
    Bound,
    Column,
    Restriction,
    Right,
)

MEMBERS = "/system/members"
MY_SECURITY = "/system/mySecurity"

_MEMBER_FIELDS = (
    "id,identifier,structureLevel,securityLocation,defaultLocation,defaultDepartment,"
    "restrictLocationFlag,restrictDepartmentFlag"
)
_CORPORATE = 1
"""The level that sees the whole organisation; deeper ones have higher numbers."""
_MAX_RESTRICTIONS = 20
_CUSTOMIZE = "(customize)"
"""The matrix shows it behind the names of some rows."""

Json = Mapping[str, Any]


def read_restrictions(client: ConnectWiseClient, member: str) -> tuple[Restriction, ...]:
    """Return the limits of an API member's sight, as far as this ConnectWise shows them.

    Raises the errors of ConnectWise; a read that is refused or missing counts as empty.
    """
    found = dict.fromkeys((*_of_member(client, member), *_of_role(client)))
    return tuple(found)[:_MAX_RESTRICTIONS]


def _of_member(client: ConnectWiseClient, member: str) -> Iterator[Restriction]:
    if not member or '"' in member or "\\" in member:
        return
    query: Query = {"conditions": f'identifier="{member}"', "fields": _MEMBER_FIELDS, "pageSize": 2}
    for row in _rows(client, MEMBERS, query):
        if str(row.get("identifier", "")).casefold() != member.casefold():
            continue
        is_department = row.get("restrictDepartmentFlag") is True
        level = _reference(row, "structureLevel")
        level_id = level.get("id")
        is_below = isinstance(level_id, int) and level_id > _CORPORATE
        if row.get("restrictLocationFlag") is True or (is_below and not is_department):
            place = _name(row, "securityLocation", "defaultLocation", "structureLevel")
            yield Restriction(INVOICING_INQUIRE, Bound.LOCATION, place)
        if is_department:
            yield Restriction(INVOICING_INQUIRE, Bound.DEPARTMENT, _name(row, "defaultDepartment"))


def _of_role(client: ConnectWiseClient) -> Iterator[Restriction]:
    inquired = {
        _key(right.module, right.row): right
        for right in REQUIRED_RIGHTS
        if right.column is Column.INQUIRE
    }
    for row in _rows(client, MY_SECURITY, {"pageSize": 1000}):
        names = row.get("moduleName"), row.get("moduleFunctionName")
        right: Right | None = inquired.get(_key(*map(str, names)))
        level = row.get("inquireLevel")
        if right and isinstance(level, str) and level.casefold() in ("my", "mine"):
            yield Restriction(right, Bound.LEVEL, level[:20])


def _key(module: str, row: str) -> tuple[str, str]:
    return module.casefold(), row.casefold().removesuffix(_CUSTOMIZE).strip()


def _rows(client: ConnectWiseClient, route: str, query: Query) -> list[Json]:
    try:
        value = client.read(route, query=query, max_attempts=1, limits=PAGE).value
    except (NotFoundError, PermissionMissingError, RefusedError, UnroutedError):
        return []
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _reference(row: Json, name: str) -> Json:
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}


def _name(row: Json, *names: str) -> str:
    """Return the first name among the references, which a person finds on the member's screen."""
    found = (_reference(row, name).get("name") for name in names)
    return next(filter(None, map(text_of, found)), "")
