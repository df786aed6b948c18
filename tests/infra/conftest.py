"""Templates of every stage, synthesized once."""

import pytest

from tests.infra.templates import StageTemplates, synthesize

REAL_STAGES = ("dev", "prod")


@pytest.fixture(params=["local", *REAL_STAGES])
def any_stage(request: pytest.FixtureRequest) -> StageTemplates:
    return synthesize(request.param)


@pytest.fixture(params=REAL_STAGES)
def real_stage(request: pytest.FixtureRequest) -> StageTemplates:
    return synthesize(request.param)


@pytest.fixture
def local() -> StageTemplates:
    return synthesize("local")


@pytest.fixture
def prod() -> StageTemplates:
    return synthesize("prod")
