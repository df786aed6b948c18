"""The pages name paths, modules, classes, functions and targets that exist, and the true wiring."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BRIDGE = ROOT / "layers/core/python/bridge"
SANDBOX = ROOT / "infra/connectwise_sandbox"
DOCS = ROOT / "docs"
# The changelog tells of names that are gone, so it is no page of this test.
PAGES = sorted(
    {ROOT / "README.md", *DOCS.glob("*.md"), *DOCS.glob("decisions/*.md")} - {DOCS / "changelog.md"}
)
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")

SOURCE_ROOTS = (BRIDGE.parent, ROOT / "functions", SANDBOX, ROOT)
PRODUCT = ("layers", "functions", "infra")
SOURCES = (*PRODUCT, "tests")
# What a path in backticks may be relative to.
PATH_BASES = (ROOT, BRIDGE, BRIDGE.parent, DOCS, DOCS / "decisions", ROOT / "functions", SANDBOX)
# Folders that `make` fills, which a fresh clone lacks, and names of secrets in AWS.
ELSEWHERE = ("build/", ".venv/", ".tools/", "cdk.out", "bridge/<stage>/")
FOLDERS = ("docs/", "functions/", "infra/", "layers/", "tests/")
FILE_ENDINGS = (".py", ".md", ".toml", ".yaml", ".lock", ".json", ".txt")
# Libraries' names, and texts of AWS and ConnectWise that look like names of ours.
NOT_OURS = {"boto3", "botocore", "httpx", "cryptography", "uv", "ruff", "mypy", "pydantic", "rich"}

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_NAME = re.compile(r"[A-Za-z_]\w*")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_PATH = re.compile(r"[\w.*<>{},-]+(/[\w.*<>{},-]+)*/?")
_CALL = re.compile(r"([A-Za-z_][\w.]*)\(.*\)")
_ENVIRONMENT = re.compile(r"[A-Z]+=.+")


@dataclass
class Names:
    """The names collect everything that the sources define, and the texts that they hold."""

    modules: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    """File names alone, for a text that leaves the folder to its sentence."""
    members: dict[str, set[str]] = field(default_factory=dict)
    """Members of classes and of modules, by the last part of their name."""
    defined: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    """Texts of the product, such as values of enumerations and names of outputs."""


@cache
def names() -> Names:
    found = Names()
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            _read(path, found)
    found.modules |= {path.name for path in (ROOT / "functions").iterdir()} | {"docs"}
    return found


def _read(path: Path, found: Names) -> None:
    base = next(base for base in SOURCE_ROOTS if path.is_relative_to(base))
    parts = path.relative_to(base).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    ends = range(len(parts) + 1)
    found.modules |= {".".join(parts[first:last]) for last in ends for first in range(last)}
    found.files.add(path.name)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    _collect(tree, parts[-1] if parts else "", found)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.keyword):
            found.defined.add(node.arg or "")
        elif isinstance(node, ast.Attribute):
            found.defined.add(node.attr)
    if path.relative_to(ROOT).parts[0] in PRODUCT:
        found.texts |= set(_texts(tree))


def _texts(tree: ast.Module) -> Iterator[str]:
    """Yield the strings of a module that are no docstrings."""
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            # A text such as "sqs:SendMessage" also stands for the action that it names.
            yield from (node.value, node.value.rpartition(":")[2])


def _collect(scope: ast.Module | ast.ClassDef, name: str, found: Names) -> None:
    """Note what a module or class defines, and what its methods set on themselves."""
    members = found.members.setdefault(name, set())
    for node in ast.walk(scope):
        if isinstance(node, ast.ClassDef) and node is not scope:
            _collect(node, node.name, found)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            members.add(node.name)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            members.add(node.id if isinstance(node, ast.Name) else node.attr)
    found.defined |= members


def is_known(text: str) -> bool:
    """Tell whether a text in backticks names an existing thing.

    A text in another form, such as a request or a date, may say anything.
    """
    if text in NOT_OURS or text in names().texts:
        return True
    if call := _CALL.fullmatch(text):
        text = call[1]
    if " " in text:
        return all(map(_is_known_word, text.split())) and _has_target(text)
    if text.endswith(FILE_ENDINGS) or ("/" in text and _PATH.fullmatch(text)):
        return _is_path(text)
    if _DOTTED.fullmatch(text):
        owner, _, member = text.rpartition(".")
        last = owner.rpartition(".")[2]
        return text in names().modules or member in names().members.get(last, ())
    if _NAME.fullmatch(text):
        return text in names().defined or text in names().modules
    return True


def _is_known_word(word: str) -> bool:
    return not word.startswith(FOLDERS) or _is_path(word.partition("::")[0])


def _has_target(text: str) -> bool:
    # What a setting holds may have spaces of its own, in quotes.
    quoted = shlex.split(text) if text.startswith("make ") else text.split()
    words = [word for word in quoted if not _ENVIRONMENT.fullmatch(word)]
    return words[0] != "make" or set(words[1:]) <= _targets()


@cache
def _targets() -> frozenset[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def _is_path(text: str) -> bool:
    if text.startswith(ELSEWHERE) or text in names().files:
        return True
    pattern = re.sub(r"<[^>]*>", "*", text).rstrip("/")
    return all(
        any(next(base.glob(each), None) for base in PATH_BASES) for each in _expanded(pattern)
    )


def _expanded(pattern: str) -> Iterator[str]:
    """Yield each path that braces such as ``{a,b}`` stand for."""
    parts = re.split(r"\{([^}]*)\}", pattern)
    choices = [part.split(",") if i % 2 else [part] for i, part in enumerate(parts)]
    return ("".join(chosen) for chosen in product(*choices))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_what_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    inline = _INLINE.findall(_FENCED.sub("", text))
    assert not sorted({each for each in inline if not is_known(each)})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_names_what_exists(page: Path) -> None:
    blocks = "\n".join(_FENCED.findall(page.read_text(encoding="utf-8")))
    lines = [line.partition("#")[0].strip() for line in blocks.splitlines()]
    commands = [line for line in lines if line.startswith(("make ", ".venv/"))]
    assert not [line for line in commands if not is_known(f"{line} ")]


@pytest.mark.parametrize(
    "gone",
    [
        "bridge.sync.refreshing",
        "sync/refreshing.py",
        "refreshing.py",
        "RefreshingEngine",
        "Refresher.refresh_everything",
        "no_such_function",
        "tests/no_such_folder",
        "store/{kinds,no_such_module}.py",
        "make everything",
        ".venv/bin/pytest tests/no_such_folder",
    ],
)
def test_what_is_gone_is_noticed(gone: str) -> None:
    assert not is_known(gone)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_the_hooks_of_a_commit_are_commands_of_the_check() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"entry: (?:env )?(.+)", hooks)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(BIN)", ".venv/bin")
    check = re.search(r"^check:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert check is not None
    assert entries
    assert set(entries) <= {line.strip() for line in check[1].splitlines()}


# --- the page about the architecture --------------------------------------------------------------


def _rows(heading: str) -> dict[str, list[set[str]]]:
    """Return the names in each cell of a table's rows, by the name that stands in the first one."""
    table = ARCHITECTURE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    cells = [
        [set(_INLINE.findall(cell)) for cell in line.strip("|").split("|")]
        for line in table.splitlines()[2:]
    ]
    return {name: row[1:] for row in cells for name in row[0]}


def test_every_room_has_a_row() -> None:
    rooms = {path.stem for path in BRIDGE.iterdir() if path.suffix in ("", ".py")}
    assert set(_rows("room")) == rooms - {"__init__", "__pycache__"}


def test_the_layers_are_those_that_are_enforced() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {each["id"]: each for each in project["tool"]["importlinter"]["contracts"]}
    layers = [set(re.findall(r"bridge\.(\w+)", each)) for each in contracts["inwards"]["layers"]]
    block = ARCHITECTURE.split("## Rooms", 1)[1].split("```", 2)[1]
    assert [set(line.split(" | ")) for line in block.split("\n") if line.strip()] == layers


FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
WIRING = (
    "use_cases",
    "connection_use_cases",
    "mirror_use_cases",
    "figure_use_cases",
    "filter_use_cases",
    "entrypoints",
)


def test_every_function_has_a_row() -> None:
    assert sorted(_rows("function")) == FUNCTIONS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_calls_the_wiring_and_ports_of_its_row(function: str) -> None:
    *_, called, ports = _rows("function")[function]
    assert called == _called(function)
    assert ports == set().union(*(_ports_of(name) for name in called))


def _called(function: str) -> set[str]:
    """Return the functions of the wiring that a handler calls, or that the receiver's does."""
    sources = [ROOT / "functions" / function / "handler.py"]
    if function == "webhook_receiver":
        sources.append(BRIDGE / "wiring/receiver.py")
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sources]
    return {name for tree in trees for module in WIRING for name in _attributes(tree, module)}


@cache
def _wiring() -> dict[str, ast.FunctionDef]:
    paths = [BRIDGE / "wiring" / f"{module}.py" for module in WIRING]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    nodes = [node for tree in trees for node in tree.body]
    return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}


def _ports_of(name: str) -> set[str]:
    """Return the ports that a function of the wiring takes, itself or through others."""
    node = _wiring()[name]
    local = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} - {name}
    inner = (local & set(_wiring())) | _attributes(node, "use_cases")
    return _attributes(node, "ports").union(*map(_ports_of, inner))


def _attributes(tree: ast.AST, owner: str) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == owner
    }
