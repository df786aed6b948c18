"""Watch every call that a worker makes through a port, to number it and to let it go wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar, cast

T = TypeVar("T")


class SimulatedCrashError(BaseException):
    """The worker is gone with all its memory. No code of the bridge may catch this."""


@dataclass(slots=True)
class PortCall:
    """One call through a port: its number in the world, and ``name``, e.g. ``records.save``.

    Nobody changes it; not being frozen makes it cheap, and a seed makes thousands.
    """

    number: int
    port: str
    method: str
    name: str
    arguments: tuple[object, ...]
    named: dict[str, object]


class Observer(Protocol):
    """Carries a call out, with whatever happens around it."""

    def watchers_of(self, ports: dict[str, Any]) -> dict[str, Any]: ...

    def pass_through(
        self,
        name: tuple[str, str],
        do: Callable[[], Any],
        arguments: tuple[object, ...] = (),
        named: dict[str, object] | None = None,
    ) -> Any: ...


class _Watched:
    """Stands before a port; attributes that are no methods pass unseen."""

    def __init__(self, target: object, port: str, observer: Observer) -> None:
        self._target = target
        self._port = port
        self._observer = observer

    def __getattr__(self, method: str) -> Any:
        value = getattr(self._target, method)
        if not callable(value):
            return value
        name, pass_through = (self._port, method), self._observer.pass_through

        def call(*arguments: object, **named: object) -> Any:
            return pass_through(name, partial(value, *arguments, **named), arguments, named)

        setattr(self, method, call)
        return call


class Watchers:
    """Keeps the watchers of ports that outlive workers: they remember nothing of a worker.

    Ports named in ``showing_themselves`` call the observer on their own.
    """

    def __init__(self, observer: Observer, showing_themselves: Collection[str]) -> None:
        self._observer = observer
        self._showing_themselves = showing_themselves
        self._ports: dict[str, Any] = {}
        self._watchers: dict[str, Any] = {}

    def of(self, ports: dict[str, Any]) -> dict[str, Any]:
        """Return the ports by their names, with each call going through the observer."""
        if ports != self._ports:
            self._ports = dict(ports)
            self._watchers = {
                name: port
                if name in self._showing_themselves
                else watched(port, name, self._observer)
                for name, port in ports.items()
            }
        return self._watchers


def watched(target: T, port: str, observer: Observer) -> T:
    """Return the target with each of its methods going through the observer."""
    return cast(T, _Watched(target, port, observer))
