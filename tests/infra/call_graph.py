"""The code that a function reaches, by the types that mypy finds.

A call on a protocol leads to each class that is made on the way and fulfils it. So the graph goes
from a handler through the wiring and the use cases into the adapters that this function makes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mypy import build
from mypy.main import process_options
from mypy.nodes import (
    Argument,
    CallExpr,
    ClassDef,
    Decorator,
    Expression,
    FuncDef,
    MemberExpr,
    NameExpr,
    OverloadedFuncDef,
    RefExpr,
    Statement,
    TypeInfo,
)
from mypy.types import (
    CallableType,
    Instance,
    TupleType,
    Type,
    TypeType,
    TypeVarType,
    UnionType,
    get_proper_type,
)

ROOT = Path(__file__).parents[2]
SOURCES = (ROOT / "layers" / "core" / "python", ROOT / "functions")
# Other packages' code decides nothing here, and reading it would take most of the time.
SKIPPED = (
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "httpx",
    "mypy_boto3_dynamodb",
    "mypy_boto3_events",
    "mypy_boto3_s3",
    "mypy_boto3_secretsmanager",
    "mypy_boto3_sqs",
    "pydantic",
)
CODE = (Argument, Expression, FuncDef, Statement)
# The attributes of mypy's nodes that lead from a name to what it names.
OUTWARDS = frozenset({"analyzed", "info", "names", "node", "type", "var"})


@dataclass(frozen=True)
class Construction:
    """A call of a class, or its name given away to be called later (without arguments)."""

    class_name: str
    positional: int = 0
    keywords: frozenset[str] = frozenset()


@dataclass
class Code:
    """What one function, method or body of a module names."""

    references: set[str] = field(default_factory=set)
    """Functions and constants, by their full names."""
    members: set[tuple[str, str]] = field(default_factory=set)
    """The class of an object, and the attribute that is taken of it."""
    constructions: set[Construction] = field(default_factory=set)
    client_calls: set[str] = field(default_factory=set)
    """The methods called on a client of AWS."""


@dataclass(frozen=True)
class Class:
    bases: tuple[str, ...]
    names: frozenset[str]
    """What it has, or what it asks for if it is a protocol."""
    is_protocol: bool


class CallGraph:
    """All code of the functions and of the layer that they share."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = defaultdict(Code)
        self._classes: dict[str, Class] = {}
        result = _typed()
        for module, file in result.files.items():
            if any(Path(file.path).resolve().is_relative_to(folder) for folder in SOURCES):
                self._read(module, file.defs, result.types)
        self._fulfilling = {
            owner: frozenset(each for each in self._classes if self._fulfils(each, owner))
            for owner in self._classes
        }

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._codes)

    def code(self, name: str) -> Code:
        return self._codes.get(name, Code())

    def reached_from(self, function: str) -> frozenset[str]:
        """The full name of all code that the code in the function's folder may come to."""
        return self._reached({each for each in self._codes if each.startswith(f"{function}.")})

    def inside(self, starts: Iterable[str], room: str) -> frozenset[str]:
        """All code that the starts may come to without leaving the room."""
        return self._reached(set(starts), room)

    def _reached(self, starts: set[str], room: str = "") -> frozenset[str]:
        reached, new = set[str](), starts
        taken, made = set[tuple[str, str]](), set[str]()
        while new:
            reached |= new
            found = set[str]()
            for code in map(self.code, new):
                found |= code.references
                taken |= code.members
                made |= {each.class_name for each in code.constructions}
            found.update(self._methods(taken, made), self._special_methods(made))
            new = {each for each in found if each.startswith(room)} - reached
        return frozenset(reached)

    def _methods(self, taken: set[tuple[str, str]], made: set[str]) -> Iterator[str]:
        for owner, name in taken:
            if owner in self._classes:
                for each in {owner} | (self._fulfilling[owner] & made):
                    yield from self._method(each, name)

    def _special_methods(self, made: set[str]) -> Iterator[str]:
        """What Python itself calls, such as `__init__` and `__iter__`."""
        for each in made & self._classes.keys():
            for name in self._classes[each].names:
                if name.startswith("__"):
                    yield from self._method(each, name)

    def _method(self, owner: str, name: str) -> Iterator[str]:
        bases = (f"{base}.{name}" for base in self._classes[owner].bases)
        yield from [each for each in bases if each in self._codes][:1]

    def _fulfils(self, candidate: str, owner: str) -> bool:
        has, asked = self._classes[candidate], self._classes[owner]
        return owner in has.bases or (asked.is_protocol and asked.names <= has.names)

    def _read(self, module: str, body: Iterable[Any], types: dict[Expression, Type]) -> None:
        left = [(node, module, True) for node in body]
        seen = set[int]()  # a node may have two parents
        while left:
            node, place, is_outside = left.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            code = self._codes[place]
            match node:
                case FuncDef() if is_outside:
                    place, is_outside = node.fullname, False
                case ClassDef():
                    self._classes[node.info.fullname] = _class(node.info)
                case CallExpr(callee=RefExpr(node=TypeInfo(fullname=name))):
                    keywords = frozenset(each for each in node.arg_names if each)
                    code.constructions.add(
                        Construction(name, len(node.args) - len(keywords), keywords)
                    )
                    left += [(each, place, is_outside) for each in node.args]
                    continue
                case RefExpr():
                    _note_reference(node, code, types)
            left += [(child, place, is_outside) for child in _children(node)]


def _note_reference(node: RefExpr, code: Code, types: dict[Expression, Type]) -> None:
    match node.node:
        case TypeInfo(fullname=name):
            code.constructions.add(Construction(name))
        case FuncDef() | Decorator() | OverloadedFuncDef():
            code.references.add(node.node.fullname)
        case _ if node.fullname:
            code.references.add(node.fullname)
    if not isinstance(node, MemberExpr):
        return
    for owner in _classes_of(types.get(node.expr)):
        code.members.add((owner, node.name))
    match node.expr:
        case MemberExpr(name="_client") | NameExpr(name="client"):
            code.client_calls.add(node.name)


def _classes_of(type_: Type | None) -> Iterator[str]:
    match get_proper_type(type_):
        case Instance() as instance:
            yield instance.type.fullname
        case TupleType(partial_fallback=instance):
            yield instance.type.fullname
        case UnionType(items=items):
            for each in items:
                yield from _classes_of(each)
        case TypeVarType(upper_bound=bound):
            yield from _classes_of(bound)
        case TypeType(item=item):
            yield from _classes_of(item)
        case CallableType() as made if made.is_type_obj():
            yield made.type_object().fullname


def _class(info: TypeInfo) -> Class:
    names = {name for base in info.mro for name in base.names}
    return Class(
        bases=tuple(base.fullname for base in info.mro),
        names=frozenset(info.protocol_members if info.is_protocol else names),
        is_protocol=info.is_protocol,
    )


def _children(node: object) -> Iterator[Any]:
    """The parts of a node: mypy's compiled visitors cannot be inherited from here."""
    for kind in type(node).__mro__:
        for name in getattr(kind, "__mypyc_attrs__", ()):
            if name not in OUTWARDS:
                yield from _code_in(getattr(node, name, None))


def _code_in(value: object) -> Iterator[Any]:
    if isinstance(value, CODE):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _code_in(each)


def _typed() -> build.BuildResult:
    """Let mypy find the type of every expression."""
    arguments = [
        "--no-incremental",
        "--cache-dir=/dev/null",
        f"--config-file={ROOT}/pyproject.toml",
    ]
    sources, options = process_options([*arguments, *map(str, SOURCES)])
    options.export_types = options.preserve_asts = True
    options.plugins = []
    for package in SKIPPED:
        for name in (package, f"{package}.*"):
            options.per_module_options[name] = {"follow_imports": "skip"}
    options.build_per_module_cache()
    return build.build(sources, options)


@cache
def call_graph() -> CallGraph:
    return CallGraph()
