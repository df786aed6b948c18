"""The README's table of switches agrees with `switches.py`, and its admin paths exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from connectwise_sandbox.in_process_client import PsaClient
from connectwise_sandbox.switches import Switches

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def test_every_switch_stands_in_the_table_with_its_default_and_meaning() -> None:
    section = README.partition("\n## Switches\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| (.+) \|$", section, re.MULTILINE)

    assert rows == [
        (name, json.dumps(field.default), field.description)
        for name, field in Switches.model_fields.items()
    ]


@pytest.mark.parametrize(
    "path",
    sorted(set(re.findall(r"(?<!_sandbox)(/(?:invoices|companies|contacts)[\w/{}-]*)", README))),
)
def test_every_admin_path_in_the_table_exists(path: str) -> None:
    listed = {row["path"] for row in PsaClient().admin("GET", "").json()}

    assert f"/_sandbox{path}" in listed
