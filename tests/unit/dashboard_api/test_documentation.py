"""``docs/api.md`` names every route, step, action and problem type that there is, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bridge.domain.errors import UnreachedCause
from bridge.domain.problem import Action
from bridge.entrypoints import problem_documents
from dashboard_api import app, request_limits
from tests.unit.dashboard_api.payments import STEPS
from tests.unit.dashboard_api.world import World

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
USE_CASES = ROOT / "layers" / "core" / "python" / "bridge"
STEP_PATH = "/v1/connections/{connection_id}/payments/{payment_id}/"


def test_every_route_is_named() -> None:
    paths = World().caller(None).get("/openapi.json").json["paths"]
    named = set(re.findall(r"(/(?:v1|webhooks)/[a-z0-9{}_/-]+)", PAGE))

    assert {f"{STEP_PATH}{step}" for step in STEPS} <= set(paths)
    assert {path for path in paths if not path.startswith(STEP_PATH)} <= named
    assert {path.rstrip("/") for path in named if "{" in path} <= set(paths)
    assert set(re.findall(r"`([a-z-]+)`", _row("pending") + _row("settled"))) >= set(STEPS)


def test_every_problem_type_is_in_the_table() -> None:
    table = PAGE[PAGE.index("| type | status |") : PAGE.index("A missing or expired token")]
    listed = {code for row in table.splitlines()[2:] for code in _codes(row.split("|")[1:2])}

    assert listed == {*_fixed_codes(), *_reasons()}


def test_every_action_is_explained() -> None:
    table = PAGE[PAGE.index("| action | does |") : PAGE.index("Problems also resolve")]

    assert set(_codes(table.splitlines()[2:])) == {action.value for action in Action}


def _row(state: str) -> str:
    return next(line for line in PAGE.splitlines() if line.startswith(f"| `{state}` |"))


def _codes(cells: list[str]) -> Iterator[str]:
    for cell in cells:
        yield from re.findall(r"`([a-z_]+)`", cell)


def _fixed_codes() -> set[str]:
    known = [*problem_documents._DOCUMENTS.values(), *_documents_of(request_limits, app)]
    return {document.code for document in known} | {cause.value for cause in UnreachedCause}


def _documents_of(*modules: object) -> Iterator[problem_documents.ProblemDocument]:
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, problem_documents.ProblemDocument):
                yield value


def _reasons() -> Iterator[str]:
    """The codes of every NotPossibleError that is raised anywhere."""
    for path in USE_CASES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id == "NotPossibleError":
                yield ast.literal_eval(node.args[0])
