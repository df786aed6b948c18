"""The router finds the handler of a method and a path below `apis/3.0/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectwise_sandbox.errors import endpoint_not_found, method_not_allowed
from connectwise_sandbox.messages import Request, Response
from connectwise_sandbox.permissions import Action, Row
from connectwise_sandbox.tenant import Tenant

MAX_SEGMENTS = 12
MAX_INT32 = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Call:
    """A call is one routed request."""

    tenant: Tenant
    request: Request
    ids: Mapping[str, int]
    """The numbers in the path by name."""
    member: str
    """The identifier of the acting member."""


Handler = Callable[[Call], Response]
Right = tuple[Row, Action]


@dataclass(frozen=True, slots=True)
class Route:
    """A route answers a method on a template such as `/finance/invoices/{id}`."""

    template: str
    handler: Handler
    right: Right | None
    names: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    number: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Router:
    """A router is a tree of path segments; literals, in any case, go before numbers."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, method: str, template: str, handler: Handler, right: Right | None) -> None:
        """Register a route; `{name}` in the template stands for a whole number."""
        node, names = self._root, list[str]()
        for segment in _segments(template):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.number = node.number or _Node()
                node = node.number
            else:
                node = node.literals.setdefault(segment.lower(), _Node())
        node.routes[method] = Route(template, handler, right, tuple(names))

    def find(
        self, method: str, path: str, unknown_endpoint_status: int = 404
    ) -> tuple[Route, dict[str, int]]:
        """Return the route of a path and the numbers in it; raises the 404 or 405."""
        node, numbers = self._root, list[int]()
        segments = _segments(path)
        if len(segments) > MAX_SEGMENTS:
            raise endpoint_not_found(unknown_endpoint_status)
        for segment in segments:
            literal = node.literals.get(segment.lower())
            if literal is not None:
                node = literal
            elif node.number is not None and _is_id(segment):
                node = node.number
                numbers.append(int(segment))
            else:
                raise endpoint_not_found(unknown_endpoint_status)
        if not node.routes:
            raise endpoint_not_found(unknown_endpoint_status)
        if method not in node.routes:
            raise method_not_allowed()
        route = node.routes[method]
        return route, dict(zip(route.names, numbers, strict=True))


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _is_id(segment: str) -> bool:
    return segment.isascii() and segment.isdigit() and int(segment[:12]) <= MAX_INT32
