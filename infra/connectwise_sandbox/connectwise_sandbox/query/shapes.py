"""Shapes tell which properties a kind of record has, by its model; queries read names by them.

ConnectWise takes the names of properties in any case (amp-labs/connectors sends `LastUpdated`) and
knows the type of each (its error text is recorded in the README of connectwise-rest). That it
refuses an unknown name with 400 is our reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from connectwise_sandbox.query.errors import QueryError
from connectwise_sandbox.query.syntax import Path
from connectwise_sandbox.query.values import AUDIT_TYPES, ValueType
from connectwise_sandbox.schemas.base import Model
from connectwise_sandbox.schemas.models import MODELS

INFO = "_info"
NAME = "name"
_PLAIN_TYPES: Mapping[object, ValueType] = {
    bool: ValueType.BOOLEAN,
    datetime: ValueType.DATE,
    Decimal: ValueType.NUMBER,
    float: ValueType.NUMBER,
    int: ValueType.NUMBER,
    str: ValueType.TEXT,
}


@dataclass(frozen=True, slots=True, eq=False)
class Property:
    """A property is one name of a record with the type of its values."""

    name: str
    """As it stands on the wire."""
    type: ValueType | None
    """None for values of any type."""
    members: Shape | None = None
    """The properties of a reference, or of each member of a list."""

    @property
    def has_name(self) -> bool:
        """Return whether the property is a reference that shows a name."""
        if self.type is not ValueType.OBJECT or self.members is None:
            return False
        return NAME in self.members.properties


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A shape holds the properties of one kind of record; each shape equals itself only."""

    label: str
    properties: Mapping[str, Property]
    """By their names in lower case."""

    def find(self, path: Path) -> tuple[Path, Property]:
        """Return a path in the spelling of the wire, and the property that it leads to.

        Raises QueryError for an unknown step, and for one that leads on from a plain value.
        """
        shape, spelled = self, list[str]()
        for position, step in enumerate(path):
            found = shape.properties.get(step.lower())
            if found is None:
                raise QueryError(f"{'/'.join(path)}: {shape.label} has no property {step}.")
            spelled.append(found.name)
            if position == len(path) - 1:
                return tuple(spelled), found
            shape = _members_of(found, path)
        raise QueryError("A path names at least one property.")

    def array(self, name: str) -> Property:
        """Return the list with that name; raises QueryError for anything else."""
        _, found = self.find((name,))
        if found.type is not ValueType.LIST or found.members is None:
            raise QueryError(f"{name} is not an array; search it by conditions.")
        return found


@cache
def shape_of(name: str) -> Shape:
    """Return the shape of a kind of record by its name in MODELS; raise KeyError for others."""
    return _shape_of_model(MODELS[name], name)


def _members_of(found: Property, path: Path) -> Shape:
    if found.type is ValueType.LIST:
        raise QueryError(
            f"{'/'.join(path)}: {found.name} is a list, whose members are searched by "
            "childConditions."
        )
    if found.members is None:
        raise QueryError(f"{'/'.join(path)}: {found.name} has no properties of its own.")
    return found.members


@cache
def _shape_of_model(model: type[Model], label: str) -> Shape:
    properties = {
        field.alias or name: _property(field.alias or name, field.annotation)
        for name, field in model.model_fields.items()
    }
    if INFO in properties:
        audited = {name: Property(name, type_) for name, type_ in AUDIT_TYPES.items()}
        info = Shape(INFO, {name.lower(): each for name, each in audited.items()})
        properties = audited | properties | {INFO: Property(INFO, ValueType.OBJECT, info)}
    return Shape(label, {name.lower(): each for name, each in properties.items()})


def _property(name: str, annotation: Any) -> Property:
    annotation = _without_wrappings(annotation)
    if get_origin(annotation) is list:
        member = _property(name, get_args(annotation)[0])
        return Property(name, ValueType.LIST, member.members)
    if get_origin(annotation) is Literal:
        return Property(name, ValueType.TEXT)
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return Property(name, ValueType.OBJECT, _shape_of_model(annotation, name))
    return Property(name, _PLAIN_TYPES.get(annotation))


def _without_wrappings(annotation: Any) -> Any:
    """Return the type inside `Annotated` and beside `None`."""
    if get_origin(annotation) is Annotated:
        return _without_wrappings(get_args(annotation)[0])
    others = [each for each in get_args(annotation) if each is not NoneType]
    if NoneType in get_args(annotation) and len(others) == 1:
        return _without_wrappings(others[0])
    return annotation
