"""The page on write-backs gets its picture and its table from the table of changes.

`PYTHONPATH=layers/core/python python -m tests.architecture.write_back_page` writes them into
docs/write-back.md.
"""

from __future__ import annotations

import re
from pathlib import Path

from bridge.domain.write_back import WriteBackState
from bridge.domain.write_back.change_table import CHANGES

PAGE = Path(__file__).parents[2] / "docs" / "write-back.md"
BEGIN = "<!-- made from the table of changes -->"
END = "<!-- end -->"


def picture() -> str:
    """Return a Mermaid diagram with one arrow for each way from a state to another."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> pending"]
    for state in WriteBackState:
        for target in WriteBackState:
            names = [
                name
                for name, change in CHANGES.items()
                if state in change.sources and change.target is target and state is not target
            ]
            if names:
                lines.append(f"    {state.value} --> {target.value}: {', '.join(names)}")
    return "\n".join([*lines, "```"])


def table() -> str:
    """Return a row for each change: who makes it, from which states, to which one, and why."""
    rows = ["| change | by | from | to | meaning |", "|---|---|---|---|---|"]
    for name, change in CHANGES.items():
        sources = ", ".join(f"`{s.value}`" for s in WriteBackState if s in change.sources)
        rows.append(
            f"| `{name}` | {change.actor.value} | {sources} | `{change.target.value}` "
            f"| {change.meaning} |"
        )
    return "\n".join(rows)


def made() -> str:
    """Return the part of the page that is made."""
    return f"{BEGIN}\n\n{picture()}\n\n{table()}\n\n{END}"


def written(page: str) -> str:
    """Return the page with that part made anew."""
    between = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return between.sub(lambda _: made(), page)


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(written(PAGE.read_text()))


if __name__ == "__main__":
    main()
