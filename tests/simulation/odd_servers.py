"""Servers that page, date and write records in their own way, from the start or for a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import httpx

from connectwise_sandbox.faults import Effect
from connectwise_sandbox.faults import Fault as EngineFault
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.messages import RawJson
from connectwise_sandbox.tenant import Corruption
from tests.simulation.parts import Fault
from tests.simulation.troubles import Trouble
from tests.simulation.world import World

SHORT_PAGE = 7
"""Rows of a page whose server gives fewer than it is asked for."""
LIGHT_PAGE = 15
"""Rows of the largest page under which a slow server does not break."""
Habit = Mapping[str, Any]
"""Values of switches that make up one oddity."""

LASTING: tuple[Habit, ...] = (
    {"page_row_limit": SHORT_PAGE},
    {"page_row_limit": SHORT_PAGE, "link_header": False},
    {"link_header": False},
    {"heavy_page_rows": LIGHT_PAGE},
    {"heavy_page_rows": LIGHT_PAGE, "heavy_page_answer": "html_504"},
    {"heavy_page_rows": LIGHT_PAGE, "heavy_page_answer": "json_500", "link_header": False},
    {"server_clock_minutes_off": -180.0},
    {"server_clock_minutes_off": 90.0},
    {"server_clock_minutes_off": 525_600.0},
    {"empty_references": "without_id"},
    {"currency_form": "iso_code"},
    {"payment_ids": "shuffled"},
    {"visible_location_ids": [1]},
    {"visible_location_ids": [2, 3]},
)
"""Oddities that a server may have for ever: everything is brought over all the same."""
PASSING: tuple[Habit, ...] = (
    *LASTING[:6],
    {"heavy_page_rows": LIGHT_PAGE, "heavy_page_answer": "nothing"},
    {"page_surplus_rows": 3, "page_row_limit": SHORT_PAGE},
    {"forward_only_order": "falling"},
    {"currency_form": "absent"},
    {"empty_references": "without_id"},
    {"hidden_record_status": 403},
)
"""Oddities that a server has for a while; some of them let nothing be read meanwhile."""
WRONG_DATES = (
    "Thu, 31 Dec 2099 23:59:59 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "yesterday",
)


def lasting_oddities(dice: Random) -> dict[str, Any]:
    """Return the switches of a server with none to two lasting oddities."""
    chosen: dict[str, Any] = {}
    for habit in dice.sample(LASTING, dice.choice((0, 0, 1, 1, 2))):
        chosen |= habit
    return chosen


class _Switching(Trouble):
    """A trouble that sets switches, and at its end sets them as they were."""

    def __init__(self, *, hours_between: float, longest_hours: float) -> None:
        super().__init__(hours_between=hours_between, longest_hours=longest_hours)
        self._before: dict[str, Any] = {}

    def end(self, world: World) -> str:
        for name, value in self._before.items():
            setattr(world.engine.switches, name, value)
        return "as before"

    def _switch(self, world: World, habit: Habit) -> str:
        switches = world.engine.switches
        self._before = {name: getattr(switches, name) for name in habit}
        for name, value in habit.items():
            setattr(switches, name, value)
        return ", ".join(f"{name} {value}" for name, value in habit.items())


class PassingOddities(_Switching):
    """The server gets an odd habit, and loses it again."""

    name = "odd server"

    def begin(self, world: World) -> str:
        return self._switch(world, world.random.choice(PASSING))


class WrongClock(_Switching):
    """The server's clock goes wrong, and is set right: records dated meanwhile keep their dates."""

    name = "wrong clock"

    def begin(self, world: World) -> str:
        world.has_true_dates = False
        minutes = world.random.choice((-600.0, -30.0, 30.0, 600.0))
        before: float = world.engine.switches.server_clock_minutes_off
        return self._switch(world, {"server_clock_minutes_off": before + minutes})


class WrongDates(Fault):
    """Single answers are dated wrongly, as by a cache or a proxy."""

    name = "wrong date"

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def on_request(self, world: World, request: httpx.Request) -> EngineFault | None:
        if world.random.random() >= self._rate:
            return None
        world.note_fault(self.name)
        return EngineFault(effect=Effect.OTHER_DATE, date=world.random.choice(WRONG_DATES))


class OddRows(Trouble):
    """Rows hold what no reader expects. Some stay so for ever."""

    name = "odd rows"

    def begin(self, world: World) -> str:
        return "; ".join(self._spoil(world) for _ in range(world.random.randint(1, 3)))

    def end(self, world: World) -> str:
        world.engine.tenant.corruptions.clear()
        return "healed"

    def calm_down(self, world: World) -> None:
        super().calm_down(world)
        if world.random.random() < 0.5:
            world.note(f"      odd for ever: {self._spoil(world)}")

    def _spoil(self, world: World) -> str:
        kind, corruption = world.random.choice(_ODDITIES)
        rows = list(world.engine.tenant.store[kind])
        if not rows:
            return "none"
        row = world.random.choice(rows)
        world.engine.tenant.corruptions[kind, row["id"]] = corruption()
        return f"{kind.value} {row['id']} {corruption()}"


def _showing(**overrides: object) -> Callable[[], Corruption]:
    return lambda: Corruption(None, dict(overrides))


_ODDITIES: tuple[tuple[Kind, Callable[[], Corruption]], ...] = (
    (Kind.INVOICE, _showing(total=RawJson("1e1000000"))),
    (Kind.INVOICE, _showing(balance=RawJson("NaN"))),
    (Kind.INVOICE, _showing(total=RawJson("12.3456789"))),
    (Kind.INVOICE, _showing(dueDate="soon")),
    (Kind.INVOICE, _showing(_info=None)),
    (Kind.INVOICE, _showing(company=None, billToCompany=None)),
    (Kind.INVOICE, lambda: Corruption(0, {})),
    (Kind.PAYMENT, _showing(amount=RawJson("-1e400"))),
    (Kind.PAYMENT, lambda: Corruption(0, {})),
    (Kind.COMPANY, _showing(name=RawJson("[[[[]]]]"))),
    (Kind.COMPANY, lambda: Corruption(0, {})),
    (Kind.PRODUCT, _showing(extPrice=RawJson("1e1000000"))),
    (Kind.PRODUCT, lambda: Corruption(0, {})),
)
