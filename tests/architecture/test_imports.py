"""Imports point inwards and in no circle, and handlers stay thin."""

import ast
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from importlinter import cli

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = sorted(path.parent for path in (ROOT / "functions").glob("*/handler.py"))
# What a handler may reach: the wiring, use cases and values. Never an adapter.
FORBIDDEN_IN_FUNCTIONS = ("bridge.connectwise", "bridge.store", "bridge.aws", "boto3", "httpx")
MAX_HANDLER_LINES = 45
"""A handler parses, calls one use case and maps the answer; the receiver's is the longest."""
PACKAGES = {
    "bridge": ROOT / "layers" / "core" / "python" / "bridge",
    "connectwise_sandbox": ROOT / "infra" / "connectwise_sandbox" / "connectwise_sandbox",
    "infra": ROOT / "infra",
    "functions": ROOT / "functions",
}
USE_CASE_ROOMS = ("connections", "mirror", "payments", "platform_records", "problems", "runs")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_layers_import_inwards_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    # It would switch off every logger that is there, for the tests that follow in this process.
    monkeypatch.setattr("importlinter.cli.logging_config.dictConfig", lambda _config: None)
    monkeypatch.syspath_prepend(str(ROOT / "layers" / "core" / "python"))
    assert cli.lint_imports(no_cache=True) == 0


@pytest.mark.parametrize("folder", FUNCTIONS, ids=lambda folder: folder.name)
def test_a_function_reaches_adapters_only_through_the_wiring(folder: Path) -> None:
    found = {
        (path.name, name)
        for path in folder.rglob("*.py")
        for name in _imports(path)
        if name.startswith(FORBIDDEN_IN_FUNCTIONS)
    }
    assert not found


@pytest.mark.parametrize("folder", FUNCTIONS, ids=lambda folder: folder.name)
def test_a_handler_is_thin(folder: Path) -> None:
    lines = (folder / "handler.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MAX_HANDLER_LINES


def test_the_demo_environment_is_not_part_of_the_product() -> None:
    product = [*(ROOT / "layers").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    assert not [path for path in product if any(n.startswith("infra") for n in _imports(path))]


def _modules() -> dict[str, Path]:
    """Return every module of the product, of the sandbox and of the infrastructure by its name."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            inside = path.relative_to(folder).with_suffix("").parts
            if package == "infra" and inside[0] == "connectwise_sandbox":
                continue
            root = () if package == "functions" else (package,)
            found[".".join((*root, *inside)).removesuffix(".__init__")] = path
    return found


def _imported_modules(path: Path, known: Collection[str]) -> Iterator[str]:
    """Yield the modules that a file imports, those for type checking included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in known:
                    yield inner
                elif node.module in known:
                    yield node.module


def _graph() -> dict[str, set[str]]:
    modules = _modules()
    return {
        name: set(_imported_modules(path, modules.keys())) - {name}
        for name, path in modules.items()
    }


def test_no_modules_import_each_other_in_a_circle() -> None:
    list(TopologicalSorter(_graph()).static_order())


def test_no_rooms_of_the_bridge_import_each_other_in_a_circle() -> None:
    rooms: dict[str, set[str]] = defaultdict(set)
    for name, imported in _graph().items():
        for other in imported:
            here, there = name.split(".")[:2], other.split(".")[:2]
            if here[0] == there[0] == "bridge" and here != there:
                rooms[here[-1]].add(there[-1])
    assert set(USE_CASE_ROOMS) <= rooms.keys()
    list(TopologicalSorter(rooms).static_order())


def test_a_circle_is_found() -> None:
    with pytest.raises(CycleError):
        list(TopologicalSorter({"a": {"b"}, "b": {"a"}}).static_order())


def test_a_modules_name_means_one_thing_in_all_rooms() -> None:
    names = Counter(
        path.stem
        for room in USE_CASE_ROOMS
        for path in (PACKAGES["bridge"] / room).glob("*.py")
        if path.stem != "__init__"
    )
    assert [name for name, count in names.items() if count > 1] == []
