"""What the code believes of its workers, the templates make so: how many, how long, one by one."""

import pytest

from bridge.connections.site_turns import (
    PLACES,
    PLACES_OF_A_PARTNER,
    STEP_LIFE,
    STEP_SECONDS,
)
from tests.infra.templates import MAPPING, Properties, StageTemplates

pytestmark = pytest.mark.xdist_group("templates")

QUEUES_OF_TURNS = ("hints", "run-steps", "pdfs", "writebacks")
QUEUES_OF_STEPS = {"run-steps": "bulk_sync", "pdfs": "invoice_pdf"}


def mapping_of(templates: StageTemplates, queue: str) -> Properties:
    (mapping,) = (
        mapping
        for mapping in templates.of_type(MAPPING).values()
        if templates.flat(mapping["EventSourceArn"]) == f"<{queue}.Arn>"
    )
    return mapping


@pytest.mark.parametrize("queue", QUEUES_OF_TURNS)
def test_a_partners_share_is_of_as_many_places_as_there_are(
    any_stage: StageTemplates, queue: str
) -> None:
    """The code counts places; the mapping is what makes them so many."""
    scaling = mapping_of(any_stage, queue)["ScalingConfig"]
    assert scaling == {"MaximumConcurrency": PLACES}
    assert 0 < PLACES_OF_A_PARTNER <= PLACES / 3


@pytest.mark.parametrize("queue", QUEUES_OF_STEPS)
def test_a_step_is_of_one_message(any_stage: StageTemplates, queue: str) -> None:
    """What kills a worker, or makes it wait, costs the connection of its message alone."""
    mapping = mapping_of(any_stage, queue)
    assert mapping["BatchSize"] == 1
    assert any_stage.function_of(mapping["FunctionName"]) == QUEUES_OF_STEPS[queue]


@pytest.mark.parametrize("queue", QUEUES_OF_STEPS)
def test_a_place_is_held_for_as_long_as_its_worker_may_live(
    any_stage: StageTemplates, queue: str
) -> None:
    """A place that was over sooner would let one more worker of the partner in."""
    timeout_seconds = any_stage.functions()[QUEUES_OF_STEPS[queue]]["Timeout"]
    assert timeout_seconds == STEP_LIFE.total_seconds()
    assert timeout_seconds > STEP_SECONDS
