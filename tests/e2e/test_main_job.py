"""The demo's steps on small books: what `make demo` shows is also what the suite holds."""

from infra.local.demo.scene import Scene


def test_every_step_of_the_main_job_is_observed(played: dict[str, str]) -> None:
    assert all(played.values())


def test_each_live_edit_arrives_and_tells_its_seconds(played: dict[str, str], scene: Scene) -> None:
    """How many seconds is a figure to look at: it depends on what else this machine does."""
    for name, seconds in scene.edit_seconds.items():
        print(f"{seconds:6.2f} s  {name}")
    assert len(scene.edit_seconds) >= 10
