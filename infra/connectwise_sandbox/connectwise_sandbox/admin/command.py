"""Commands of the admin interface name a method, a path, a body and a function that answers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

from connectwise_sandbox.kinds import PATHS, Kind


@dataclass(frozen=True, slots=True)
class Command:
    """A command is a method on a path below ADMIN_PREFIX, and the function that answers."""

    method: str
    template: str
    answer: Callable[..., object]
    body: type[BaseModel] | None

    @property
    def purpose(self) -> str:
        """Return the first sentence of the documentation of the function that answers."""
        text = inspect.getdoc(self.answer) or ""
        return text.partition("\n\n")[0].replace("\n", " ")

    def match(self, method: str, path: str) -> list[int] | None:
        """Return the numbers in the path if the request names this command, else None."""
        pattern = re.sub(r"\{\w+\}", r"(\\d{1,10})", self.template)
        found = re.fullmatch(pattern, path) if method == self.method else None
        return [int(text) for text in found.groups()] if found else None


def kind_of(resource: str) -> Kind:
    """Return the kind whose records stand below a path; raises ValueError for an unknown one."""
    kind = next((kind for kind, path in PATHS.items() if path == resource), None)
    if kind is None:
        raise ValueError(f"no resource {resource}")
    return kind
