"""What the steps share, and what a step is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from infra.local.demo.clients import BridgeApi, ConnectWisePerson, Json
from infra.local.system import LocalSystem


@dataclass(slots=True)
class Scene:
    """The running system with the demo's two clients, and what has been found out so far."""

    system: LocalSystem
    bridge: BridgeApi
    person: ConnectWisePerson
    console: Console
    connection_id: str = ""
    services: BridgeApi | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    edit_seconds: dict[str, float] = field(default_factory=dict)

    def invoice_path(self, source_id: int) -> str:
        return f"/v1/invoices/{self.connection_id}-{source_id}"

    def customer_path(self, source_id: int) -> str:
        return f"/v1/customers/{self.connection_id}-{source_id}"

    def connection_path(self, rest: str = "") -> str:
        return f"/v1/connections/{self.connection_id}{rest}"

    def close(self) -> None:
        for client in (self.bridge, self.person, self.services):
            if client is not None:
                client.close()

    def edit(
        self, name: str, edit: Callable[[], object], path: str, seen: Callable[[Json], bool]
    ) -> Json:
        """Edit in ConnectWise and wait until the API shows it; the seconds are kept by name."""
        started = time.monotonic()
        edit()
        document = self.bridge.wait_for(path, seen)
        self.edit_seconds[name] = round(time.monotonic() - started, 2)
        return document


@dataclass(frozen=True, slots=True)
class Step:
    """``act`` returns a sentence about what was observed, or raises NotObservedError."""

    name: str
    act: Callable[[Scene], str]
