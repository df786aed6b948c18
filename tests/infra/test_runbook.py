"""Whatever can wake a person or stop a partner has its part in the runbook."""

import re

import pytest

from bridge.domain.job import Job
from bridge.domain.problem import ProblemCode
from bridge.domain.write_back import Reason
from bridge.payments.retry_rules import HEALING, TRIED_DAILY
from infra.config import PROJECT_ROOT
from tests.infra.templates import StageTemplates

pytestmark = pytest.mark.xdist_group("templates")

RUNBOOK = (PROJECT_ROOT / "docs/runbook.md").read_text()
ALARM_HEADINGS = re.findall(r"^### (`[^`]+`(?:, `[^`]+`)*)$", RUNBOOK, re.MULTILINE)
SHORTEST_PART = 80


def alarms(templates: StageTemplates) -> list[str]:
    prefix = templates.stage.resource_name("")
    found = templates.of_type("AWS::CloudWatch::Alarm").values()
    assert all("see the runbook" in alarm["AlarmDescription"] for alarm in found)
    return [alarm["AlarmName"].removeprefix(prefix) for alarm in found]


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of each row of the first table whose first column has this heading."""
    table = RUNBOOK.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    named = [row for row in cells if row[0].startswith("`")]
    return {name: row[1:] for row in named for name in re.findall(r"`([^`]+)`", row[0])}


def test_each_alarm_has_a_part_and_each_part_an_alarm(any_stage: StageTemplates) -> None:
    named = [name for heading in ALARM_HEADINGS for name in re.findall(r"`([^`]+)`", heading)]
    assert sorted(named) == sorted(alarms(any_stage))


@pytest.mark.parametrize("heading", ALARM_HEADINGS)
def test_a_part_says_enough_to_act_on(heading: str) -> None:
    part = RUNBOOK.split(f"### {heading}\n", 1)[1].split("\n#", 1)[0]
    assert len(part) >= SHORTEST_PART


def test_each_reason_of_a_write_back_is_explained() -> None:
    assert set(rows("reason")) == {reason.value for reason in Reason if reason is not Reason.NONE}


def test_the_runbook_promises_healing_where_the_code_heals() -> None:
    promised = {"yes": HEALING, "each day": TRIED_DAILY}
    for word, reasons in promised.items():
        heals = {reason for reason, cells in rows("reason").items() if cells[-1] == word}
        assert heals == {reason.value for reason in reasons}


def test_each_problem_that_a_partner_sees_is_explained() -> None:
    assert set(rows("code")) == {code.value for code in ProblemCode}


def test_each_job_that_can_be_started_by_hand_is_named() -> None:
    for job in Job:
        assert f"`{job.value}`" in RUNBOOK


def test_every_resource_that_the_runbook_names_is_deployed(prod: StageTemplates) -> None:
    deployed = set(re.findall(r"bridge-prod-[\w.-]+", str(prod.data) + str(prod.service)))
    named = set(re.findall(r"bridge-\$STAGE-([\w.-]*\w)", RUNBOOK))
    assert named
    assert {prod.stage.resource_name(name) for name in named} <= deployed


def test_the_targets_that_the_runbook_names_exist() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^(?:.*`)?make ([a-z]+)", RUNBOOK, re.MULTILINE))
    assert targets
    assert targets <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
