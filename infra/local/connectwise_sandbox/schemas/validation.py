"""Checks the body of a POST or PUT as ConnectWise does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of `errors[]` in ConnectWise's error body.

    `code` is MissingRequiredField, MaxLengthField or InvalidField; `resource` is the name of the
    kind as error messages write it, `field` the property as it is written on the wire.
    """

    code: str
    message: str
    resource: str
    field: str


def validate_new(kind: str, body: object) -> list[FieldError]:
    """Return what ConnectWise would find wrong with a new record; empty if nothing.

    `kind` is the name of a model in this package, such as `Invoice`. `body` is the decoded JSON,
    its fractions parsed as Decimal. Raises KeyError for an unknown kind.
    """
    raise NotImplementedError(kind, body)


def property_names(kind: str) -> frozenset[str]:
    """Return the wire names of a kind's properties; raise KeyError for an unknown kind."""
    raise NotImplementedError(kind)
