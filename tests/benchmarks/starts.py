"""How long each function takes to start, beside boto3 with the clients that the function makes.

    python -m tests.benchmarks.starts

A start is the import of the handler and the making of its use cases, with the built layers in an
interpreter that has nothing else. Both sides are measured in turns, each time in a new process, by
the processor's time; the medians count.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

from tests.benchmarks.table import Row, publish
from tests.infra.bare_interpreter import NAMES, BareInterpreter

ROUNDS = 9
AIM_OF_WORKERS = 1.4
AIMS = {"webhook_receiver": 1.1, "dashboard_api": 1.8}
LAYERS_AIM_MEGABYTES = 12
MEGABYTE = 1_000_000

BOTO3 = "import boto3\nfor service in {services!r}: boto3.client(service)\n"
FUNCTION = """
import {name}.handler as handler
for make in [value for value in vars(handler).values() if hasattr(value, "cache_clear")]:
    make()
"""
CLIENTS_MADE = """
import json
from bridge.aws import clients
made = [make for make in vars(clients).values() if hasattr(make, "cache_info")]
made = [make() for make in made if make.cache_info().currsize]
print(json.dumps([client.meta.service_model.service_name for client in made]))
"""


def start_rows(bare: BareInterpreter) -> list[Row]:
    """Measure the start of every function."""
    services = {name: services_of(name, bare) for name in NAMES}
    starts: dict[str, list[float]] = defaultdict(list)
    limits: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for made in sorted(set(services.values())):
            limits[made].append(seconds_of(BOTO3.format(services=made), bare))
        for name in NAMES:
            starts[name].append(seconds_of(FUNCTION.format(name=name), bare))
    return [
        _row(name, median(starts[name]), median(limits[made])) for name, made in services.items()
    ]


def _row(name: str, start_seconds: float, limit_seconds: float) -> Row:
    return Row(
        name=f"start of {name}",
        limit="boto3 with its clients",
        value=start_seconds / limit_seconds,
        aim=AIMS.get(name, AIM_OF_WORKERS),
        unit="times",
        note=f"{start_seconds * 1_000:.0f} ms to {limit_seconds * 1_000:.0f} ms",
    )


def services_of(name: str, bare: BareInterpreter) -> tuple[str, ...]:
    """Return the AWS services that a function makes clients of at its start."""
    return tuple(json.loads(bare.run(FUNCTION.format(name=name) + CLIENTS_MADE)))


def seconds_of(program: str, bare: BareInterpreter) -> float:
    """Return the processor's time that a program takes in a new process."""
    begin, end = "import time; begun = time.process_time()", "print(time.process_time() - begun)"
    return float(bare.run(f"{begin}\n{program}\n{end}"))


def layers_row(bare: BareInterpreter) -> Row:
    """Return the size of both layers, with the bytecode of this interpreter."""
    files = [path for layer in (bare.core, bare.dependencies) for path in layer.rglob("*")]
    total = sum(path.stat().st_size for path in files if path.is_file())
    return Row(
        name="both layers",
        limit="pydantic's compiled part: 5",
        value=total / MEGABYTE,
        aim=LAYERS_AIM_MEGABYTES,
        unit="MB",
    )


def main() -> None:
    """Measure, print and keep the rows."""
    with tempfile.TemporaryDirectory() as folder:
        bare = BareInterpreter.build(Path(folder))
        publish("starts", [layers_row(bare), *start_rows(bare)])


if __name__ == "__main__":
    main()
