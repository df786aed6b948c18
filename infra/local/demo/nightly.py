"""The nightly comparison of both sides, and its report in lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from infra.local.demo.clients import Json, NotObservedError
from infra.local.demo.scene import Scene

KINDS = ("customers", "invoices")


def compare_both_sides(scene: Scene) -> str:
    """Start the comparison, print its report, and hold ConnectWise's list to its count."""
    known = {run["id"] for run in _sweeps(scene)}
    scene.system.run_job("sweep")
    scene.bridge.wait_for(
        scene.connection_path("/runs"),
        lambda runs: any(
            run["kind"] == "sweep" and run["finished_at"] and run["id"] not in known
            for run in runs["items"]
        ),
    )
    run = next(run for run in _sweeps(scene) if run["id"] not in known)
    for line in report_lines(run):
        scene.console.print(f"        {line}", markup=False, soft_wrap=True)
    scene.facts["comparison"] = run["comparison"]
    incomplete = [kind for kind in KINDS if run["comparison"][kind]["is_complete"] is not True]
    if run["state"] != "succeeded" or incomplete:
        raise NotObservedError(f"the comparison {run['state']}; incomplete: {incomplete}")
    return f"every record compared in {run['duration_seconds']} s"


def report_lines(run: Json) -> Iterator[str]:
    """Yield the report of a comparison: when, how long, and each kind's figures in a line."""
    yield f"comparison of {run['created_at']}, {run['duration_seconds']} s: {run['state']}"
    for kind in KINDS:
        compared = run["comparison"][kind]
        found = {name: n for name, n in compared["differences"].items() if n}
        classes = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in found.items())
        differing = f"{compared['differing']} differ" + (f" ({classes})" if classes else "")
        counts = f"ConnectWise lists {compared['listed']} and counts {compared['counted']}"
        yield f"{kind}: {compared['compared']} compared, {differing}; {counts}"


def _sweeps(scene: Scene) -> list[Json]:
    runs = scene.bridge.get(scene.connection_path("/runs"))["items"]
    return [run for run in runs if run["kind"] == "sweep"]
