"""Imports point inwards, and handlers stay thin."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter import cli

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = sorted(path.parent for path in (ROOT / "functions").glob("*/handler.py"))
# What a handler may reach: the wiring, use cases and values. Never an adapter.
FORBIDDEN_IN_FUNCTIONS = ("bridge.connectwise", "bridge.store", "bridge.aws", "boto3", "httpx")
# The receiver stays lean by checking callbacks with the one module of the adapter that is pure.
MAX_HANDLER_LINES = 60


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
