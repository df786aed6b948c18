"""The package's imports go round in no circle and stay within what its pyproject.toml names."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = "connectwise_sandbox"
MODULES: Mapping[str, Path] = {
    ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((PROJECT / PACKAGE).rglob("*.py"))
}


def imported_names(source: str) -> Iterator[str]:
    """Yield every name that a source imports, wherever in it, as dotted text.

    `from a import b` yields both `a` and `a.b`, since `b` may be a module.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import would escape this test"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph(modules: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return the modules of the package that each of them imports."""
    return {
        name: modules.keys() & set(imported_names(path.read_text(encoding="utf-8")))
        for name, path in modules.items()
    }


def circle_in(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of one circle in the order of their imports, none if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return []


def declared_distributions() -> set[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = (re.match(r"[\w.-]+", text) for text in project["dependencies"])
    return {match[0].lower() for match in names if match}


def test_the_graph_knows_every_import() -> None:
    source = """
from typing import TYPE_CHECKING
import a.b
if TYPE_CHECKING:
    from c import d
def late() -> None:
    from e.f import g
"""

    assert set(imported_names(source)) >= {"a.b", "c", "c.d", "e.f", "e.f.g"}
    graph = import_graph(MODULES)
    assert f"{PACKAGE}.engine" in graph[f"{PACKAGE}.server"]
    assert f"{PACKAGE}.callbacks" in graph[f"{PACKAGE}.engine"]


def test_a_circle_is_found() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) in (["b", "c", "b"], ["c", "b", "c"])
    assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_no_imports_go_round_in_a_circle() -> None:
    circle = circle_in(import_graph(MODULES))

    assert not circle, "imports in a circle: " + " -> ".join(circle)


def test_only_the_standard_library_and_declared_dependencies_are_imported() -> None:
    distributions = packages_distributions()
    allowed = declared_distributions()

    undeclared = {
        (module, top)
        for module, path in MODULES.items()
        for top in {name.partition(".")[0] for name in imported_names(path.read_text("utf-8"))}
        if top != PACKAGE
        and top not in sys.stdlib_module_names
        and not allowed & {name.lower() for name in distributions.get(top, ())}
    }

    assert not undeclared
