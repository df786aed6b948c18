"""Use cases are constructed in the wiring, by every function, simulation and test alike."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("layers", "functions", "infra", "tests")
IMPORT_ROOTS = ("layers/core/python/", "functions/", "infra/connectwise_sandbox/", "")
BRIDGE = "layers/core/python/bridge"
WIRING = (
    f"{BRIDGE}/wiring/use_cases.py",
    f"{BRIDGE}/wiring/connection_use_cases.py",
    f"{BRIDGE}/wiring/figure_use_cases.py",
    f"{BRIDGE}/wiring/filter_use_cases.py",
    f"{BRIDGE}/wiring/mirror_use_cases.py",
    f"{BRIDGE}/wiring/entrypoints.py",
)


@dataclass(frozen=True)
class Module:
    """A module is a parsed file; its names lead to where they were imported or defined."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def dotted(self) -> str:
        """The name by which it is imported."""
        (root, *_) = (root for root in IMPORT_ROOTS if self.path.startswith(root))
        file = self.path.removeprefix(root).removesuffix(".py").removesuffix("/__init__")
        return file.replace("/", ".")

    @cached_property
    def classes(self) -> tuple[ast.ClassDef, ...]:
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    @cached_property
    def names(self) -> Mapping[str, str]:
        found = {node.name: f"{self.dotted}.{node.name}" for node in self.classes}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.asname:
                        found[alias.asname] = alias.name
        return found

    @cached_property
    def calls(self) -> tuple[tuple[int, str], ...]:
        """The line of each call with the dotted name that is called."""
        calls = (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))
        return tuple((call.lineno, self.dotted_name(call.func)) for call in calls)

    def dotted_name(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.dotted_name(node.value)}.{node.attr}"
        return ""


class Project:
    """A project is a set of modules that import names from each other."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        modules = [Module(path, text) for path, text in texts.items()]
        self._modules = {module.dotted: module for module in modules}

    @cached_property
    def use_cases(self) -> frozenset[str]:
        """The classes that the wiring constructs, by their dotted names."""
        wiring = [module for module in self._modules.values() if module.path in WIRING]
        called = {name for module in wiring for _, name in module.calls}
        return frozenset(name for name in called if name.rpartition(".")[2][:1].isupper())

    @cached_property
    def kin(self) -> frozenset[str]:
        """Use cases and the classes that inherit from them."""
        kin = set(self.use_cases)
        bases = {
            f"{module.dotted}.{node.name}": {self.origin(module.dotted_name(b)) for b in node.bases}
            for module in self._modules.values()
            for node in module.classes
        }
        while found := {name for name, above in bases.items() if above & kin} - kin:
            kin |= found
        return frozenset(kin)

    def origin(self, dotted: str) -> str:
        """Follow a name through the modules that only import it to where it is defined."""
        while True:
            module, _, name = dotted.rpartition(".")
            found = self._modules[module].names.get(name) if module in self._modules else None
            if found in (None, dotted):
                return dotted
            dotted = found or dotted

    def constructions(self) -> set[tuple[str, int, str]]:
        """Return the path, line and class of each construction outside the wiring."""
        return {
            (module.path, line, self.origin(name).rpartition(".")[2])
            for module in self._modules.values()
            for line, name in module.calls
            if module.path not in WIRING and self.origin(name) in self.kin
        }


@pytest.fixture(scope="module")
def project() -> Project:
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return Project({p.relative_to(ROOT).as_posix(): p.read_text(encoding="utf-8") for p in paths})


def test_a_use_case_is_constructed_in_the_wiring(project: Project) -> None:
    elsewhere = [f"{path}:{line} {name}" for path, line, name in sorted(project.constructions())]
    assert not elsewhere, "\n".join(["take these from bridge.wiring:", *elsewhere])


def test_the_wiring_is_seen(project: Project) -> None:
    """An empty set of use cases would be constructed nowhere."""
    names = {name.rpartition(".")[2] for name in project.use_cases}
    assert len(names) > 30
    assert names >= {"RunWorker", "CallbackIntake", "ReconcilerJobs", "DashboardServices"}
    assert all(name.startswith("bridge.") for name in project.use_cases)


USE_CASES = """
def worker(ports):
    from bridge.work import Worker

    return Worker(ports.clock)
"""


@pytest.mark.parametrize(
    "text",
    [
        "from bridge.work import Worker\nx = Worker(1)",
        "from bridge.work import Worker as W\nx = W(1)",
        "from bridge import work\nx = work.Worker(1)",
        "import bridge.work\nx = bridge.work.Worker(1)",
        "import bridge.work as w\nx = w.Worker(1)",
        "from bridge.shop import Worker\nx = Worker(1)",
        "from bridge import work\nclass Mine(work.Worker): ...\nx = Mine()",
    ],
)
def test_a_construction_is_found_by_whatever_name(text: str) -> None:
    assert [path for path, _, _ in small(text).constructions()] == ["tests/test_it.py"]


@pytest.mark.parametrize(
    "text",
    [
        "class Worker: ...\nx = Worker()",
        "from infra.constructs import Worker\nx = Worker(1)",
        "from bridge.wiring import use_cases\nx = use_cases.worker(1)",
        "from bridge.work import Worker\ndef f(x: Worker) -> None: ...",
        "from bridge.work import Clock\nx = Clock()",
    ],
)
def test_nothing_else_is_taken_for_a_construction(text: str) -> None:
    assert not small(text).constructions()


def small(text: str) -> Project:
    return Project(
        {
            WIRING[0]: USE_CASES,
            f"{BRIDGE}/work.py": "class Clock: ...\n\n\nclass Worker: ...\n",
            f"{BRIDGE}/shop.py": "from bridge.work import Worker\n",
            "tests/test_it.py": text,
        }
    )
