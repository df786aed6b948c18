"""Bounds are what conditions say of ids and of the last change, so that indexes can serve them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache

from connectwise_sandbox.query.conditions import read_conditions
from connectwise_sandbox.query.shapes import Shape
from connectwise_sandbox.query.syntax import And, Comparison, Condition, Membership, Operator

ID = "id"
CHANGED = ("lastUpdated",)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds enclose every record that meets the conditions they were read from."""

    ids: frozenset[int] | None = None
    """The only ids; None leaves them free."""
    least_id: int | None = None
    greatest_id: int | None = None
    references: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """The only ids that a reference may name, by its property."""
    changed_from: str | None = None
    """The first second of the last change, as on the wire."""
    changed_before: str | None = None
    """The second at which the last change is too late."""
    is_whole: bool = True
    """Whether the bounds say all that the conditions say."""


@lru_cache(maxsize=512)
def read_bounds(text: str, shape: Shape) -> Bounds:
    """Return the bounds of a `conditions` parameter; a blank text leaves all open.

    They are read from what is joined by `and`. Raises QueryError as `compile_conditions` does.
    """
    if not text.strip():
        return Bounds()
    condition = read_conditions(text, shape)
    bounds = Bounds()
    for part in condition.operands if isinstance(condition, And) else (condition,):
        bounds = _narrowed(bounds, part) or replace(bounds, is_whole=False)
    return bounds


def _narrowed(bounds: Bounds, part: Condition) -> Bounds | None:
    """Return the bounds with what one part adds to them, None for a part beyond their words."""
    match part:
        case Membership((*reference, "id"), Operator.IN, literals) if len(reference) < 2:  # noqa: PLR2004
            numbers = [each for each in literals if isinstance(each, Decimal)]
            return _among(bounds, reference, numbers)
        case Comparison((*reference, "id"), Operator.EQUAL, Decimal() as number) if (
            len(reference) < 2  # noqa: PLR2004
        ):
            return _among(bounds, reference, [number])
        case Comparison(("id",), operator, Decimal() as number):
            return _between_ids(bounds, operator, number)
        case Comparison(path, operator, datetime() as moment) if path == CHANGED:
            return _between_changes(bounds, operator, moment)
    return None


def _among(bounds: Bounds, reference: list[str], numbers: list[Decimal]) -> Bounds:
    ids = frozenset(int(number) for number in numbers if number == number.to_integral_value())
    if not reference:
        return replace(bounds, ids=ids if bounds.ids is None else ids & bounds.ids)
    name = reference[0]
    known = bounds.references.get(name, ids)
    return replace(bounds, references={**bounds.references, name: ids & known})


def _between_ids(bounds: Bounds, operator: Operator, number: Decimal) -> Bounds | None:
    above, below = (
        int(number.to_integral_value(ROUND_CEILING)),
        int(number.to_integral_value(ROUND_FLOOR)),
    )
    match operator:
        case Operator.GREATER:
            return _from_id(bounds, below + 1)
        case Operator.GREATER_OR_EQUAL:
            return _from_id(bounds, above)
        case Operator.LESS:
            return _to_id(bounds, above - 1)
        case Operator.LESS_OR_EQUAL:
            return _to_id(bounds, below)
    return None


def _from_id(bounds: Bounds, least: int) -> Bounds:
    known = bounds.least_id
    return replace(bounds, least_id=least if known is None else max(least, known))


def _to_id(bounds: Bounds, greatest: int) -> Bounds:
    known = bounds.greatest_id
    return replace(bounds, greatest_id=greatest if known is None else min(greatest, known))


def _between_changes(bounds: Bounds, operator: Operator, moment: datetime) -> Bounds | None:
    """Return the bounds with one on the last change, which falls on a whole second."""
    begun = moment.replace(microsecond=0)
    try:
        next_second = begun + _SECOND
    except OverflowError:
        return None
    full = begun if moment == begun else next_second
    match operator:
        case Operator.GREATER:
            return _changed_from(bounds, next_second)
        case Operator.GREATER_OR_EQUAL:
            return _changed_from(bounds, full)
        case Operator.LESS:
            return _changed_before(bounds, full)
        case Operator.LESS_OR_EQUAL:
            return _changed_before(bounds, next_second)
    return None


def _changed_from(bounds: Bounds, moment: datetime) -> Bounds:
    text = _on_the_wire(moment)
    return replace(bounds, changed_from=max(text, bounds.changed_from or text))


def _changed_before(bounds: Bounds, moment: datetime) -> Bounds:
    text = _on_the_wire(moment)
    return replace(bounds, changed_before=min(text, bounds.changed_before or text))


def _on_the_wire(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat()}Z"
