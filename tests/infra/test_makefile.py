"""`make setup` installs for the Python that it is told, and again only when that is another one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.config import PROJECT_ROOT

REBUILT = ["venv .venv", "sync .venv/bin/python", "venv .tools/ministack", "pip sync"]
# Instead of uv: makes the folder of an environment, and notes what it was asked for.
UV = """#!/bin/sh
for last; do :; done
case "$1" in
    venv) rm -rf "$last"; mkdir -p "$last"; echo "venv $last" >>asked ;;
    sync) echo "sync $last" >>asked; test ! -e broken ;;
    pip) echo "pip sync" >>asked ;;
esac
"""

Setup = Callable[..., list[str]]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """Run `make setup` in a new clone that needs no registry; returns what uv was asked for."""
    for name in ("Makefile", "uv.lock", "pyproject.toml", "infra/tools/ministack/requirements.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT_ROOT / name, tmp_path / name)
    _write_program(tmp_path / ".tools/uv/bin/uv", UV)
    _write_program(tmp_path / "bin/npm", "#!/bin/sh\n")
    shutil.copytree(PROJECT_ROOT / "infra/tools/cdk", tmp_path / "infra/tools/cdk")
    lock = tmp_path / "infra/dashboard/package-lock.json"
    lock.parent.mkdir(parents=True)
    lock.touch()
    (tmp_path / ".tools/stamps").mkdir()
    (tmp_path / ".tools/stamps" / f"uv-{_uv_version()}").touch()

    def run(python: str, *, succeeds: bool = True) -> list[str]:
        asked = tmp_path / "asked"
        asked.write_text("")
        path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
        finished = subprocess.run(
            # No environment: it may be `make test` that runs this.
            ["make", "setup", f"PYTHON={python}"],  # noqa: S607 - as a person says it
            cwd=tmp_path,
            env={"PATH": path, "HOME": os.environ.get("HOME", "/")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (finished.returncode == 0) == succeeds, finished.stderr
        return asked.read_text().splitlines()

    return run


@pytest.fixture
def other_python(tmp_path: Path) -> str:
    """A Python that says to be another one: tests have no second interpreter to rely on."""
    return _write_program(tmp_path / "bin/other-python", "#!/bin/sh\necho /opt/other/python 3.99.1")


def test_setup_is_done_once(setup: Setup) -> None:
    assert setup(sys.executable) == REBUILT
    assert setup(sys.executable) == []


def test_another_python_and_back_rebuilds_each_time(setup: Setup, other_python: str) -> None:
    for python in (sys.executable, other_python, sys.executable):
        assert setup(python) == REBUILT
    assert setup(sys.executable) == []


def test_the_same_python_by_another_name_is_no_other_one(setup: Setup, tmp_path: Path) -> None:
    setup(sys.executable)
    link = tmp_path / "bin" / "python-by-another-name"
    link.symlink_to(os.path.realpath(sys.executable))
    assert setup(str(link)) == []


def test_a_setup_that_broke_off_is_no_setup(
    setup: Setup, other_python: str, tmp_path: Path
) -> None:
    setup(sys.executable)
    (tmp_path / "broken").touch()
    setup(other_python, succeeds=False)
    (tmp_path / "broken").unlink()
    assert setup(sys.executable) == REBUILT


def test_an_environment_that_was_removed_is_made_again(setup: Setup, tmp_path: Path) -> None:
    setup(sys.executable)
    shutil.rmtree(tmp_path / ".venv")
    assert setup(sys.executable) == REBUILT


def test_a_python_too_old_is_refused_before_anything_is_changed(
    setup: Setup, tmp_path: Path
) -> None:
    setup(sys.executable)
    old = _write_program(
        tmp_path / "bin/old-python",
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 10); $2"',
    )
    assert setup(old, succeeds=False) == []
    assert setup(sys.executable) == []


def _write_program(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def _uv_version() -> str:
    lines = (PROJECT_ROOT / "Makefile").read_text().splitlines()
    return next(line.split()[-1] for line in lines if line.startswith("UV_VERSION"))
