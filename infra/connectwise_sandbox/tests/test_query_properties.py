"""The compiled predicate agrees with a naive evaluation of any tree of conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectwise_sandbox.query import (
    QueryError,
    Record,
    compile_child_conditions,
    compile_conditions,
    compile_custom_field_conditions,
    compile_order_by,
    select_fields,
)
from connectwise_sandbox.query.parser import parse_conditions
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

MOMENT_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
ORDERED = (
    Operator.EQUAL,
    Operator.NOT_EQUAL,
    Operator.LESS,
    Operator.LESS_OR_EQUAL,
    Operator.GREATER,
    Operator.GREATER_OR_EQUAL,
)
TEXTUAL = (Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.LIKE, Operator.NOT_LIKE)

# Few distinct values, so that equality and matches happen often.
integers = st.integers(-3, 3)
decimals = st.decimals(-3, 3, places=2)
moments = st.integers(0, 5).map(lambda second: datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC))
texts = st.text(st.sampled_from("abA*%\"'\\ß("), max_size=5) | st.text(max_size=5)
wire_moments = moments.map(lambda moment: moment.strftime(MOMENT_FORMAT))

records = st.fixed_dictionaries(
    {},
    optional={
        "id": integers,
        "name": texts,
        "total": decimals,
        "closedFlag": st.booleans(),
        "dueDate": wire_moments,
        "status": st.fixed_dictionaries({}, optional={"id": integers, "name": texts}),
        "_info": st.fixed_dictionaries({}, optional={"lastUpdated": wire_moments}),
    },
)

PATHS: Mapping[Path, st.SearchStrategy[Literal]] = {
    ("id",): integers.map(Decimal),
    ("status", "id"): integers.map(Decimal),
    ("total",): decimals,
    ("name",): texts,
    ("status", "name"): texts,
    ("closedFlag",): st.booleans(),
    ("dueDate",): moments,
    ("lastUpdated",): moments,
    ("_info", "lastUpdated"): moments,
}


@st.composite
def leaves(draw: st.DrawFn) -> Condition:
    path = draw(st.sampled_from(sorted(PATHS)))
    literals = PATHS[path]
    match draw(st.integers(0, 3)):
        case 0:
            operator = draw(st.sampled_from((Operator.EQUAL, Operator.NOT_EQUAL)))
            return Comparison(path, operator, None)
        case 1:
            operator = draw(st.sampled_from((Operator.IN, Operator.NOT_IN)))
            values = draw(st.lists(literals, min_size=1, max_size=4))
            return Membership(path, operator, tuple(values))
        case 2 if path[-1] == "name":
            return Comparison(path, draw(st.sampled_from(TEXTUAL)), draw(texts))
        case _:
            operators = ORDERED[:2] if path == ("closedFlag",) else ORDERED
            return Comparison(path, draw(st.sampled_from(operators)), draw(literals))


def connected(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    operands = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return operands.map(And) | operands.map(Or)


conditions = st.recursive(leaves(), connected, max_leaves=8)


def render(condition: Condition) -> str:
    match condition:
        case And(operands):
            return " and ".join(render_operand(operand) for operand in operands)
        case Or(operands):
            return " OR ".join(render_operand(operand) for operand in operands)
        case Comparison(path, operator, literal):
            return f"{'/'.join(path)} {operator} {render_literal(literal)}"
        case Membership(path, operator, literals):
            values = ",".join(render_literal(literal) for literal in literals)
            return f"{'/'.join(path)} {operator} ({values})"


def render_operand(condition: Condition) -> str:
    return f"({render(condition)})" if isinstance(condition, And | Or) else render(condition)


def render_literal(literal: Literal) -> str:
    match literal:
        case None:
            return "null"
        case bool():
            return str(literal)
        case Decimal():
            return f"{literal:f}"
        case datetime():
            return literal.strftime(f"[{MOMENT_FORMAT}]")
        case str():
            escaped = literal.replace("\\", "\\\\").replace("'", "\\'")
            return f"'{escaped}'"


def holds(condition: Condition, record: Record) -> bool:
    """Evaluate the slow and obvious way."""
    match condition:
        case And(operands):
            return all(holds(operand, record) for operand in operands)
        case Or(operands):
            return any(holds(operand, record) for operand in operands)
        case Comparison(path, operator, literal):
            return compares(value_at(record, path), operator, literal)
        case Membership(path, operator, literals):
            value = value_at(record, path)
            if value is None:
                return False
            found = any(compares(value, Operator.EQUAL, literal) for literal in literals)
            return found if operator is Operator.IN else not found


def value_at(record: Record, path: Path) -> object:
    value: object = record
    for name in ("_info", *path) if path == ("lastUpdated",) else path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def compares(value: object, operator: Operator, literal: Literal) -> bool:
    if literal is None:
        return (value is None) == (operator is Operator.EQUAL)
    if value is None:
        return False
    left, right = comparable(value, literal), comparable(literal, literal)
    if operator in TEXTUAL:
        contained = right in left
        liked = is_like(left, right)
        return {
            Operator.CONTAINS: contained,
            Operator.NOT_CONTAINS: not contained,
            Operator.LIKE: liked,
            Operator.NOT_LIKE: not liked,
        }[operator]
    results: dict[Operator, bool] = {
        Operator.EQUAL: left == right,
        Operator.NOT_EQUAL: left != right,
        Operator.LESS: left < right,
        Operator.LESS_OR_EQUAL: left <= right,
        Operator.GREATER: left > right,
        Operator.GREATER_OR_EQUAL: left >= right,
    }
    return results[operator]


def comparable(value: object, literal: Literal) -> Any:
    if isinstance(literal, datetime) and isinstance(value, str):
        return datetime.strptime(value, MOMENT_FORMAT).replace(tzinfo=UTC)
    return value.casefold() if isinstance(value, str) else value


def is_like(text: str, pattern: str) -> bool:
    expression = "".join(".*" if mark in "*%" else re.escape(mark) for mark in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


@settings(deadline=None, max_examples=400)
@given(conditions, records)
def test_the_compiled_predicate_agrees_with_the_naive_evaluation(
    condition: Condition, record: Record
) -> None:
    assert compile_conditions(render(condition))(record) == holds(condition, record)


@settings(deadline=None, max_examples=200)
@given(conditions)
def test_a_rendered_tree_is_read_back_as_the_same_tree(condition: Condition) -> None:
    assert parse_conditions(render(condition)) == condition


@settings(deadline=None)
@given(st.lists(records, max_size=8))
def test_ordering_agrees_with_the_naive_order(given_records: list[Record]) -> None:
    def due_date(record: Record) -> str:
        return str(record.get("dueDate", ""))

    def total(record: Record) -> Decimal:
        return Decimal(str(record.get("total", -100)))

    ordered = compile_order_by("dueDate desc, total")(given_records)

    assert ordered == sorted(sorted(given_records, key=total), key=due_date, reverse=True)


NAMES = ["id", "name", "status", "/", "2026-01-31T18:04:26Z", "null", "true", "1", "-", "."]
MARKS = ["=", "!=", "(", ")", '"', "'", "\\", "[", "]", ",", " ", "*"]
WORDS = [" and ", " or ", "not ", "in ", "like ", "contains "]
garbage = st.text() | st.lists(st.sampled_from(NAMES + MARKS + WORDS), max_size=30).map("".join)


@settings(deadline=None, max_examples=400)
@given(garbage, records)
@example("\ud800", {})
@example("[", {})
@example("name = '\\", {})
@example("id = ٣", {})
def test_garbage_raises_nothing_but_query_errors(text: str, record: Record) -> None:
    with suppress(QueryError):
        compile_conditions(text)(record)
    with suppress(QueryError):
        compile_child_conditions(text)(record)
    with suppress(QueryError):
        compile_custom_field_conditions(text)(record)
    with suppress(QueryError):
        compile_order_by(text)([record])
    with suppress(QueryError):
        select_fields(text)(record)
