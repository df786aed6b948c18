"""Functions and files stay small enough to read at once."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_FUNCTION_LINES = 50
MAX_FILE_LINES = 400


def _sources() -> list[Path]:
    folders = [ROOT / "layers" / "core" / "python", ROOT / "functions", ROOT / "infra"]
    return [path for folder in folders for path in folder.rglob("*.py")]


def test_no_file_is_longer_than_a_reader_holds_in_mind() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in _sources()}
    assert not {name: n for name, n in lengths.items() if n > MAX_FILE_LINES}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{path.name}:{node.name}": node.end_lineno - node.lineno
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno > MAX_FUNCTION_LINES
    }
    assert not long
