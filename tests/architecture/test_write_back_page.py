"""The page on write-backs says what the code does."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from bridge.domain.write_back import WriteBackState, changes, comparison, decisions
from bridge.domain.write_back.change_table import CHANGES
from tests.architecture.write_back_page import PAGE, made


def test_picture_and_table_are_those_of_the_code() -> None:
    """``PYTHONPATH=layers/core/python python -m tests.architecture.write_back_page`` makes them."""
    assert made() in PAGE.read_text()


def test_every_named_change_is_made_somewhere_and_every_made_change_is_named() -> None:
    source = "".join(map(inspect.getsource, (changes, comparison, decisions)))
    assert set(_names_of_changes(ast.parse(source))) == set(CHANGES)


def _names_of_changes(tree: ast.AST) -> Iterator[str]:
    """Yield the names that are given to the makers of changes, or looked up in the table."""
    for node in ast.walk(tree):
        named: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            named = node.args[1:] if node.func.id in ("move", "_ended") else []
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "CHANGES":
            named = [node.slice]
        for argument in named:
            for part in ast.walk(argument):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def test_every_state_is_explained() -> None:
    page = PAGE.read_text()
    assert all(f"| `{state.value}` |" in page for state in WriteBackState)


def test_no_state_is_a_dead_end() -> None:
    left = {state for change in CHANGES.values() for state in change.sources}
    assert left == set(WriteBackState)
