"""A gateway on demand is the gateway itself, made late and once."""

from __future__ import annotations

from typing import Any

from bridge.ports import PsaGateway
from bridge.wiring.gateway_on_demand import GatewayOnDemand

CALLS: dict[str, tuple[Any, ...]] = {
    "open": ("a connection",),
    "open_for_look": ("a connection", 5.0),
    "open_payments": ("a connection",),
    "try_out": ("a connection", "credentials"),
    "discover": ("company", "https://psa.example.com"),
}


class Recorder:
    """It answers every method of a gateway with the call itself."""

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: (name, *arguments)


def test_every_call_reaches_the_one_gateway() -> None:
    made: list[Recorder] = []

    def make() -> Any:
        made.append(Recorder())
        return made[-1]

    gateway = GatewayOnDemand(make)
    assert made == []
    for name, arguments in CALLS.items():
        assert getattr(gateway, name)(*arguments) == (name, *arguments)
    assert len(made) == 1


def test_no_method_of_a_gateway_is_forgotten() -> None:
    methods = {name for name in vars(PsaGateway) if not name.startswith("_")}
    assert methods == CALLS.keys()
