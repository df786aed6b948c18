"""Figures of several benchmarks come together in one table and one file."""

import json
import re
from pathlib import Path

import pytest

from tests.benchmarks.table import Row, publish, published, table

START = Row(name="start of a", limit="boto3", value=1.0712, aim=1.1, unit="times", note="7 ms")
CALL = Row(name="a call", limit="with 1000", value=12.5, unit="ms")


def test_a_row_names_its_limit_and_its_aim() -> None:
    header, start, call = table([START, CALL]).splitlines()
    assert header.split() == ["what", "value", "aim", "unit", "limit", "note"]
    assert re.split(r"\s{2,}", start) == ["start of a", "1.07", "1.1", "times", "boto3", "7 ms"]
    assert call.split() == ["a", "call", "12.50", "ms", "with", "1000"]


def test_benchmarks_keep_their_rows_beside_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "build" / "bench.json"
    publish("starts", [CALL], file)
    publish("calls", [CALL], file)

    publish("starts", [START], file)

    assert published(file) == [START, CALL]
    assert json.loads(file.read_text())["starts"][0]["aim"] == 1.1
    assert capsys.readouterr().out.endswith(table([START]))


def test_before_the_first_benchmark_there_is_no_row(tmp_path: Path) -> None:
    assert published(tmp_path / "bench.json") == []
