"""The demo's steps on small books: what `make demo` shows is also what the suite holds."""

import pytest

from infra.local.demo.play import STEPS
from infra.local.demo.scene import Scene, Step

SETTING_UP = ("connect a ConnectWise company", "import its books", "calls within the budget")


@pytest.fixture(scope="module")
def played(scene: Scene) -> dict[str, str]:
    """Every step after the import, in the demo's order."""
    return {step.name: _observe(step, scene) for step in STEPS if step.name not in SETTING_UP}


def _observe(step: Step, scene: Scene) -> str:
    return step.act(scene)


def test_every_step_of_the_main_job_is_observed(played: dict[str, str]) -> None:
    assert all(played.values())


def test_each_live_edit_arrives_and_tells_its_seconds(played: dict[str, str], scene: Scene) -> None:
    """How many seconds is a figure to look at: it depends on what else this machine does."""
    for name, seconds in scene.edit_seconds.items():
        print(f"{seconds:6.2f} s  {name}")
    assert len(scene.edit_seconds) >= 10
