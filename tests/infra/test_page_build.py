"""The page is built the same each time, loads fast, and speaks the API's own types."""

import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.config import PROJECT_ROOT
from tests.infra.page_types import DASHBOARD, NODE, TYPES, page_types

FIRST_VIEW_BYTES = 350_000
MOST_LINES = 4700
FIRST_SCREEN = "Overview"
_VITE = DASHBOARD / "node_modules" / "vite" / "bin" / "vite.js"
_MAPPED = re.compile(r"import\(\W\./(\w+)-[\w-]+\.js\W\),__vite__mapDeps\(\[([\d,]+)\]\)")


def build(output: Path) -> Path:
    command = [str(NODE), str(_VITE), "build", "--outDir", str(output), "--logLevel", "error"]
    subprocess.run(command, check=True, cwd=DASHBOARD, timeout=600, env=_environment())
    return output


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("page"))


@pytest.mark.xdist_group("page")
def test_two_builds_are_equal_to_the_byte(built: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    assert _contents(again) == _contents(built)


@pytest.mark.xdist_group("page")
def test_the_first_view_is_small(built: Path) -> None:
    needed = first_view(built)
    sizes = {name: len(gzip.compress((built / name).read_bytes())) for name in needed}
    print(f"first view: {sum(sizes.values())} bytes, gzipped, in {len(sizes)} files")
    assert any(name.startswith(f"assets/{FIRST_SCREEN}-") for name in sizes)
    assert sum(sizes.values()) <= FIRST_VIEW_BYTES, sizes


@pytest.mark.xdist_group("page")
def test_no_file_needs_what_the_policy_forbids(built: Path) -> None:
    document = (built / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|style=", document)
    for script in built.glob("assets/*.js"):
        assert "new Function(" not in script.read_text(), script.name


def test_the_types_are_those_of_the_api_as_it_is_served() -> None:
    assert TYPES.read_text() == page_types(), "run: make types"


def test_the_page_stays_small_enough_for_one_person() -> None:
    made = [path for path in (DASHBOARD / "src").rglob("*.ts*") if path != TYPES]
    texts = DASHBOARD / "src" / "texts.ts"
    sources = [path for path in made if ".test." not in path.name and path != texts]
    lines = sum(len(path.read_text().splitlines()) for path in sources)
    assert lines <= MOST_LINES


def first_view(built: Path) -> set[str]:
    """The document, its own files, and those of the first screen, with all that they import."""
    document = (built / "index.html").read_text()
    named = re.findall(r'(?:src|href)="/(assets/[^"]+)"', document)
    (main,) = (name for name in named if name.endswith(".js") and "/index-" in name)
    script = (built / main).read_text()
    listed = re.search(r"m\.f=\[(.*?)\]", script)
    assert listed, "the list of lazy files"
    files = re.findall(r'"([^"]+)"', listed[1])
    needed = dict(_MAPPED.findall(script))[FIRST_SCREEN]
    of_screen = [files[int(number)] for number in needed.split(",")]
    return {"index.html", *_with_imports(built, [*named, *of_screen])}


def _with_imports(built: Path, names: list[str]) -> set[str]:
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            if name.endswith(".js"):
                text = (built / name).read_text()
                names += [f"assets/{one}" for one in re.findall(r'from"\./([^"]+)"', text)]
    return found


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(PROJECT_ROOT / ".venv" / "bin"), os.environ["PATH"]])
    assert shutil.which("node", path=path)
    return {"PATH": path, "HOME": os.environ.get("HOME", "/")}
