"""Tables that belong together have the same entries, so that a new one is nowhere forgotten."""

from pathlib import Path

from bridge.connectwise.callback_types import CALLBACK_TYPES
from bridge.connectwise.kinds import PSA_KINDS
from bridge.domain.mirrored_kinds import MIRRORED_KINDS
from bridge.domain.problem import ACTIONS, ProblemCode
from bridge.domain.run import PLANS, RunKind
from bridge.store.kinds import STORED_KINDS
from dashboard_api.models.problems import TITLES
from tests.infra.test_policies import FUNCTIONS

ROOT = Path(__file__).resolve().parents[2]


def test_each_mirrored_kind_has_its_adapters_entries() -> None:
    kinds = {kind.record_kind for kind in MIRRORED_KINDS}
    assert PSA_KINDS.keys() == STORED_KINDS.keys() == set(CALLBACK_TYPES.values()) == kinds


def test_each_kind_of_run_has_a_plan() -> None:
    assert PLANS.keys() == set(RunKind)


def test_each_problem_code_has_actions_and_a_title() -> None:
    assert ACTIONS.keys() == TITLES.keys() == set(ProblemCode)


def test_each_functions_rights_are_checked() -> None:
    assert set(FUNCTIONS) == {path.parent.name for path in ROOT.glob("functions/*/handler.py")}
