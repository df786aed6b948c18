"""Measures in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.ports import Measure


@dataclass(frozen=True)
class Noted:
    measure: Measure
    value: float
    names: dict[str, str]
    of: str = ""


@dataclass
class InMemoryMetrics:
    """Fulfils :class:`bridge.ports.Metrics`."""

    noted: list[Noted] = field(default_factory=list)

    def note(self, measure: Measure, value: float = 1, *, of: str = "", **names: str) -> None:
        self.noted.append(Noted(measure, value, names, of))

    def of(self, measure: Measure) -> list[Noted]:
        return [each for each in self.noted if each.measure is measure]
