"""What goes wrong for a while: rights, keys, rows, visibility, upgrades. All of it heals."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.permissions import Action
from connectwise_sandbox.tenant import Corruption, Identity
from tests.simulation.parts import Actor
from tests.simulation.world import World


class Trouble(Actor):
    """Begins about every ``hours_between`` hours and lasts up to ``longest_hours``."""

    def __init__(self, *, hours_between: float, longest_hours: float) -> None:
        self._hours_between = hours_between
        self._longest_hours = longest_hours
        self._next_at: datetime | None = None
        self.is_on = False

    def weight(self, world: World) -> float:
        if world.is_calm:
            return 0.0
        if self._next_at is None:
            self._wait(world, world.random.expovariate(1 / self._hours_between))
        return 2.0 if self._next_at and self._next_at <= world.clock.now() else 0.0

    def act(self, world: World) -> str:
        if self.is_on:
            self._wait(world, world.random.expovariate(1 / self._hours_between))
            self.is_on = False
            return self.end(world)
        self._wait(world, world.random.uniform(0.05, self._longest_hours))
        self.is_on = True
        world.note_fault(self.name)
        return self.begin(world)

    def calm_down(self, world: World) -> None:
        if self.is_on:
            self.is_on = False
            self.end(world)

    def begin(self, world: World) -> str:
        raise NotImplementedError

    def end(self, world: World) -> str:
        raise NotImplementedError

    def _wait(self, world: World, hours: float) -> None:
        self._next_at = world.clock.now() + timedelta(hours=hours)


class CorruptRows(Trouble):
    """Some rows cannot be read, or break the pages they are on; some stay so for ever."""

    name = "corrupt rows"

    def begin(self, world: World) -> str:
        tenant = world.engine.tenant
        broken = []
        for _ in range(world.random.randint(1, 3)):
            kind = world.random.choice((Kind.INVOICE, Kind.INVOICE, Kind.COMPANY, Kind.PRODUCT))
            row = world.random.choice(list(tenant.store[kind]))
            corruption = world.random.choice(_CORRUPTIONS[kind])
            tenant.corruptions[kind, row["id"]] = corruption
            broken.append(f"{kind.value} {row['id']} {corruption}")
        return "; ".join(broken)

    def end(self, world: World) -> str:
        world.engine.tenant.corruptions.clear()
        return "healed"

    def calm_down(self, world: World) -> None:
        """Leave an invoice broken for good, now and then: it must be seen as a problem."""
        super().calm_down(world)
        world.engine.tenant.corruptions.clear()
        if world.random.random() < 0.3:
            invoice = world.random.choice(list(world.engine.tenant.store[Kind.INVOICE]))
            corruption = world.random.choice(_CORRUPTIONS[Kind.INVOICE][2:])
            world.engine.tenant.corruptions[Kind.INVOICE, invoice["id"]] = corruption


_BREAKS_PAGES = Corruption(0, {})
_BREAKS_LONG_PAGES = Corruption(1, {})
_CORRUPTIONS = {
    Kind.INVOICE: (
        _BREAKS_PAGES,
        _BREAKS_LONG_PAGES,
        Corruption(None, {"total": "abc"}),
        Corruption(None, {"type": "Hologram"}),
        Corruption(None, {"currency": {"currencyCode": 7}}),
    ),
    Kind.COMPANY: (
        _BREAKS_PAGES,
        _BREAKS_LONG_PAGES,
        Corruption(None, {"name": None}),
    ),
    Kind.PRODUCT: (_BREAKS_PAGES, Corruption(None, {"extPrice": "abc"})),
}


class RightRevoked(Trouble):
    """The API member's role loses a right that the sync needs."""

    name = "right revoked"
    _CELLS = (
        ("Finance", "Invoicing"),
        ("Companies", "Company Maintenance"),
        ("Procurement", "Products"),
        ("Time & Expense", "Time Entry"),
    )

    def __init__(self, *, hours_between: float, longest_hours: float) -> None:
        super().__init__(hours_between=hours_between, longest_hours=longest_hours)
        self._cell = self._CELLS[0]

    def begin(self, world: World) -> str:
        self._cell = world.random.choice(self._CELLS)
        world.engine.tenant.role.set_cell(*self._cell, Action.INQUIRE, "None")
        return f"{self._cell}"

    def end(self, world: World) -> str:
        world.engine.tenant.role.set_cell(*self._cell, Action.INQUIRE, "All")
        return f"{self._cell} granted"


class KeysRejected(Trouble):
    """ConnectWise does not accept the keys for a while."""

    name = "keys rejected"

    def __init__(self, *, hours_between: float, longest_hours: float) -> None:
        super().__init__(hours_between=hours_between, longest_hours=longest_hours)
        self._identity: Identity | None = None

    def begin(self, world: World) -> str:
        self._identity = world.engine.tenant.identity
        world.engine.tenant.identity = replace(self._identity, private_key="another")
        return "from now on"

    def end(self, world: World) -> str:
        if self._identity:
            world.engine.tenant.identity = self._identity
        return "accepted again"


class HiddenLocation(Trouble):
    """The API member sees only a part of the organisation: most records look deleted."""

    name = "hidden location"

    def __init__(self, *, hours_between: float, longest_hours: float) -> None:
        super().__init__(hours_between=hours_between, longest_hours=longest_hours)
        self._visible_before: list[int] | None = None

    def begin(self, world: World) -> str:
        switches = world.engine.switches
        self._visible_before = switches.visible_location_ids
        locations = list(world.engine.tenant.store[Kind.LOCATION])
        seen = world.random.choice(locations)["id"]
        switches.visible_location_ids = [seen]
        return f"only {seen} is visible"

    def end(self, world: World) -> str:
        world.engine.switches.visible_location_ids = self._visible_before
        return "visible as before"


class NoPdfs(Trouble):
    """ConnectWise prints no invoices, or something else than a PDF."""

    name = "no PDFs"

    def begin(self, world: World) -> str:
        switches = world.engine.switches
        switches.pdf = world.random.choice(("empty", "html", "server_error"))
        return switches.pdf

    def end(self, world: World) -> str:
        world.engine.switches.pdf = "blank"
        return "printing again"


class Upgrades(Actor):
    """ConnectWise's cloud moves to another codebase, whatever is going on."""

    name = "upgrade"

    def __init__(self, hours_between: float = 6.0) -> None:
        self._hours_between = hours_between
        self._next_at: datetime | None = None

    def weight(self, world: World) -> float:
        if world.is_calm:
            return 0.0
        if self._next_at is None:
            hours = world.random.expovariate(1 / self._hours_between)
            self._next_at = world.clock.now() + timedelta(hours=hours)
        return 2.0 if self._next_at <= world.clock.now() else 0.01 if world.depth else 0.0

    def act(self, world: World) -> str:
        self._next_at = None
        world.note_fault(self.name)
        return world.engine.people.roll_codebase_over()
