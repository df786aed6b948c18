"""An API member may see one part of the organisation only; the rest is left out of its lists.

The switches `visible_location_ids` and `visible_department_ids` name that part, and the record of
the member repeats it. Recorded members see everything and have the level Corporate; the levels
below it are our reading.
"""

from __future__ import annotations

from collections.abc import Iterable

from connectwise_sandbox.kinds import Kind, Record, reference_to
from connectwise_sandbox.switches import Switches
from connectwise_sandbox.tenant import Tenant

_CORPORATE = {"id": 1, "name": "Corporate"}
_LOCATION = {"id": 2, "name": "Location"}
_DEPARTMENT = {"id": 3, "name": "Department"}
_LOCATION_FIELDS = ("locationId", "location")
_DEPARTMENT_FIELDS = ("departmentId", "department", "businessUnitId", "businessUnit")


def sees_everything(switches: Switches) -> bool:
    """Return whether the switches hide no part of the organisation from the API member."""
    return switches.visible_location_ids is None and switches.visible_department_ids is None


def is_in_sight(switches: Switches, record: Record) -> bool:
    """Return whether the switches let the API member see a record; one without a place is seen."""
    locations, departments = switches.visible_location_ids, switches.visible_department_ids
    return (locations is None or _is_among(locations, record, _LOCATION_FIELDS)) and (
        departments is None or _is_among(departments, record, _DEPARTMENT_FIELDS)
    )


def sight_of_member(tenant: Tenant, member: Record) -> Record:
    """Return the properties of a member that tell which part of the organisation it sees."""
    is_api_member = member["identifier"] == tenant.identity.member_identifier
    locations = tenant.switches.visible_location_ids if is_api_member else None
    departments = tenant.switches.visible_department_ids if is_api_member else None
    level = _CORPORATE if locations is None else _LOCATION
    places = {
        "securityLocation": _first_of(tenant, Kind.LOCATION, locations),
        "defaultDepartment": _first_of(tenant, Kind.DEPARTMENT, departments),
    }
    return {
        "structureLevel": level if departments is None else _DEPARTMENT,
        "restrictLocationFlag": locations is not None,
        "restrictDepartmentFlag": departments is not None,
        **{name: place for name, place in places.items() if place is not None},
    }


def _is_among(ids: list[int], record: Record, fields: Iterable[str]) -> bool:
    values = (record.get(field) for field in fields)
    named = (value.get("id") if isinstance(value, dict) else value for value in values)
    place_id = next(filter(None, named), None)
    return place_id is None or place_id in ids


def _first_of(tenant: Tenant, kind: Kind, ids: list[int] | None) -> Record | None:
    found = tenant.store[kind].among(ids or [])
    return reference_to(kind, found[0]) if found else None
