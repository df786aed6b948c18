"""The program measures how the product code reads, how it is wired and how it branches.

``python -m tests.architecture.figures`` prints a table, or JSON with ``--json``. ``--list NAME``
prints the places behind a figure; a PATH after it narrows the list to matching files.
"""

import argparse
import ast
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tokenize import COMMENT, DEDENT, ENDMARKER, INDENT, NEWLINE, NL, generate_tokens

ROOT = Path(__file__).resolve().parents[2]
BRIDGE = "layers/core/python/bridge"
WIRING = (
    f"{BRIDGE}/wiring/use_cases.py",
    f"{BRIDGE}/wiring/connection_use_cases.py",
    f"{BRIDGE}/wiring/figure_use_cases.py",
    f"{BRIDGE}/wiring/filter_use_cases.py",
    f"{BRIDGE}/wiring/mirror_use_cases.py",
    f"{BRIDGE}/wiring/entrypoints.py",
)
OUTER_PACKAGES = {"", "domain", "ports", "connectwise", "store", "aws", "wiring", "entrypoints"}
MAX_FUNCTION_LINES = 50

# Words that end in -ing and are nouns of English, so that a module may bear them.
NOUNS = frozenset(
    # Departments and work of the field, as in "the billing of a month".
    {"accounting", "billing", "invoicing", "pricing"}
    # Things that take "a" and a plural, as in "a listing" or "two settings".
    | {"finding", "heading", "listing", "mapping", "ordering", "rating", "setting", "timing"}
    # Technical terms that name a mechanism or a part, as "signing" does in "signing key".
    | {"paging", "ping", "routing", "signing", "string", "warning", "wiring"}
    # Words in which -ing belongs to the stem.
    | {"ceiling", "king", "ring", "sibling", "thing"}
)

CODE = re.compile(r"``.+?``|(?::[\w:]+:)?`[^`]+`", re.DOTALL)
SENTENCE_END = re.compile(
    r"(?<!e\.g)(?<!i\.e)[.!?][)\"'\u201d\u2019]*\s+(?=[^a-z\s])"  # a full stop before a capital
    r"|\n[ \t]*\n"  # a paragraph's end
    r"|\n[ \t]*(?=[-*] )"  # the next item of a list
)
NEGATION = re.compile(
    r"(?<![\w-])(?:(?i:not?|never|nobody|nothing|nowhere|neither|nor|cannot|without|[a-z]+n['\u2019]t)"
    r"|none|None(?= of\b))(?![\w-])"  # any other "None" is Python's value
)
CLAUSE = re.compile(r"(?<![\w-])(?:what(?:ever)?|who(?:ever)?|whom)(?![\w-])", re.IGNORECASE)
# "What holds for every test." opens like a question, ends like a statement, has no main clause.
BARE_QUESTION = re.compile(r"(?i:(?:what|who|which)(?:ever)?|whom|whose|how|why|whether)\b[^?]*$")


@dataclass(frozen=True, slots=True)
class Source:
    """A source is a Python file, with every node of its tree; its path starts at the root."""

    path: str
    text: str
    nodes: tuple[ast.AST, ...]

    @property
    def package(self) -> str:
        """Return the package within the bridge, or an empty text for a file elsewhere."""
        inside = self.path.removeprefix(f"{BRIDGE}/")
        return inside.partition("/")[0] if inside != self.path and "/" in inside else ""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A finding is one place that a figure counts."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


Measure = Callable[[Source], list[Finding]]


def parse(path: str, text: str) -> Source:
    return Source(path, text, tuple(ast.walk(ast.parse(text))))


def read_sources(root: Path, *folders: str) -> list[Source]:
    """Read every Python file below the folders, in the order of their paths."""
    paths = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    return [parse(p.relative_to(root).as_posix(), p.read_text(encoding="utf-8")) for p in paths]


def _finding(source: Source, node: ast.AST, text: str) -> Finding:
    return Finding(source.path, getattr(node, "lineno", 0), text)


# --- how the code reads --------------------------------------------------------------------------


def modules(source: Source) -> list[Finding]:
    """Return the file itself, if it is a module with a name of its own."""
    stem = Path(source.path).stem
    return [] if stem in {"__init__", "__main__"} else [Finding(source.path, 1, stem)]


def gerunds(source: Source) -> list[Finding]:
    """Return the module if a part of its name is a verb in -ing."""
    named = ((module, set(module.text.split("_")) - NOUNS) for module in modules(source))
    return [module for module, words in named if any(word.endswith("ing") for word in words)]


def bare_texts(source: Source) -> list[ast.Constant]:
    """Return the docstrings of modules, classes, functions and attributes."""
    values = [node.value for node in source.nodes if isinstance(node, ast.Expr)]
    constants = [value for value in values if isinstance(value, ast.Constant)]
    return [constant for constant in constants if isinstance(constant.value, str)]


def split_sentences(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield each sentence's offset, its text, and its text with code masked by ``X``."""
    masked = CODE.sub(lambda code: re.sub(r"\S", "X", code[0]), text)
    start = 0
    for end in [*(match.end() for match in SENTENCE_END.finditer(masked)), len(masked)]:
        words = masked[start:end]
        if re.search(r"[A-Za-z]", words):
            offset = start + len(words) - len(words.lstrip())
            yield offset, " ".join(text[start:end].split()), " ".join(words.split())
        start = end


@cache
def read_sentences(source: Source) -> list[tuple[Finding, str, bool]]:
    """Return each sentence's place, its text with code masked, and whether it comes first."""
    found = []
    for node in bare_texts(source):
        text = str(node.value)
        for number, (offset, plain, words) in enumerate(split_sentences(text)):
            line = node.lineno + text.count("\n", 0, offset)
            found.append((Finding(source.path, line, plain), words, number == 0))
    return found


def sentences(source: Source) -> list[Finding]:
    return [place for place, _, _ in read_sentences(source)]


def docstrings(source: Source) -> list[Finding]:
    """Return each docstring by its first sentence."""
    return [place for place, _, is_first in read_sentences(source) if is_first]


def negations(source: Source) -> list[Finding]:
    return [place for place, words, _ in read_sentences(source) if NEGATION.search(words)]


def clauses(source: Source) -> list[Finding]:
    return [place for place, words, _ in read_sentences(source) if CLAUSE.search(words)]


def openings(source: Source) -> list[Finding]:
    """Return the first sentences that lack a main clause, as far as a pattern can tell."""
    found = read_sentences(source)
    return [place for place, words, is_first in found if is_first and BARE_QUESTION.match(words)]


# --- sizes ---------------------------------------------------------------------------------------


def function_lengths(source: Source) -> list[tuple[int, Finding]]:
    """Return the length of each function, from ``def`` to its last line, and its place."""
    kind = ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [node for node in source.nodes if isinstance(node, kind)]
    lengths = [((node.end_lineno or node.lineno) - node.lineno + 1, node) for node in nodes]
    return [(n, _finding(source, node, f"{node.name}, {n} lines")) for n, node in lengths]


def long_functions(source: Source) -> list[Finding]:
    return [place for length, place in function_lengths(source) if length > MAX_FUNCTION_LINES]


def docstring_lines(source: Source) -> set[int]:
    spans = [(node.lineno, node.end_lineno or node.lineno) for node in bare_texts(source)]
    return {line for first, last in spans for line in range(first, last + 1)}


@cache
def code_lines(source: Source) -> set[int]:
    """Return the lines that hold code: blank lines, comments and docstrings are left out."""
    layout = {COMMENT, NL, NEWLINE, INDENT, DEDENT, ENDMARKER}
    tokens = generate_tokens(io.StringIO(source.text).readline)
    spans = [(token.start[0], token.end[0]) for token in tokens if token.type not in layout]
    lines = {line for first, last in spans for line in range(first, last + 1)}
    return lines - docstring_lines(source)


# --- wiring --------------------------------------------------------------------------------------


def _names(*nodes: ast.expr | None) -> set[str]:
    """Return the names in expressions, by their last part, also within quoted annotations."""
    found: set[str] = set()
    for node in (inner for outer in nodes if outer is not None for inner in ast.walk(outer)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                found.add(name)
            case ast.Constant(value=str(text)):
                found.update(re.findall(r"\w+", text))
    return found


def _classes(sources: Sequence[Source]) -> list[tuple[ast.ClassDef, str]]:
    nodes = [(node, source.package) for source in sources for node in source.nodes]
    return [(node, package) for node, package in nodes if isinstance(node, ast.ClassDef)]


def port_names(bridge: Sequence[Source]) -> set[str]:
    """Return the protocols of ``bridge/ports`` and of modules such as ``payment_ports.py``."""
    homes = [s for s in bridge if s.package == "ports" or s.path.endswith("_ports.py")]
    return {node.name for node, _ in _classes(homes) if "Protocol" in _names(*node.bases)}


def parameter_types(node: ast.ClassDef) -> set[str]:
    """Return the names in the annotations of ``__init__``, or of a dataclass's fields."""
    inits = [f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"]
    if inits:
        arguments = inits[0].args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        return _names(*(argument.annotation for argument in every))
    if "dataclass" in _names(*node.decorator_list):
        return _names(*(f.annotation for f in node.body if isinstance(f, ast.AnnAssign)))
    return set()


def use_case_classes(bridge: Sequence[Source]) -> dict[str, str]:
    """Return the package of each use-case class by its name.

    A use case takes a port or another use case, or extends a class that does.
    """
    ports = port_names(bridge)
    candidates = _classes([source for source in bridge if source.package not in OUTER_PACKAGES])
    found: dict[str, str] = {}
    size = -1
    while len(found) > size:
        size = len(found)
        for node, package in candidates:
            needs = parameter_types(node) & (ports | found.keys())
            if needs or _names(*node.bases) & found.keys():
                found[node.name] = package
    return found


def constructions(use_cases: dict[str, str], are_parts: bool, source: Source) -> list[Finding]:
    """Return the calls of use-case classes outside the wiring.

    They are either parts, constructed within the package that defines them, or wiring elsewhere.
    """
    imports = [node for node in source.nodes if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if (node.module or "").partition(".")[0] == "bridge"]
    imported = {alias.name for node in ours for alias in node.names}
    calls = [n for n in source.nodes if isinstance(n, ast.Call) and source.path not in WIRING]
    named = [(call, getattr(call.func, "id", getattr(call.func, "attr", ""))) for call in calls]
    return [
        _finding(source, call, name)
        for call, name in named
        if name in use_cases
        and (source.package or imported & _names(call.func))
        and (source.package == use_cases[name]) is are_parts
    ]


# --- branches on kind ----------------------------------------------------------------------------


def _is_kind(node: ast.AST | None) -> bool:
    """Tell whether an expression is ``RecordKind.X``, or a display that holds one."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(map(_is_kind, node.elts))
    return isinstance(node, ast.Attribute) and _names(node.value) == {"RecordKind"}


def _is_branch(node: ast.AST) -> bool:
    """Tell whether a comparison, dict display, pattern or call tells kinds of records apart."""
    match node:
        case ast.Compare(left=left, comparators=others):
            return any(map(_is_kind, [left, *others]))
        case ast.Dict(keys=keys):
            return any(map(_is_kind, keys))
        case ast.MatchValue(value=value):
            return _is_kind(value)
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, types]) | ast.MatchClass(cls=types):
            return bool(_names(types) & {"Customer", "Invoice"})
    return False


def kinds(source: Source) -> list[Finding]:
    nodes = [node for node in source.nodes if _is_branch(node)]
    return [_finding(source, node, " ".join(ast.unparse(node).split())[:90]) for node in nodes]


# --- the report ----------------------------------------------------------------------------------

SHARES = {"gerunds": "modules", "openings": "docstrings"}
SHARES |= {"negations": "sentences", "clauses": "sentences"}
PLACES = ("long functions", "parts", "wiring")
COLUMNS = (
    *("modules", "gerunds %", "sentences", "negations %", "clauses %", "openings %", "wiring"),
    *("parts", "kinds", "kinds files", "long functions", "longest function", "longest file"),
    *("total lines", "code lines", "docstring lines"),
)


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey holds the product's sources by scope, all test code, and each list's measure."""

    product: dict[str, list[Source]]
    tests: list[Source]
    lists: dict[str, Measure]

    def find(self, name: str) -> list[Finding]:
        """Return the places of a list in the product; the wiring is looked for in tests too."""
        every = [*self.product.values(), self.tests if name in {"wiring", "parts"} else []]
        sources = {source for sources in every for source in sources}
        return sorted(place for source in sources for place in self.lists[name](source))

    def figures(self, scope: str) -> dict[str, float]:
        """Return every figure of a scope; those that end in ``%`` are shares."""
        sources = self.product[scope]
        found = {name: [p for s in sources for p in find(s)] for name, find in self.lists.items()}
        files = [len(source.text.splitlines()) for source in sources]
        lengths = [length for source in sources for length, _ in function_lengths(source)]
        figures: dict[str, float] = {name: len(places) for name, places in found.items()}
        for part, whole in SHARES.items():
            figures[f"{part} %"] = round(100 * figures[part] / max(figures[whole], 1), 1)
        figures["kinds files"] = len({place.path for place in found["kinds"]})
        figures["longest function"] = max(lengths, default=0)
        figures["longest file"] = max(files, default=0)
        figures["total lines"] = sum(files)
        figures["code lines"] = sum(len(code_lines(source)) for source in sources)
        figures["docstring lines"] = sum(len(docstring_lines(source)) for source in sources)
        return figures


def survey(root: Path = ROOT) -> Survey:
    """Read the repository: the product by scope, and all test code."""
    bridge, infra = read_sources(root, BRIDGE), read_sources(root, "infra")
    product = {"bridge": bridge}
    for package in sorted({source.package for source in bridge} - {""}):
        product[f"bridge/{package}"] = [s for s in bridge if s.package == package]
    product["functions"] = read_sources(root, "functions")
    product["infra"] = [source for source in infra if "/tests/" not in source.path]
    tests = [source for source in infra if "/tests/" in source.path] + read_sources(root, "tests")
    measures = (modules, gerunds, docstrings, openings, sentences, negations, clauses, kinds)
    lists: dict[str, Measure] = {measure.__name__: measure for measure in measures}
    construct = partial(constructions, use_case_classes(bridge))
    lists |= {"wiring": partial(construct, False), "parts": partial(construct, True)}
    return Survey(product, tests, lists | {"long functions": long_functions})


def table(whole: Survey) -> str:
    """Lay out the figures of each scope, and below them the places that fit on a screen."""
    rows = [["", *(head.partition(" ")[part] for head in COLUMNS)] for part in (0, 2)]
    figures = {scope: whole.figures(scope) for scope in whole.product}
    rows += [[name, *(str(row[head]) for head in COLUMNS)] for name, row in figures.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[row[0].ljust(widths[0]), *row[1:]] for row in rows]
    lines = ["  ".join(map("{:>{}}".format, row, widths)) for row in padded]
    for name in PLACES:
        places = whole.find(name)
        lines += ["", f"{name}: {len(places)}", *(f"  {place}" for place in places)]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m tests.architecture.figures", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print every figure by scope as JSON")
    parser.add_argument(
        "--list",
        choices=(*SHARES, "kinds", "parts", "wiring"),
        help="print the places behind a figure",
    )
    parser.add_argument("path", nargs="?", default="", help="list only files whose path holds this")
    options = parser.parse_args(arguments)
    if options.path and not options.list:
        parser.error("PATH narrows a list: say which one with --list")
    whole = survey()
    if options.list:
        found = whole.find(options.list)
        print(*(place for place in found if options.path in place.path), sep="\n")
    elif options.json:
        scopes = {scope: whole.figures(scope) for scope in whole.product}
        places = {name: list(map(str, whole.find(name))) for name in PLACES}
        print(json.dumps({"scopes": scopes, "places": places}, indent=2))
    else:
        print(table(whole))


if __name__ == "__main__":
    main()
