"""`make logs FIND=<text> STAGE=prod`: prints the log lines of the functions that hold a text.

To be run by an operator: an id of a partner, connection, record or request finds all lines about
it, in all functions at once and in the order of time.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from infra.config import PROJECT_ROOT, STAGES, StageConfig, stage_config

FUNCTIONS = tuple(
    sorted(folder.parent.name for folder in (PROJECT_ROOT / "functions").glob("*/handler.py"))
)
MAX_LINES = 1_000
DEFAULT_HOURS = 24
_PATIENCE_SECONDS = 120
_PAUSE_SECONDS = 0.5


class SearchFailedError(Exception):
    """CloudWatch did not finish the search; a shorter time or one function may help."""


@dataclass(frozen=True)
class LogLine:
    """A line with the function that wrote it, by the name of its log group."""

    time: str
    group: str
    message: str

    def __str__(self) -> str:
        return f"{self.time} {self.group.rpartition('/')[2]} {self.message}"


def search(
    logs: Any,
    stage: StageConfig,
    texts: Sequence[str],
    *,
    functions: Sequence[str] = FUNCTIONS,
    hours: float = DEFAULT_HOURS,
) -> list[LogLine]:
    """Return the lines of the last hours that hold every text, oldest first, MAX_LINES at most.

    Raises SearchFailedError.
    """
    now = datetime.now(UTC)
    started = logs.start_query(
        logGroupNames=[f"/aws/lambda/{stage.resource_name(name)}" for name in functions],
        startTime=int((now - timedelta(hours=hours)).timestamp()),
        endTime=int((now + timedelta(minutes=1)).timestamp()),
        queryString=query_for(texts),
        limit=MAX_LINES,
    )
    return list(_lines(logs, started["queryId"]))


def query_for(texts: Sequence[str]) -> str:
    """Return the query of CloudWatch Logs Insights for lines that hold every text."""
    filters = [f"filter @message like /{_pattern(text)}/" for text in texts]
    return " | ".join(["fields @timestamp, @log, @message", *filters, "sort @timestamp asc"])


def _pattern(text: str) -> str:
    """Return a pattern for the text as it stands, without the sign that ends a pattern."""
    return re.escape(text).replace("/", r"\/").replace(r"\ ", " ")


def _lines(logs: Any, query_id: str) -> Iterator[LogLine]:
    for _ in range(int(_PATIENCE_SECONDS / _PAUSE_SECONDS)):
        answer = logs.get_query_results(queryId=query_id)
        if answer["status"] == "Complete":
            for row in answer["results"]:
                cells = {cell.get("field", ""): cell.get("value", "") for cell in row}
                yield LogLine(cells["@timestamp"], cells.get("@log", ""), cells["@message"].strip())
            return
        if answer["status"] not in ("Scheduled", "Running"):
            raise SearchFailedError(f"the search ended as {answer['status']}")
        time.sleep(_PAUSE_SECONDS)
    raise SearchFailedError("the search took too long; name a function, or fewer hours")


def main() -> None:
    """Search the logs of the stage named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("find", nargs="+", help="texts that each line has to hold")
    parser.add_argument("--stage", required=True, choices=sorted(STAGES))
    parser.add_argument("--function", action="append", choices=FUNCTIONS, help="search these alone")
    parser.add_argument("--hours", type=float, default=DEFAULT_HOURS)
    arguments = parser.parse_args()
    try:
        found = search(
            boto3.client("logs"),
            stage_config(arguments.stage),
            arguments.find,
            functions=arguments.function or FUNCTIONS,
            hours=arguments.hours,
        )
    except SearchFailedError as error:
        sys.exit(f"logs: {error}")
    for line in found:
        print(line)
    if not found:
        print("no line holds that", file=sys.stderr)
    elif len(found) == MAX_LINES:
        print(f"these are the first {MAX_LINES}; search for fewer hours", file=sys.stderr)


if __name__ == "__main__":
    main()
