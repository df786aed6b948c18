"""Conditions texts become predicates over wire records here.

The guide is silent about two rules, which we read as in SQL Server. Upper and lower case compare
as equal. An absent (null) property makes every comparison false, including `!=` and the negated
operators; `= null` alone is true then.

With the shape of the records at hand, names are read in any case, and an unknown name or a literal
of another type than the property raises QueryError on compiling. Without it names are taken as they
are written, and a predicate raises QueryError at the first record whose value has another type.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from connectwise_sandbox.query.errors import HOW_VALUES_ARE_WRITTEN, QueryError
from connectwise_sandbox.query.parser import parse_conditions
from connectwise_sandbox.query.shapes import NAME, Shape
from connectwise_sandbox.query.syntax import (
    And,
    Comparison,
    Condition,
    Literal,
    Membership,
    Operator,
    Or,
    Path,
)
from connectwise_sandbox.query.values import (
    Record,
    ValueType,
    compile_path,
    is_moment,
    type_of,
)

Predicate = Callable[[Record], bool]
_Key = str | Decimal | int | float
_KeyReader = Callable[[object], _Key | None]
_KeyTest = Callable[[_Key], bool]

_COMPARISONS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
}
_EQUALITIES = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})
_TEXT_ONLY = frozenset({Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.LIKE, Operator.NOT_LIKE})
_WILDCARD = re.compile(r"[*%]")


@lru_cache(maxsize=512)
def read_conditions(text: str, shape: Shape | None = None) -> Condition:
    """Return the tree of a `conditions` parameter with some text, its names as on the wire.

    Raises QueryError.
    """
    condition = parse_conditions(text)
    return condition if shape is None else _spelled(condition, shape)


@lru_cache(maxsize=512)
def compile_conditions(text: str, shape: Shape | None = None) -> Predicate:
    """Return the predicate of a `conditions` parameter; a blank text accepts every record.

    `like` knows the wildcards `*` and `%`; a pattern of plain text has to be equal. The names
    `lastUpdated`, `dateEntered`, `updatedBy` and `enteredBy` are looked up in `_info` as well.
    Raises QueryError, and so does the predicate where types differ.
    """
    if not text.strip():
        return lambda _: True
    return _compile(read_conditions(text, shape), typed=True)


@lru_cache(maxsize=512)
def compile_child_conditions(text: str, shape: Shape | None = None) -> Predicate:
    """Return the predicate of `childConditions`; a blank text accepts every record.

    The first step of every path names an array, and one single member of it has to meet the whole
    condition. One text searches one array (our reading). ConnectWise does not support `in` here
    (developer guide). Raises QueryError as `compile_conditions` does.
    """
    if not text.strip():
        return lambda _: True
    condition = parse_conditions(text)
    arrays: dict[str, str] = {}
    for leaf in _leaves(condition):
        _refuse_membership(leaf, "childConditions")
        if len(leaf.path) == 1:
            raise QueryError(f"{leaf.path[0]} names no property of an array's members.")
        arrays[leaf.path[0].lower()] = leaf.path[0]
    if len(arrays) > 1:
        raise QueryError("childConditions search the members of one array at a time.")
    _, name = arrays.popitem()
    condition = _without_first_step(condition)
    if shape is not None:
        array = shape.array(name)
        name = array.name
        if array.members is not None:
            condition = _spelled(condition, array.members)
    return _any_member(name, _compile(condition, typed=True))


@lru_cache(maxsize=512)
def compile_custom_field_conditions(text: str) -> Predicate:
    """Return the predicate of `customFieldConditions`; a blank text accepts every record.

    One single custom field has to meet the whole condition, whose paths name the properties of a
    custom field: `caption="Tenant" and value != null`. Values of custom fields have any type, so
    a value of another type just fails to match.
    """
    if not text.strip():
        return lambda _: True
    condition = parse_conditions(text)
    for leaf in _leaves(condition):
        _refuse_membership(leaf, "customFieldConditions")
    return _any_member("customFields", _compile(condition, typed=False))


def _spelled(condition: Condition, shape: Shape) -> Condition:
    """Return a condition with its names as on the wire; raise QueryError for unknown ones."""
    match condition:
        case And(operands):
            return And(tuple(_spelled(operand, shape) for operand in operands))
        case Or(operands):
            return Or(tuple(_spelled(operand, shape) for operand in operands))
        case Comparison(path, comparing, literal):
            return Comparison(_spelled_path(path, [literal], shape), comparing, literal)
        case Membership(path, comparing, literals):
            return Membership(_spelled_path(path, literals, shape), comparing, literals)


def _spelled_path(path: Path, literals: Iterable[Literal], shape: Shape) -> Path:
    """Return a path as on the wire; raise QueryError for literals of another type.

    A reference stands for its name among texts (pyRESTcw sends `status="Active"`).
    """
    spelled, found = shape.find(path)
    given = {_type_of_literal(literal) for literal in literals if literal is not None}
    if given == {ValueType.TEXT} and found.has_name:
        return (*spelled, NAME)
    # Some texts of the interface hold dates, such as those in the reference to an invoice.
    fitting = {found.type, *({ValueType.DATE} if found.type is ValueType.TEXT else ())}
    if found.type is not None and given - fitting:
        raise _type_error(spelled, found.type, (given - fitting).pop())
    return spelled


def _leaves(condition: Condition) -> Iterator[Comparison | Membership]:
    if isinstance(condition, And | Or):
        for operand in condition.operands:
            yield from _leaves(operand)
    else:
        yield condition


def _refuse_membership(leaf: Comparison | Membership, parameter: str) -> None:
    if isinstance(leaf, Membership):
        raise QueryError(f"The operator {leaf.operator} is not supported in {parameter}.")


def _without_first_step(condition: Condition) -> Condition:
    match condition:
        case And(operands):
            return And(tuple(_without_first_step(operand) for operand in operands))
        case Or(operands):
            return Or(tuple(_without_first_step(operand) for operand in operands))
        case Comparison(path, comparing, literal):
            return Comparison(path[1:], comparing, literal)
        case Membership(path, comparing, literals):
            return Membership(path[1:], comparing, literals)


def _any_member(array: str, predicate: Predicate) -> Predicate:
    def has_member(record: Record) -> bool:
        members = record.get(array)
        if members is None:
            return False
        if not isinstance(members, list | tuple):
            raise QueryError(f"{array} is not an array; search it by conditions.")
        return any(isinstance(each, Mapping) and predicate(each) for each in members)

    return has_member


def _compile(condition: Condition, *, typed: bool) -> Predicate:
    match condition:
        case And(operands):
            required = tuple(_compile(operand, typed=typed) for operand in operands)
            return lambda record: all(predicate(record) for predicate in required)
        case Or(operands):
            allowed = tuple(_compile(operand, typed=typed) for operand in operands)
            return lambda record: any(predicate(record) for predicate in allowed)
        case Comparison(path, comparing, None):
            return _null_predicate(path, comparing)
        case Comparison(path, comparing, literal):
            return _predicate(path, literal, _comparison_test(path, comparing, literal), typed)
        case Membership(path, comparing, literals):
            test = _membership_test(path, comparing, literals)
            return _predicate(path, literals[0], test, typed)


def _null_predicate(path: Path, comparing: Operator) -> Predicate:
    if comparing not in _EQUALITIES:
        raise QueryError(f"{'/'.join(path)}: null can only be compared with = and !=.")
    read = compile_path(path)
    if comparing is Operator.EQUAL:
        return lambda record: read(record) is None
    return lambda record: read(record) is not None


def _predicate(path: Path, literal: Literal, test: _KeyTest, typed: bool) -> Predicate:
    read = compile_path(path)
    key_of = _key_reader(path, literal, typed)

    def holds(record: Record) -> bool:
        value = read(record)
        if value is None:
            return False
        key = key_of(value)
        return key is not None and test(key)

    return holds


def _key_reader(path: Path, literal: Literal, typed: bool) -> _KeyReader:
    """Return a function from a value to its comparable key, None for another type."""
    wanted = _type_of_literal(literal)

    def key_of(value: object) -> _Key | None:
        if isinstance(value, str):
            if wanted is ValueType.TEXT and not (typed and is_moment(value)):
                return value.casefold()
            if wanted is ValueType.DATE and is_moment(value):
                # Without the Z a fraction of a second sorts behind its whole second.
                return value[:-1]
        elif isinstance(value, bool):
            if wanted is ValueType.BOOLEAN:
                return value
        elif wanted is ValueType.NUMBER and isinstance(value, Decimal | int | float):
            return value
        if typed:
            raise _type_error(path, type_of(value), wanted)
        return None

    return key_of


def _type_error(path: Path, expected: ValueType, given: ValueType) -> QueryError:
    name = "/".join(path)
    return QueryError(f"{name} is a {expected} and was given a {given}. {HOW_VALUES_ARE_WRITTEN}")


def _type_of_literal(literal: Literal) -> ValueType:
    match literal:
        case datetime():
            return ValueType.DATE
        case str():
            return ValueType.TEXT
        case _:
            return type_of(literal)


def _literal_key(literal: Literal) -> _Key:
    match literal:
        case None:
            raise QueryError("null cannot stand in a list of values.")
        case datetime():
            return literal.replace(tzinfo=None).isoformat()
        case str():
            return literal.casefold()
        case _:
            return literal


def _comparison_test(path: Path, comparing: Operator, literal: Literal) -> _KeyTest:
    wanted = _literal_key(literal)
    given = _type_of_literal(literal)
    if isinstance(literal, bool) and comparing not in _EQUALITIES:
        raise QueryError(f"{'/'.join(path)}: true and false can only be compared with = and !=.")
    if comparing in _TEXT_ONLY:
        if not isinstance(wanted, str) or given is not ValueType.TEXT:
            raise _type_error(path, ValueType.TEXT, given)
        return _text_test(comparing, wanted)
    compare = _COMPARISONS[comparing]
    return lambda key: compare(key, wanted)


def _text_test(comparing: Operator, wanted: str) -> _KeyTest:
    matches = _compile_like(wanted)
    match comparing:
        case Operator.CONTAINS:
            return lambda key: wanted in str(key)
        case Operator.NOT_CONTAINS:
            return lambda key: wanted not in str(key)
        case Operator.LIKE:
            return lambda key: matches(str(key))
        case _:
            return lambda key: not matches(str(key))


def _compile_like(pattern: str) -> Callable[[str], bool]:
    """Return a test that finds a pattern's pieces one after the other, in linear time."""
    first, *others = _WILDCARD.split(pattern)
    if not others:
        return lambda text: text == pattern
    *middle, last = others

    def matches(text: str) -> bool:
        end = len(text) - len(last)
        if end < len(first) or not text.startswith(first) or not text.endswith(last):
            return False
        position = len(first)
        for piece in middle:
            found = text.find(piece, position, end)
            if found < 0:
                return False
            position = found + len(piece)
        return True

    return matches


def _membership_test(path: Path, comparing: Operator, literals: tuple[Literal, ...]) -> _KeyTest:
    keys = frozenset(_literal_key(literal) for literal in literals)
    if len({_type_of_literal(literal) for literal in literals}) > 1:
        raise QueryError(f"{'/'.join(path)}: the values of a list must all have one type.")
    if comparing is Operator.IN:
        return lambda key: key in keys
    return lambda key: key not in keys
