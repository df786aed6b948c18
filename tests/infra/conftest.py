"""Templates of every stage and layers of this machine, made once."""

import pytest

from tests.infra.bare_interpreter import BareInterpreter
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


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> BareInterpreter:
    return BareInterpreter.build(tmp_path_factory.mktemp("layers"))
