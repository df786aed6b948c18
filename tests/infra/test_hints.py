"""The queues of hints fit the code that works them off: times, batches and places."""

import pytest

from bridge.connections.site_turns import PLACES
from bridge.entrypoints.hint_batches import ALONE, MAX_RECEIVES_ALONE
from bridge.mirror.connection_hints import HINT_STEP
from bridge.mirror.hint_processor import MAX_SIDE_BY_SIDE
from bridge.store.read_marks import MARK_LIFE
from tests.infra.templates import MAPPING, Properties, StageTemplates

pytestmark = pytest.mark.xdist_group("templates")

WORKER = "record_sync"
QUEUES = ("hints", "hints-alone")


def mapping_of(templates: StageTemplates, queue: str) -> Properties:
    (mapping,) = (
        mapping
        for mapping in templates.of_type(MAPPING).values()
        if templates.flat(mapping["EventSourceArn"]) == f"<{queue}.Arn>"
    )
    return mapping


def test_the_function_lives_as_long_as_what_it_holds(any_stage: StageTemplates) -> None:
    """Places and claims of a killed worker are free when it would have ended."""
    assert any_stage.functions()[WORKER]["Timeout"] == HINT_STEP.total_seconds()


def test_messages_of_a_killed_worker_come_again_while_its_marks_are_known(
    any_stage: StageTemplates,
) -> None:
    for queue in QUEUES:
        hidden_seconds = any_stage.queues()[queue]["VisibilityTimeout"]
        assert HINT_STEP.total_seconds() < hidden_seconds <= 360
        assert hidden_seconds < MARK_LIFE.total_seconds()


def test_a_batch_of_hints_is_worked_on_side_by_side(any_stage: StageTemplates) -> None:
    mapping = mapping_of(any_stage, "hints")
    assert any_stage.function_of(mapping["FunctionName"]) == WORKER
    assert mapping["BatchSize"] == MAX_SIDE_BY_SIDE
    assert "MaximumBatchingWindowInSeconds" not in mapping


def test_a_hint_that_came_again_is_worked_on_alone(any_stage: StageTemplates) -> None:
    mapping = mapping_of(any_stage, "hints-alone")
    assert any_stage.function_of(mapping["FunctionName"]) == WORKER
    assert mapping["BatchSize"] == 1
    assert any_stage.stage.resource_name("hints-alone").endswith(ALONE)


def test_a_hint_becomes_a_problem_before_it_is_a_dead_letter(any_stage: StageTemplates) -> None:
    receives = any_stage.queues()["hints-alone"]["RedrivePolicy"]["maxReceiveCount"]
    assert receives >= MAX_RECEIVES_ALONE + 1


def test_a_partners_share_is_of_as_many_places_as_there_are(any_stage: StageTemplates) -> None:
    for queue in QUEUES:
        assert mapping_of(any_stage, queue)["ScalingConfig"] == {"MaximumConcurrency": PLACES}
