"""The demo's steps on small books: what `make demo` shows is also what the suite holds."""

import pytest

from infra.local.demo.__main__ import STEPS
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


def test_each_live_edit_is_visible_within_seconds(played: dict[str, str], scene: Scene) -> None:
    assert len(scene.edit_seconds) >= 10
    assert max(scene.edit_seconds.values()) < 30
